//! The domain of a mirror has a dot.

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] =
    &[StreamSpec::constant("ORDERS_EU", &[]).mirror(Upstream::of("ORDERS").domain("eu.west"))];
covers!(Topology::new(STREAMS));

fn main() {}

//! A mirror has subjects of its own.

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] =
    &[StreamSpec::constant("ORDERS_EU", &["orders.>"]).mirror(Upstream::of("ORDERS").domain("eu"))];
covers!(Topology::new(STREAMS));

fn main() {}

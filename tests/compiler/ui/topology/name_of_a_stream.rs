//! The name of a stream has a dot.

use event_sdk::stream::StreamSpec;
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] = &[StreamSpec::constant("shop.ORDERS", &["orders.>"])];
covers!(Topology::new(STREAMS));

fn main() {}

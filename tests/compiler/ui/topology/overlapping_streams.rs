//! Two streams store the same subjects.

use event_sdk::stream::StreamSpec;
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("EVERYTHING", &[">"]),
    StreamSpec::constant("ORDERS", &["orders.>"]),
];
covers!(Topology::new(STREAMS));

fn main() {}

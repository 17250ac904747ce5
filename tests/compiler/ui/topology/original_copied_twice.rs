//! A stream copies another directly and through a third, which a server refuses.

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk_topology::{Topology, covers};

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("ORDERS", &["orders.>"]),
    StreamSpec::constant("COPY", &[]).mirror(Upstream::of("ORDERS")),
    StreamSpec::constant("ALL", &[]).sources(&[Upstream::of("ORDERS"), Upstream::of("COPY")]),
];
covers!(Topology::new(STREAMS));

fn main() {}

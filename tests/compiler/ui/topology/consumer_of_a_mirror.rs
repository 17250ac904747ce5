//! A mirror does not copy the events of its consumer.

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk_topology::{DurableSpec, Topology, covers};

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("ORDERS_EU", &[])
        .mirror(Upstream::of("ORDERS").domain("eu").filter("orders.order.placed")),
];
const CONSUMERS: &[DurableSpec] = &[DurableSpec::matching("billing", "ORDERS_EU", "orders.>")];
covers!(Topology::new(STREAMS).consumers(CONSUMERS));

fn main() {}

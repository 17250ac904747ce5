//! A topology whose streams store each event of its sets exactly once.

use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventSet};
use event_sdk_topology::{DurableSpec, Topology, covers};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "clearing", entity = "window", action = "opened")]
struct WindowOpened {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

#[derive(EventSet)]
#[allow(dead_code)]
enum All {
    Opened(WindowOpened),
    Placed(OrderPlaced),
}

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("CLEARING", &["clearing.*.*.*"]),
    StreamSpec::constant("ORDERS", &["orders.order.placed", "orders.order.paid"]),
];
const CONSUMERS: &[DurableSpec] = &[
    DurableSpec::of::<All>("everything"),
    DurableSpec::of::<OrderPlaced>("orders").stream("ORDERS"),
    DurableSpec::matching("opened", "CLEARING", "clearing.window.*.*"),
];
const TOPOLOGY: Topology = Topology::new(STREAMS).consumers(CONSUMERS);
covers!(TOPOLOGY, All, OrderPlaced);
covers!(TOPOLOGY);

fn main() {}

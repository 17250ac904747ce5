//! A topology whose streams store each event of its sets exactly once.

use event_sdk::stream::{Placement, StreamSpec, Upstream};
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
    StreamSpec::constant("ORDERS_COPY", &[]).mirror(Upstream::of("ORDERS").filter("orders.>")),
    StreamSpec::constant("ORDERS_EU", &[]).mirror(Upstream::of("ORDERS").domain("eu")),
    // Each has the own events of the other, and none comes back.
    StreamSpec::constant("RISK", &["risk.>"])
        .sources(&[Upstream::of("LIMITS").filter("limits.>")]),
    StreamSpec::constant("LIMITS", &["limits.>"])
        .sources(&[Upstream::of("RISK").filter("risk.>")])
        .placement(Placement::cluster("eu").tags(&["ssd"])),
];
const CONSUMERS: &[DurableSpec] = &[
    DurableSpec::of::<All>("everything"),
    DurableSpec::of::<OrderPlaced>("orders").stream("ORDERS"),
    DurableSpec::of::<OrderPlaced>("copied").stream("ORDERS_COPY"),
    DurableSpec::of::<All>("of_eu").stream("ORDERS_EU"),
    DurableSpec::matching("copied_risk", "LIMITS", "risk.limits.>"),
    DurableSpec::matching("opened", "CLEARING", "clearing.window.*.*"),
];
const TOPOLOGY: Topology = Topology::new(STREAMS).consumers(CONSUMERS);
covers!(TOPOLOGY, All, OrderPlaced);
covers!(TOPOLOGY);

fn main() {}

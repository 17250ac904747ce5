//! A topology whose streams store each event of its sets exactly once.

use event_sdk::stream::{Placement, StreamSpec, Upstream};
use event_sdk::{Event, EventSet, RawEvent};
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

/// An event of another application.
#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "bank.tx", type = "bank.tx")]
struct Booked {
    id: u64,
}

#[derive(EventSet)]
#[event(pattern = "orders.>")]
#[allow(dead_code)]
enum Orders {
    Placed(OrderPlaced),
    #[event(other)]
    Other(RawEvent),
}

const STREAMS: &[StreamSpec] = &[
    StreamSpec::constant("CLEARING", &["clearing.*.*.*"]),
    StreamSpec::constant("ORDERS", &["orders.order.placed", "orders.order.paid"]),
    StreamSpec::constant("ORDERS_COPY", &[]).mirror(Upstream::of("ORDERS").filter("orders.>")),
    StreamSpec::constant("ORDERS_EU", &[]).mirror(Upstream::of("ORDERS").domain("eu")),
    // A bus with the prefix of `moved_to` reads what it stores.
    StreamSpec::constant("MOVED", &[])
        .sources(&[Upstream::of("ORDERS").domain("us").prefix("us").moved_to("events")]),
    StreamSpec::constant("EVERYTHING", &[])
        .sources(&[Upstream::of("CLEARING"), Upstream::of("ORDERS")]),
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
    DurableSpec::of::<OrderPlaced>("moved").stream("MOVED"),
    // What the other domain has is not known.
    DurableSpec::of::<Booked>("booked").stream("ORDERS_EU"),
    // Its filter copies some of the other events.
    DurableSpec::of::<Orders>("orders_and_others").stream("ORDERS_COPY"),
    DurableSpec::matching("audit", "EVERYTHING", ">"),
    DurableSpec::matching("copied_risk", "LIMITS", "risk.limits.>"),
    DurableSpec::matching("opened", "CLEARING", "clearing.window.*.*"),
];
const TOPOLOGY: Topology = Topology::new(STREAMS).consumers(CONSUMERS);
covers!(TOPOLOGY, All, OrderPlaced);
covers!(TOPOLOGY);

fn main() {}

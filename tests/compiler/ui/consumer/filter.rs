//! Filters: a closure without the type of its argument, one of another argument, and a text.

use event_sdk::consumer::Filter;
use event_sdk::{Event, EventBus, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid {
    id: u64,
}

#[derive(EventSet)]
enum Orders {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

fn consumers(bus: &EventBus) {
    // `Filter::envelope` knows the type.
    let _ = bus
        .consumer::<Orders>("billing")
        .filter(Filter::envelope(|envelope| envelope.source == "web"));
    let _ = bus
        .consumer::<Orders>("billing")
        .filter(|order: &OrderPlaced| order.id > 1);
    let _ = bus.consumer::<Orders>("billing").filter("orders.order.*");
}

fn main() {}

//! The arguments of a handler: an event of the set, and the context.

use event_sdk::consumer::Ctx;
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

struct NotAnEvent;

fn consumers(bus: &EventBus) {
    // Not an event at all.
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|_: NotAnEvent, _: Ctx| async { Ok(()) });
    // A reference.
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|_: &OrderPlaced, _: Ctx| async { Ok(()) });
    // Without the context.
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|_: OrderPlaced| async { Ok(()) });
    // The context as a reference.
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|_: OrderPlaced, _: &Ctx| async { Ok(()) });
    // The set itself, which `each` takes.
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|_: Orders, _: Ctx| async { Ok(()) });
}

fn main() {}

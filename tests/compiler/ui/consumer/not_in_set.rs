//! A handler of an event that the consumer's set does not have.

use std::sync::Arc;

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

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderShipped {
    id: u64,
}

fn consumers(bus: &EventBus) {
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|_: OrderPlaced, _: Ctx| async { Ok(()) })
        .on(|_: OrderShipped, _: Ctx| async { Ok(()) });
    let _ = bus
        .consumer::<Orders>("billing")
        .on_with((), |(), _: Arc<OrderShipped>, _: Ctx| async { Ok(()) });
    let _ = bus
        .consumer::<Orders>("billing")
        .on_blocking(|_: OrderShipped, _: Ctx| Ok(()));
    let _ = bus
        .consumer::<Orders>("billing")
        .filter_event(|order: &OrderShipped| order.id > 1);
    // A consumer of one event.
    let _ = bus
        .consumer::<OrderPlaced>("billing")
        .on(|_: OrderPaid, _: Ctx| async { Ok(()) });
}

fn main() {}

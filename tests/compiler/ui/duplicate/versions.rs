//! A set has the newest version of an event.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed")]
struct OrderPlacedV1 {
    id: u32,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "2.0", upcast_from = OrderPlacedV1)]
struct OrderPlaced {
    id: u64,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(old: OrderPlacedV1) -> Self {
        Self { id: old.id.into() }
    }
}

#[derive(EventSet)]
enum OrderEvents {
    Old(OrderPlacedV1),
    New(OrderPlaced),
}

fn main() {}

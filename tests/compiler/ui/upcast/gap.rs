//! Each version is made from the one right before it.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed", version = "1.0")]
struct OrderPlacedV1 {
    id: u32,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "3.0", upcast_from = OrderPlacedV1)]
struct OrderPlaced {
    id: u64,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(old: OrderPlacedV1) -> Self {
        Self { id: old.id.into() }
    }
}

fn main() {}

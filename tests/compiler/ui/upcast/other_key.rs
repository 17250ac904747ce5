//! The versions of an event share its subjects.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed")]
struct OrderPlacedV1 {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "2.0", upcast_from = OrderPlacedV1)]
struct OrderPlaced {
    #[event(key)]
    id: u64,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(old: OrderPlacedV1) -> Self {
        Self { id: old.id }
    }
}

fn main() {}

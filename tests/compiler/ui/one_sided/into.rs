//! An event is read as it is written.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Clone, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(into = "Written")]
struct OrderPlaced {
    id: u64,
}

#[derive(Serialize)]
struct Written {
    order: u64,
}

impl From<OrderPlaced> for Written {
    fn from(event: OrderPlaced) -> Self {
        Self { order: event.id }
    }
}

fn main() {}

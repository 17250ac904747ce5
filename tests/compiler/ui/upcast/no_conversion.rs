//! The newer version is made with `From` or `TryFrom`.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed", version = "1.0")]
struct OrderPlacedV1 {
    id: u32,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "2.0", upcast_from = OrderPlacedV1)]
struct OrderPlaced {
    id: u64,
}

fn main() {}

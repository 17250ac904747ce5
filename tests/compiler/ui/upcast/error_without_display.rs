//! The reason why an old event has no new form can be written.

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

struct NoSuchOrder;

impl TryFrom<OrderPlacedV1> for OrderPlaced {
    type Error = NoSuchOrder;

    fn try_from(_: OrderPlacedV1) -> Result<Self, NoSuchOrder> {
        Err(NoSuchOrder)
    }
}

fn main() {}

//! A variant holds one event and nothing else.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    Paid,
    Sent { order: OrderPlaced },
    Lost { id: u64, reason: String },
    Both(OrderPlaced, OrderPlaced),
    Nothing(),
}

fn main() {}

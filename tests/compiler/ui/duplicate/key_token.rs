//! A key in the subject takes all subjects below it.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "orders.order.placed.twice", type = "order.placed")]
struct OrderPlacedTwice;

#[derive(EventSet)]
enum OrderEvents {
    Twice(OrderPlacedTwice),
    Placed(OrderPlaced),
}

fn main() {}

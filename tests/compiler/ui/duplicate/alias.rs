//! A second name makes no second event.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

type OrderCreated = OrderPlaced;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    Created(OrderCreated),
}

fn main() {}

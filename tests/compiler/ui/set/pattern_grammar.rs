//! A pattern is checked like a subject.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
#[event(pattern = "orders.>.placed")]
enum OrderEvents {
    Placed(OrderPlaced),
}

fn main() {}

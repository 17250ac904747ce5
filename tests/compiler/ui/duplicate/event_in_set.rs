//! An event stands in a set once.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

use std::sync::Arc;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    Again(OrderPlaced),
    Shared(Arc<OrderPlaced>),
}

fn main() {}

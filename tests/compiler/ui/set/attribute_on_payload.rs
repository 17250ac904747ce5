//! What is said of an event is said on its struct.

use event_sdk::{Event, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum OrderEvents {
    Placed(OrderPlaced),
    Other(#[event(other)] RawEvent),
}

fn main() {}

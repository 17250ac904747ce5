//! A raw event stands in the variant for others.

use event_sdk::{Event, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum OrderEvents {
    Placed(OrderPlaced),
    Other(RawEvent),
}

fn main() {}

//! A set has a pattern, and its variants are marked.

use event_sdk::{Event, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
#[event(patern = "orders.>", domain = "orders")]
enum OrderEvents {
    #[event(othr)]
    Placed(OrderPlaced),
    #[event(pattern = "orders.>")]
    Other(RawEvent),
}

fn main() {}

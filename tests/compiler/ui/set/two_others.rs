//! One variant takes what is unknown.

use event_sdk::{Event, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum OrderEvents {
    Placed(OrderPlaced),
    #[event(other)]
    Other(RawEvent),
    #[event(other)]
    More(RawEvent),
}

fn main() {}

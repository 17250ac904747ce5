//! Without a pattern nothing unknown arrives.

use event_sdk::{Event, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    #[event(other)]
    Other(RawEvent),
}

fn main() {}

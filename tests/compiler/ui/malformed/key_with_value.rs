//! A mark has no value.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key = "id")]
    id: u64,
}

fn main() {}

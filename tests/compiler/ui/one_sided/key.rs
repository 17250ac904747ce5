//! The key is among the data.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key)]
    #[serde(skip)]
    id: u64,
    cents: i64,
}

fn main() {}

//! The tag is no name of a field.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(tag = "id")]
struct OrderPlaced {
    id: u64,
    cents: i64,
}

fn main() {}

//! A field that is written is read.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
    #[serde(skip_deserializing)]
    note: String,
}

fn main() {}

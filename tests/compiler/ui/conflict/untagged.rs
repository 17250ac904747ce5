//! The shape of the data is known.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(untagged)]
struct OrderPlaced {
    id: u64,
}

fn main() {}

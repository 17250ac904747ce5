//! An event that is published is serialized.

use event_sdk::Event;
use serde::Deserialize;

#[derive(Event, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn main() {}

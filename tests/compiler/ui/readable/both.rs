//! `Event` implements `Readable` too.

use event_sdk::{Event, Readable};
use serde::{Deserialize, Serialize};

#[derive(Event, Readable, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn main() {}

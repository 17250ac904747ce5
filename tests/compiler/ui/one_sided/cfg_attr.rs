//! An attribute that a condition adds is seen too.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
    #[cfg_attr(all(), serde(skip_serializing))]
    note: String,
}

fn main() {}

//! A field that is not written cannot be read.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
    #[serde(skip_serializing)]
    note: String,
    #[serde(default, skip_serializing)]
    remark: String,
}

fn main() {}

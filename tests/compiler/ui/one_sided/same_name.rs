//! Two fields have two names.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
    #[serde(rename = "id")]
    number: u64,
    cents: i64,
    #[serde(alias = "cents")]
    total: i64,
}

fn main() {}

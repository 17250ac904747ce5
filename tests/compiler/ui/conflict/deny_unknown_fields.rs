//! A reader takes what a newer minor version adds.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OrderPlaced {
    order_id: u64,
}

fn main() {}

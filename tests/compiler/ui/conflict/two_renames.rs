//! What one service writes another can read.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(rename_all(serialize = "camelCase"))]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(rename_all(serialize = "camelCase", deserialize = "snake_case"))]
struct OrderPaid {
    order_id: u64,
}

fn main() {}

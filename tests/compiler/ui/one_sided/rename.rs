//! A field is written and read under one name.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[serde(rename(serialize = "order_id", deserialize = "id"))]
    id: u64,
    #[serde(rename(serialize = "remark"))]
    note: String,
    #[serde(rename(deserialize = "total"))]
    cents: i64,
}

fn main() {}

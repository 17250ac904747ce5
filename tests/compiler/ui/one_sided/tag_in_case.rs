//! The names are compared as they are written.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(tag = "orderId", rename_all = "camelCase")]
struct OrderPlaced {
    order_id: u64,
    cents: i64,
}

fn main() {}

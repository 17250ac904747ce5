//! Unknown keys are answered with the known ones.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domian = "orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", event_type = "order.paid", topic = "x", key = "id")]
struct OrderPaid {
    id: u64,
}

fn main() {}

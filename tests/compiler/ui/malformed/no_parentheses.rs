//! The keys stand in parentheses.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event = "orders"]
struct OrderPaid;

fn main() {}

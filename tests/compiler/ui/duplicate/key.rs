//! A key is written once.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", domain = "shop")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[event(version = "1.0", domain = "shop")]
struct OrderPaid;

fn main() {}

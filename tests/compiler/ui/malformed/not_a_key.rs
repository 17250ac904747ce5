//! An item begins with a key.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event("orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", = "order")]
struct OrderPaid;

fn main() {}

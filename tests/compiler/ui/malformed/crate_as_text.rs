//! A path has no quotes.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", crate = "event_sdk")]
struct OrderPlaced;

fn main() {}

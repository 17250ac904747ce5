//! A type has no quotes.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "2.0", upcast_from = "OrderPlacedV1")]
struct OrderPlaced;

fn main() {}

//! In a tuple, a field that is absent moves the others.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced(
    #[serde(default, skip_serializing_if = "Option::is_none")] Option<String>,
    #[serde(default)] u64,
);

fn main() {}

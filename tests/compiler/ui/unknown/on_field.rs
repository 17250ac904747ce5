//! On a field only the key is marked.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(keys)]
    id: u64,
    #[event(domain = "x")]
    item: String,
    #[event(personal)]
    customer: String,
}

fn main() {}

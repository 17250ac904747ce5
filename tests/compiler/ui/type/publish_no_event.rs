//! What is published is an event.

use event_sdk::EventBus;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct OrderPlaced {
    id: u64,
}

fn main() {
    let bus = EventBus::memory();
    let _ = bus.publisher::<OrderPlaced>();
}

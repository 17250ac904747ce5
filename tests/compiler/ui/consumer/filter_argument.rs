//! A filter that does not say the type of its argument: `Filter::envelope` would know it.

use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn consumers(bus: &EventBus) {
    let _ = bus
        .consumer::<OrderPlaced>("billing")
        .filter(|envelope| envelope.source == "web");
}

fn main() {}

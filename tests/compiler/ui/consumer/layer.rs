//! Layers: what is no layer.

use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

struct Logging;

fn consumers(bus: &EventBus) {
    let _ = bus.consumer::<OrderPlaced>("billing").layer(Logging);
}

fn main() {}

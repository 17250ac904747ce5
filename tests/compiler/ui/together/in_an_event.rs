//! All mistakes of an event are reported at once.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "Orders", action = "placed.now", version = "1", topic = "x")]
#[serde(deny_unknown_fields)]
struct OrderPlaced {
    #[event(in_subject)]
    id: u64,
    #[event(key)]
    item: String,
    #[event(key)]
    customer: String,
}

fn publish<E: Event>(_: &E) {}

fn main() {
    let event = OrderPlaced { id: 1, item: String::new(), customer: String::new() };
    publish(&event);
}

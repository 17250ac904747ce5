//! An event that is only received cannot be published.

use event_sdk::{EventBus, EventSet, Readable};
use serde::Deserialize;

#[derive(Readable, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
}

fn main() {
    let bus = EventBus::memory();
    let _ = bus.publisher::<OrderPlaced>();
    let _ = bus.publisher_set::<OrderEvents>().publisher::<OrderPlaced>();
}

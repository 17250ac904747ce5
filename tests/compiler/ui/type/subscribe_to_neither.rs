//! What is subscribed to is an event or a set.

use event_sdk::EventBus;

struct OrderPlaced;

fn main() {
    let bus = EventBus::memory();
    let _ = bus.subscribe::<OrderPlaced>();
}

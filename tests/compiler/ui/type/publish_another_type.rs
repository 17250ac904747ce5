//! A publisher takes its event, and what is no event is told how to become one.

use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

#[derive(Serialize, Deserialize)]
struct OrderPaid {
    id: u64,
}

fn main() {
    let publisher = EventBus::memory().publisher::<OrderPlaced>();
    let _ = publisher.publish(OrderPaid { id: 7 });
    let _ = publisher.prepare(7);
    let _ = publisher.publish_all(vec![OrderPaid { id: 7 }]);
}

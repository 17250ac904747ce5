//! A set contains what its variants hold.

use event_sdk::{Contains, Event, EventBus, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
}

fn handle<S: Contains<E>, E: Event>() {}

fn main() {
    handle::<OrderEvents, OrderPlaced>();
    handle::<OrderEvents, OrderPaid>();
    let publishers = EventBus::memory().publisher_set::<OrderEvents>();
    let _ = publishers.publisher::<OrderPaid>();
}

//! An enum is no event, and the mistake is reported once.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
enum OrderChanged {
    Placed,
    Paid,
}

fn publish<E: Event>(_: E) {}

fn main() {
    publish(OrderChanged::Placed);
}

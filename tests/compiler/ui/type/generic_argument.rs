//! A generic event is one for arguments that are data.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderChanged<T> {
    to: T,
}

struct Opaque;

fn publish<E: Event>(_: E) {}

fn main() {
    publish(OrderChanged { to: 1 });
    publish(OrderChanged { to: Opaque });
}

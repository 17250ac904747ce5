//! An event is written and read.

use event_sdk::Event;

#[derive(Event)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn main() {}

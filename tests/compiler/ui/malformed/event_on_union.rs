//! A union is no event.

use event_sdk::Event;

#[derive(Event)]
#[event(domain = "orders")]
union OrderPlaced {
    id: u64,
    number: i64,
}

fn main() {}

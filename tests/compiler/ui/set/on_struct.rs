//! A set is an enum.

use event_sdk::EventSet;

#[derive(EventSet)]
struct OrderEvents {
    id: u64,
}

fn main() {}

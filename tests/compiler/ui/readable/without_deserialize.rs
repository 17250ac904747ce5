//! An event that is received is deserialized.

use event_sdk::Readable;
use serde::Serialize;

#[derive(Readable, Serialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn main() {}

//! One event is one struct, also if it is only received.

use event_sdk::Readable;
use serde::Deserialize;

#[derive(Readable, Deserialize)]
#[event(domain = "orders")]
enum OrderEvents {
    Placed(u64),
}

fn main() {}

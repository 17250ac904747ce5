//! An event has one key.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key, key)]
    id: u64,
    #[event(key)]
    customer: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid(#[event(key)] u64, #[event(key, in_subject)] u64);

fn main() {}

//! A key can be written as text.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key)]
    id: Vec<u8>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid(String, #[event(key, in_subject)] Option<String>);

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderSent<T> {
    #[event(key)]
    id: Vec<u8>,
    item: T,
}

fn main() {}

//! An event owns its data.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced<'a> {
    item: &'a str,
}

fn main() {}

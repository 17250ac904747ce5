//! JSON has one `null`: `Some(None)` and `None` would be read as the same.

use event_sdk::{Event, Pii};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
    note: Option<Option<String>>,
    paid: Option<()>,
    names: Vec<Option<Box<Pii<Option<String>>>>>,
}

fn main() {}

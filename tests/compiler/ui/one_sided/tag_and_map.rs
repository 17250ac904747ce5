//! A flattened map reads whatever no field has read, the tag too.

use std::collections::BTreeMap;

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
#[serde(tag = "kind")]
struct OrderPlaced {
    id: u64,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

fn main() {}

//! Two flattened maps read the same entries.

use std::collections::{BTreeMap, HashMap};

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
    #[serde(flatten)]
    texts: BTreeMap<String, String>,
    #[serde(flatten)]
    numbers: HashMap<String, u64>,
}

fn main() {}

//! Only the key goes into the subject.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(in_subject)]
    id: u64,
}

fn main() {}

//! A crate that is not there is one error for each item.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", crate = nowhere)]
struct OrderPlaced {
    #[event(key)]
    id: u64,
}

#[derive(EventSet)]
#[event(crate = nowhere)]
enum OrderEvents {
    Placed(OrderPlaced),
}

fn main() {
    let _ = event_sdk::subject!(crate = nowhere, "orders.>");
}

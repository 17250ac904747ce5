//! A mistake in an event is not one of the set that has it.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "Orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domian = "orders")]
struct OrderPaid;

#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum OrderEvents {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

fn main() {}

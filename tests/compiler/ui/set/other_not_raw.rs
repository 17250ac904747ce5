//! What is unknown arrives as it is.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid;

#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum OrderEvents {
    Placed(OrderPlaced),
    #[event(other)]
    Other(OrderPaid),
}

fn main() {}

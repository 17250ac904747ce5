//! A payload that is no event is one error.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

use std::sync::Arc;

struct OrderPaid;
struct OrderSent;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    Paid(OrderPaid),
    Sent(Arc<OrderSent>),
    Number(u64),
}

fn main() {}

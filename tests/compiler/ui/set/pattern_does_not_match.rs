//! All events of a set match its pattern.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "billing")]
struct InvoiceSent;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "orders.order.lost", type = "order.lost")]
struct OrderLost;

#[derive(EventSet)]
#[event(pattern = "orders.*.*")]
enum OrderEvents {
    Placed(OrderPlaced),
    Sent(InvoiceSent),
    Paid(OrderPaid),
    Lost(OrderLost),
}

#[derive(EventSet)]
#[event(pattern = "orders.*")]
enum Short {
    Placed(OrderPlaced),
}

fn main() {}

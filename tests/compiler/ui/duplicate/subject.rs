//! Two events of a set have two subjects, and one mistake is one error.

use event_sdk::{Contains, Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed")]
struct OrderCreated;

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "orders.order.placed", type = "order.made")]
struct OrderMade;

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    Created(OrderCreated),
    Made(std::sync::Arc<OrderMade>),
}

fn publishes<S: Contains<E>, E: Event>() {}

fn main() {
    publishes::<OrderEvents, OrderPlaced>();
    publishes::<OrderEvents, OrderCreated>();
}

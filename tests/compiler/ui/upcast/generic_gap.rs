//! A generic event is checked where a set takes it.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "changed")]
struct OrderChangedV1<T> {
    to: T,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "3.0", upcast_from = OrderChangedV1<T>)]
struct OrderChanged<T> {
    to: T,
}

impl<T> From<OrderChangedV1<T>> for OrderChanged<T> {
    fn from(old: OrderChangedV1<T>) -> Self {
        Self { to: old.to }
    }
}

#[derive(EventSet)]
enum OrderEvents {
    Changed(OrderChanged<u64>),
}

fn main() {}

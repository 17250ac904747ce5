//! A set has no parameters.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced<T> {
    id: T,
}

#[derive(EventSet)]
enum OrderEvents<'a, T, const N: usize> {
    Placed(OrderPlaced<T>),
    Item(&'a [T; N]),
}

fn main() {}

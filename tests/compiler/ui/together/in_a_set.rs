//! All mistakes of a set are reported at once, and not again where it is used.

use event_sdk::{Contains, Event, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(EventSet)]
#[event(pattern = "orders.>.x", name = "x")]
enum OrderEvents {
    Placed(OrderPlaced),
    Again(OrderPlaced),
    Nothing,
    #[event(other)]
    Other(RawEvent),
    #[event(other)]
    More(RawEvent),
}

fn subscribe<S: EventSet>() {}
fn handle<S: Contains<E>, E: Event>() {}

fn main() {
    subscribe::<OrderEvents>();
    handle::<OrderEvents, OrderPlaced>();
    let _: OrderEvents = OrderPlaced.into();
}

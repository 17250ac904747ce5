//! What needs a type is no option of a subscription or a query without one.

use event_sdk::{DelayUnknown, EventBus, subject};

fn main() {}

fn options(bus: &EventBus) {
    let raw = bus.raw();
    let _ = raw.subscribe(subject!("orders.>")).key(7);
    let _ = raw.history(subject!("orders.>")).key(7);
    let bounds = DelayUnknown::unlimited();
    let _ = raw.subscribe(subject!("orders.>")).delay_unknown(bounds);
}

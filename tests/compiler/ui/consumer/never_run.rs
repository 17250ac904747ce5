//! A consumer that is never run.

#![deny(unused_must_use)]

use event_sdk::consumer::Ctx;
use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

async fn consumers(bus: &EventBus) {
    bus.consumer::<OrderPlaced>("billing")
        .on(|_: OrderPlaced, _: Ctx| async { Ok(()) });
    // A future that is not awaited.
    bus.consumer::<OrderPlaced>("billing")
        .on(|_: OrderPlaced, _: Ctx| async { Ok(()) })
        .run();
    // A result of which nobody learns.
    bus.consumer::<OrderPlaced>("billing")
        .on(|_: OrderPlaced, _: Ctx| async { Ok(()) })
        .run()
        .await;
}

fn main() {}

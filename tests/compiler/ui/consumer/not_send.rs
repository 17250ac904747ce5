//! A handler whose future cannot move to another thread.

use std::rc::Rc;

use event_sdk::consumer::{Ctx, Handle, Outcome};
use event_sdk::{Event, EventBus, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid {
    id: u64,
}

#[derive(EventSet)]
enum Orders {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

async fn store(_: u64) {}

struct Billing;

impl Handle<OrderPlaced> for Billing {
    async fn handle(&self, order: OrderPlaced, _: &Ctx) -> Outcome {
        let shared = Rc::new(order.id);
        store(*shared).await;
        drop(shared);
        Ok(())
    }
}

fn consumers(bus: &EventBus) {
    // The state of a closure.
    let count = Rc::new(0);
    let _ = bus
        .consumer::<Orders>("billing")
        .on(move |_: OrderPlaced, _: Ctx| {
            let _ = &count;
            async { Ok(()) }
        });
}

fn main() {}

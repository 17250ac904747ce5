//! A closure whose future cannot move to another thread: the compiler shows the value and the await.

use std::rc::Rc;

use event_sdk::consumer::Ctx;
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

fn consumers(bus: &EventBus) {
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|order: OrderPlaced, _: Ctx| async move {
            let shared = Rc::new(order.id);
            store(*shared).await;
            drop(shared);
            Ok(())
        });
}

fn main() {}

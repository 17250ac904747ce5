//! A type that does not handle each event of the set.

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

struct Billing;

impl Handle<OrderPlaced> for Billing {
    async fn handle(&self, _: OrderPlaced, _: &Ctx) -> Outcome {
        Ok(())
    }
}

fn consumers(bus: &EventBus) {
    let _ = bus.consumer::<Orders>("billing").handled_by(Billing);
}

fn main() {}

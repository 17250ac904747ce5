//! Methods of `Handle` that are not those of the trait.

use event_sdk::consumer::{Ctx, Handle, Outcome};
use event_sdk::{Event, EventSet};
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

// Without a reference to the context.
impl Handle<OrderPlaced> for Billing {
    async fn handle(&self, _: OrderPlaced, _: Ctx) -> Outcome {
        Ok(())
    }
}

// Without a result.
impl Handle<OrderPaid> for Billing {
    async fn handle(&self, _: OrderPaid, _: &Ctx) {}
}

fn main() {}

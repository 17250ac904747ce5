//! `?` of what is not an error, and results that are not an outcome.

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

struct Declined;

fn charge(_: u64) -> Result<(), Declined> {
    Err(Declined)
}

fn refund(_: u64) -> Result<(), String> {
    Err(String::new())
}

struct Billing;

impl Handle<OrderPlaced> for Billing {
    async fn handle(&self, order: OrderPlaced, _: &Ctx) -> Outcome {
        charge(order.id)?;
        refund(order.id)?;
        Ok(())
    }
}

fn consumers(bus: &EventBus) {
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|order: OrderPlaced, _: Ctx| async move {
            charge(order.id)?;
            Ok(())
        });
    // No result.
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|order: OrderPlaced, _: Ctx| async move {
            let _ = charge(order.id);
        });
    // Not async.
    let _ = bus
        .consumer::<Orders>("billing")
        .on(|_: OrderPlaced, _: Ctx| Ok(()));
}

fn main() {}

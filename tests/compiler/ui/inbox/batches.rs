//! Batches: their effects take the whole set, and their handler is not one of single events.

use std::time::Duration;

use event_sdk::consumer::Failure;
use event_sdk::{Event, EventBus, EventSet};
use event_sdk_sql::{EffectOf, EffectTx, Inbox, Sqlite};
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

impl EffectOf<OrderPlaced, Sqlite> for Billing {
    async fn apply(&self, _: OrderPlaced, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

impl EffectOf<OrderPaid, Sqlite> for Billing {
    async fn apply(&self, _: OrderPaid, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

fn consumers(bus: &EventBus, inbox: &Inbox<Sqlite>) {
    let within = Duration::from_millis(20);
    // Without an effect of the set.
    let _ =
        bus.consumer::<Orders>("billing")
            .batches_handled_by(100, within, inbox.batches(Billing));
    // Effects of single events.
    let _ = bus.consumer::<OrderPlaced>("billing").batches_handled_by(
        100,
        within,
        inbox.effects(Billing),
    );
    // Effects of batches.
    let _ = bus
        .consumer::<OrderPlaced>("billing")
        .handled_by(inbox.batches(Billing));
}

fn main() {}

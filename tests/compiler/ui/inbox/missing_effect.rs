//! Effects that are not those of each event of the set.

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

fn consumers(bus: &EventBus, inbox: &Inbox<Sqlite>) {
    let _ = bus
        .consumer::<Orders>("billing")
        .handled_by(inbox.effects(Billing));
}

fn main() {}

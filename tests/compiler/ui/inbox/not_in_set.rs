//! An effect of an event that the consumer's set does not have.

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

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderShipped {
    id: u64,
}

struct Shipping;

impl EffectOf<OrderShipped, Sqlite> for Shipping {
    async fn apply(&self, _: OrderShipped, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

fn consumers(bus: &EventBus, inbox: &Inbox<Sqlite>) {
    let _ = bus.consumer::<Orders>("billing").on_handler(
        inbox.effect(|_: OrderShipped, tx: EffectTx<Sqlite>| async move { tx.commit().await }),
    );
    let _ = bus
        .consumer::<Orders>("billing")
        .on_handler::<OrderShipped, _>(inbox.effects(Shipping));
}

fn main() {}

//! Effects in SQLite, of an inbox that may be of another database.

use event_sdk::consumer::Failure;
use event_sdk::{Event, EventBus};
use event_sdk_sql::{EffectOf, EffectTx, Inbox, InboxDatabase, Sqlite};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

struct Billing;

impl EffectOf<OrderPlaced, Sqlite> for Billing {
    async fn apply(&self, _: OrderPlaced, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

fn consumers<DB: InboxDatabase>(bus: &EventBus, inbox: &Inbox<DB>) {
    let _ = bus
        .consumer::<OrderPlaced>("billing")
        .handled_by(inbox.effects(Billing));
    let _ = inbox.effect(|_: OrderPlaced, tx: EffectTx<Sqlite>| async move { tx.commit().await });
}

fn main() {}

//! Effects that take another transaction than the one of the inbox.

use event_sdk::Event;
use event_sdk::consumer::Failure;
use event_sdk_sql::{EffectOf, EffectTx, Inbox, Sqlite, Tx};
use serde::{Deserialize, Serialize};
use sqlx::Transaction;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

struct OfSqlx;

impl EffectOf<OrderPlaced, Sqlite> for OfSqlx {
    async fn apply(&self, _: OrderPlaced, _: &mut Transaction<'_, Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

struct OfOutbox;

impl EffectOf<OrderPlaced, Sqlite> for OfOutbox {
    async fn apply(&self, _: OrderPlaced, _: &mut Tx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

struct Owned;

impl EffectOf<OrderPlaced, Sqlite> for Owned {
    async fn apply(&self, _: OrderPlaced, _: EffectTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

fn effects(inbox: &Inbox<Sqlite>) {
    let _ = inbox.effect(|_: OrderPlaced, tx: Tx<Sqlite>| async move { tx.commit().await });
}

fn main() {}

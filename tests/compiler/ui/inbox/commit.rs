//! Commits where the consumer commits, and statements after the commit.

use event_sdk::Event;
use event_sdk::consumer::Failure;
use event_sdk_sql::{EffectOf, EffectTx, Inbox, Sqlite};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

struct Billing;

impl EffectOf<OrderPlaced, Sqlite> for Billing {
    async fn apply(&self, _: OrderPlaced, tx: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        tx.commit().await?;
        Ok(())
    }
}

fn effects(inbox: &Inbox<Sqlite>) {
    let _ = inbox.effect(|_: OrderPlaced, mut tx: EffectTx<Sqlite>| async move {
        let committed = tx.commit().await?;
        sqlx::query("delete from carts").execute(&mut *tx).await?;
        Ok(committed)
    });
}

fn main() {}

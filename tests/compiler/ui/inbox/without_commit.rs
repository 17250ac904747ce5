//! Effects that end without the proof that their own transaction was committed.

use event_sdk::Event;
use event_sdk_sql::{EffectTx, Inbox, Sqlite};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn effects(inbox: &Inbox<Sqlite>) {
    // Not committed.
    let _ = inbox.effect(|_: OrderPlaced, _: EffectTx<Sqlite>| async { Ok(()) });
    // Committed, and the proof dropped.
    let _ = inbox.effect(|_: OrderPlaced, tx: EffectTx<Sqlite>| async move {
        let _ = tx.commit().await?;
        Ok(())
    });
}

fn main() {}

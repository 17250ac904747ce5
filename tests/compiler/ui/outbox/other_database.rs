//! Transactions of SQLite, for outboxes that may be of another database.

use event_sdk::Event;
use event_sdk_sql::{Outbox, Sqlite, Store, Tx};
use serde::{Deserialize, Serialize};
use sqlx::Transaction;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

struct Ledger;

async fn store<DB: Store>(
    outbox: &Outbox<DB>,
    tx: &mut Tx<Sqlite>,
    transaction: &mut Transaction<'_, Sqlite>,
) {
    let _ = outbox.enqueue(tx, OrderPlaced { id: 1 }).await;
    let _ = outbox.enqueue(transaction, OrderPlaced { id: 1 }).await;
}

fn outbox(_: &Outbox<Ledger>) {}

fn main() {}

//! An event that is to be stored through something that is not a connection.

use event_sdk::Event;
use event_sdk_sql::{Outbox, Sqlite};
use serde::{Deserialize, Serialize};
use sqlx::Pool;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

async fn store(outbox: &Outbox<Sqlite>, mut pool: Pool<Sqlite>) {
    // A pool: each of its statements may take another connection.
    let _ = outbox.enqueue(&mut pool, OrderPlaced { id: 1 }).await;
    let _ = outbox.enqueue(&pool, OrderPlaced { id: 1 }).await;
    // Without a connection.
    let _ = outbox.enqueue(OrderPlaced { id: 1 }).await;
}

fn main() {}

//! Events that are stored after the commit of their transaction.

use event_sdk::Event;
use event_sdk_sql::{Outbox, Sqlite, StoreError, Tx};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

async fn afterwards(outbox: &Outbox<Sqlite>) -> Result<(), StoreError> {
    let mut tx = outbox.begin().await?;
    tx.commit().await?;
    outbox.enqueue(&mut tx, OrderPlaced { id: 1 }).await?;
    Ok(())
}

async fn awaited_afterwards(mut tx: Tx<Sqlite>) -> Result<(), StoreError> {
    let publish = tx.publish(OrderPlaced { id: 1 });
    tx.commit().await?;
    publish.await?;
    Ok(())
}

fn main() {}

//! Events that are never stored, and results that nothing reads.

#![deny(unused_must_use)]

use event_sdk::Event;
use event_sdk_sql::{EffectTx, Outbox, Sqlite, Tx};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

async fn store(outbox: &Outbox<Sqlite>, mut tx: Tx<Sqlite>) {
    outbox.enqueue(&mut tx, OrderPlaced { id: 1 });
    tx.publish(OrderPlaced { id: 1 });
    outbox.enqueue(&mut tx, OrderPlaced { id: 1 }).await;
    tx.commit();
    outbox.relay();
}

async fn effect(tx: &mut EffectTx<Sqlite>) {
    tx.publish(OrderPlaced { id: 1 });
}

fn main() {}

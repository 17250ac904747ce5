//! Values that are not events to be published.

use event_sdk::{Event, EventSet, Readable};
use event_sdk_sql::{Outbox, Sqlite, Tx};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

/// Only received.
#[derive(Readable, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid {
    id: u64,
}

#[derive(EventSet)]
enum Orders {
    Placed(OrderPlaced),
}

struct NotAnEvent;

async fn store(outbox: &Outbox<Sqlite>, tx: &mut Tx<Sqlite>) {
    let _ = outbox.enqueue(tx, NotAnEvent).await;
    let _ = outbox.enqueue(tx, OrderPaid { id: 1 }).await;
    let _ = tx.publish(Orders::Placed(OrderPlaced { id: 1 })).await;
}

fn main() {}

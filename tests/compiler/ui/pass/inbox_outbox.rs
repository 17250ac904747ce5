//! Effects and events in transactions of a database: each form that the cases of `inbox` and `outbox` miss.

use std::time::Duration;

use event_sdk::consumer::Failure;
use event_sdk::{Event, EventBus, EventSet};
use event_sdk_sql::{EffectOf, EffectTx, Inbox, InboxDatabase, Outbox, Sqlite, Store, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::Transaction;

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

struct Billing;

impl EffectOf<OrderPlaced, Sqlite> for Billing {
    async fn apply(&self, order: OrderPlaced, tx: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        sqlx::query("insert into invoices (id) values (?)")
            .bind(order.id.to_string())
            .execute(&mut **tx)
            .await?;
        tx.publish(OrderPaid { id: order.id }).await?;
        Ok(())
    }
}

impl EffectOf<OrderPaid, Sqlite> for Billing {
    async fn apply(&self, _: OrderPaid, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

/// Effects of the whole set, for batches, in any database.
struct Board;

impl<DB: InboxDatabase> EffectOf<Orders, DB> for Board {
    async fn apply(&self, _: Orders, _: &mut EffectTx<DB>) -> Result<(), Failure> {
        Ok(())
    }
}

fn consumers<DB: InboxDatabase>(bus: &EventBus, inbox: &Inbox<Sqlite>, board: &Inbox<DB>) {
    let _ = bus
        .consumer::<Orders>("billing")
        .handled_by(inbox.effects(Billing))
        .dead_letters(inbox.dead_letters());
    let _ = bus
        .consumer::<Orders>("billing")
        .on_handler::<OrderPlaced, _>(inbox.effects(Billing))
        .on_handler(
            inbox.effect(|_: OrderPaid, mut tx: EffectTx<Sqlite>| async move {
                sqlx::query("delete from carts").execute(&mut *tx).await?;
                tx.commit().await
            }),
        );
    let _ = bus.consumer::<Orders>("board").batches_handled_by(
        100,
        Duration::from_millis(20),
        board.batches(Board),
    );
}

async fn store<DB: Store>(
    outbox: &Outbox<DB>,
    transaction: &mut Transaction<'_, DB>,
) -> Result<(), StoreError> {
    outbox.enqueue(transaction, OrderPlaced { id: 1 }).await?;
    let mut tx = outbox.begin().await?;
    outbox.enqueue(&mut tx, OrderPlaced { id: 1 }).await?;
    tx.publish(OrderPaid { id: 1 }).await?;
    tx.commit().await
}

async fn on_a_connection(outbox: &Outbox<Sqlite>) -> Result<(), Box<dyn std::error::Error>> {
    let mut connection = outbox.pool().acquire().await?;
    outbox
        .enqueue(&mut connection, OrderPlaced { id: 1 })
        .await?;
    outbox
        .enqueue(&mut *connection, OrderPlaced { id: 1 })
        .await?;
    Ok(())
}

fn main() {}

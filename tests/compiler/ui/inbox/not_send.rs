//! Effects that cannot move to another thread.

use std::rc::Rc;

use event_sdk::Event;
use event_sdk::consumer::Failure;
use event_sdk_sql::{EffectOf, EffectTx, Inbox, Sqlite};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

async fn store(_: u64) {}

struct Billing;

impl EffectOf<OrderPlaced, Sqlite> for Billing {
    async fn apply(&self, order: OrderPlaced, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        let shared = Rc::new(order.id);
        store(*shared).await;
        drop(shared);
        Ok(())
    }
}

struct Counting {
    count: Rc<u64>,
}

impl EffectOf<OrderPlaced, Sqlite> for Counting {
    async fn apply(&self, _: OrderPlaced, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

fn effects(inbox: &Inbox<Sqlite>) {
    let _ = inbox.effect(|order: OrderPlaced, tx: EffectTx<Sqlite>| async move {
        let shared = Rc::new(order.id);
        store(*shared).await;
        drop(shared);
        tx.commit().await
    });
}

fn main() {}

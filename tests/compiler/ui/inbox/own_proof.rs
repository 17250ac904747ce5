//! A proof of a commit that the effect makes itself.

use event_sdk::Event;
use event_sdk_sql::{Committed, EffectTx, Inbox, Sqlite};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn effects(inbox: &Inbox<Sqlite>) {
    let _ =
        inbox.effect(|_: OrderPlaced, _: EffectTx<Sqlite>| async { Ok(Committed { token: 1 }) });
}

fn main() {}

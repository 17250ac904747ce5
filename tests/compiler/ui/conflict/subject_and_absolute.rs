//! A subject is relative or absolute.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.created", absolute = "legacy.transactions.created", type = "transaction.created")]
struct TransactionCreated;

fn main() {}

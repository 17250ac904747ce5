//! A subject is written whole or in three tokens.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.created", type = "transaction.created", domain = "transactions", action = "created")]
struct TransactionCreated;

fn main() {}

//! A whole subject says nothing of the type.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "transactions.created")]
struct TransactionCreated;

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "legacy.transactions.created")]
struct TransactionSeen;

fn main() {}

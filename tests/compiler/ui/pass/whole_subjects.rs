//! Existing and foreign subjects are taken as they are.

use event_sdk::{Event, Readable};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "Transactions.created", type = "transaction.created")]
struct TransactionCreated {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "legacy.tx/created", type = "tx.created", version = "2.0")]
struct LegacyTransaction;

/// Foreign systems name their types as they like.
#[derive(Event, Serialize, Deserialize)]
#[event(absolute = "tx.created.größe", type = "com.example/Tx")]
struct ForeignTransaction;

#[derive(Event, Serialize, Deserialize)]
#[event(subject = "tx.changed", type = "Transaction Changed (v2)")]
struct TransactionChanged;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "items", type = "item.made.by_hand")]
struct ItemCreated;

fn main() {
    assert_eq!(TransactionCreated::SPEC.subject(), "Transactions.created");
    assert_eq!(TransactionCreated::SPEC.filter(), "Transactions.created.*");
    assert_eq!(TransactionCreated::SPEC.event_type(), "transaction.created");
    assert_eq!(TransactionCreated::SPEC.domain(), None);
    assert!(!TransactionCreated::SPEC.is_absolute());
    assert_eq!(ForeignTransaction::SPEC.event_type(), "com.example/Tx");
    assert_eq!(TransactionChanged::SPEC.event_type(), "Transaction Changed (v2)");
    assert!(LegacyTransaction::SPEC.is_absolute());
    assert_eq!(ItemCreated::SPEC.event_type(), "item.made.by_hand");
}

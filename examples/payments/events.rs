//! The events of the eight domains.
//!
//! `transactions.created`, `compliance.alert` and `settlement.completed` are subjects that existed before
//! the SDK, with their own types; the others have the form `<domain>.<entity>.<action>`.

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

use crate::money::Money;

/// A customer has submitted a payment.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(subject = "transactions.created", type = "transaction.created")]
pub(crate) struct TransactionCreated {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) payer: String,
    pub(crate) payee: String,
    pub(crate) amount: Money,
}

/// Payer and payee may pay each other.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "compliance")]
pub(crate) struct CheckPassed {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) payer: String,
    pub(crate) payee: String,
    pub(crate) amount: Money,
}

/// The payee is on a list of sanctions: the payment is refused.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(subject = "compliance.alert", type = "compliance.alert")]
pub(crate) struct ComplianceAlert {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) payer: String,
}

/// The exposure to the payer is within its limit.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "risk")]
pub(crate) struct PaymentAccepted {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) payer: String,
    pub(crate) payee: String,
    pub(crate) amount: Money,
}

/// A payment was divided into what the payee gets and the fee.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "clearing")]
pub(crate) struct ObligationCleared {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) payer: String,
    pub(crate) payee: String,
    pub(crate) net: Money,
    pub(crate) fee: Money,
}

/// The money of a payment has moved.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(subject = "settlement.completed", type = "settlement.completed")]
pub(crate) struct SettlementCompleted {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) net: Money,
    pub(crate) fee: Money,
}

/// A customer is to be told what became of a payment.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "notifications")]
pub(crate) struct MessageRequested {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) recipient: String,
    pub(crate) text: String,
}

/// A settled payment, for the reports.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "reporting")]
pub(crate) struct TurnoverReported {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) net: Money,
    pub(crate) fee: Money,
}

/// The audit trail has a new entry.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "audit")]
pub(crate) struct EntryRecorded {
    #[event(key)]
    pub(crate) transaction: i64,
    pub(crate) what: String,
}

/// Every event.
#[derive(EventSet)]
pub(crate) enum Everything {
    Created(TransactionCreated),
    Passed(CheckPassed),
    Refused(ComplianceAlert),
    Accepted(PaymentAccepted),
    Cleared(ObligationCleared),
    Settled(SettlementCompleted),
    Requested(MessageRequested),
    Reported(TurnoverReported),
    Recorded(EntryRecorded),
}

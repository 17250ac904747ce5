//! The events of the shop.

use event_sdk::{Event, EventSet, Pii};
use serde::{Deserialize, Serialize};

/// A customer has placed an order.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) order: String,
    pub(crate) customer: Pii<String>,
    pub(crate) cents: u64,
}

/// An order was paid and goes to the warehouse.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderConfirmed {
    #[event(key)]
    pub(crate) order: String,
}

/// An order will not be delivered.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderCancelled {
    #[event(key)]
    pub(crate) order: String,
    pub(crate) reason: String,
}

/// A customer has paid.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "billing")]
pub(crate) struct InvoicePaid {
    #[event(key)]
    pub(crate) order: String,
    pub(crate) cents: u64,
}

/// The bank has declined a payment.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "billing")]
pub(crate) struct InvoiceDeclined {
    #[event(key)]
    pub(crate) order: String,
    pub(crate) reason: String,
}

/// What the service `orders` waits for.
#[derive(EventSet)]
pub(crate) enum Payments {
    Paid(InvoicePaid),
    Declined(InvoiceDeclined),
}

/// What the service `audit` keeps.
#[derive(EventSet)]
pub(crate) enum Audited {
    Placed(OrderPlaced),
    Confirmed(OrderConfirmed),
    Cancelled(OrderCancelled),
    Paid(InvoicePaid),
    Declined(InvoiceDeclined),
}

//! Order events: placed, paid, cancelled.

use event_sdk::{Event, EventSet, RawEvent};
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub struct OrderPlaced {
    /// Which order.
    #[event(key)]
    pub id: u64,
    /// What for.
    pub item: String,
}

/// An order was paid.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "2.0")]
pub struct OrderPaid {
    /// Which order.
    #[event(key)]
    pub id: u64,
    /// How much; a number that JSON may be unable to carry.
    pub amount: f64,
}

/// A customer moved; each has subjects of its own.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "crm")]
pub struct CustomerMoved {
    /// Who.
    #[event(key, in_subject)]
    pub customer: String,
    /// Where to.
    pub city: String,
}

/// A customer was renamed; each has subjects of its own.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "crm")]
pub struct CustomerRenamed {
    /// Who.
    #[event(key, in_subject)]
    pub customer: String,
    /// The new name.
    pub name: String,
}

/// What happens to orders, as far as it is known here.
#[derive(Debug, PartialEq, EventSet)]
pub enum OrderEvents {
    /// An order was placed.
    Placed(OrderPlaced),
    /// An order was paid.
    Paid(OrderPaid),
}

/// What happens to orders, whatever it is.
#[derive(Debug, PartialEq, EventSet)]
#[event(pattern = "orders.>")]
pub enum AllOrderEvents {
    /// An order was placed.
    Placed(OrderPlaced),
    /// Something else.
    #[event(other)]
    Other(RawEvent),
}

/// What happens to customers.
#[derive(Debug, PartialEq, EventSet)]
#[event(pattern = "crm.customer.*.*")]
pub enum CustomerEvents {
    /// A customer moved.
    Moved(CustomerMoved),
    /// A customer was renamed.
    Renamed(CustomerRenamed),
}

/// An order that was placed.
#[must_use]
pub fn placed(id: u64) -> OrderPlaced {
    OrderPlaced {
        id,
        item: format!("item {id}"),
    }
}

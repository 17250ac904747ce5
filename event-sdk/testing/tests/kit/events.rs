//! The events of these tests, and what a failing assertion says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use event_sdk::{Event, Pii};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) order: u64,
    pub(crate) cents: u64,
    pub(crate) customer: Pii<String>,
}

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "billing")]
pub(crate) struct OrderInvoiced {
    #[event(key, in_subject)]
    pub(crate) order: u64,
}

pub(crate) fn placed(order: u64) -> OrderPlaced {
    OrderPlaced {
        order,
        cents: order * 100,
        customer: "Ada Lovelace".to_owned().into(),
    }
}

/// What an assertion says when it fails.
pub(crate) fn failure<T>(assertion: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(assertion)) else {
        panic!("the assertion holds");
    };
    panic.downcast_ref::<String>().cloned().unwrap()
}

//! Events of the fault tests.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

/// Something was counted.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "faults", entity = "event", action = "counted")]
pub(crate) struct Counted {
    /// Its number, by which the ledger knows it.
    #[event(key)]
    pub(crate) number: u64,
    /// For events of a certain size.
    pub(crate) padding: String,
}

impl Counted {
    pub(crate) fn new(number: u64) -> Self {
        Self::of_size(number, 0)
    }

    /// One whose data have about this many bytes.
    pub(crate) fn of_size(number: u64, bytes: usize) -> Self {
        Self {
            number,
            padding: "x".repeat(bytes),
        }
    }
}

/// Something was told that not everybody may tell.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "faults", entity = "secret", action = "told")]
pub(crate) struct Told {
    pub(crate) number: u64,
}

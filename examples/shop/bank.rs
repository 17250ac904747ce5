//! A bank that answers as banks do: it accepts, declines, is busy, or is unavailable for a while.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The client of a bank.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bank {
    calls: Arc<AtomicU32>,
}

/// Why the bank did not take the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BankError {
    /// The customer has not enough money.
    Declined,
    /// The bank has no time for this request.
    Busy,
    /// The bank cannot be reached.
    Away,
}

impl Bank {
    /// Takes money. The same order is charged once, however often it is asked for.
    pub(crate) fn charge(&self, order: &str, cents: u64) -> Result<(), BankError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match call {
            7 => Err(BankError::Busy),
            20..23 => Err(BankError::Away),
            _ if cents > 90_000 || order.is_empty() => Err(BankError::Declined),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for BankError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declined => "the bank has declined the payment",
            Self::Busy => "the bank is busy",
            Self::Away => "the bank cannot be reached",
        })
    }
}

impl Error for BankError {}

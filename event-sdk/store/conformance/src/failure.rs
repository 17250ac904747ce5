//! `Failure`: why a case failed; and the macros of its checks.

use std::fmt;
use std::panic::Location;

use event_sdk_store::StoreError;

/// How a case ends: with nothing to say, or with what was not as promised.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// What was not as the store promises, and which line of the case saw it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    at: &'static Location<'static>,
}

impl Failure {
    #[track_caller]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: Location::caller(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line) = (self.at.file(), self.at.line());
        write!(f, "{} ({file}:{line})", self.message)
    }
}

impl From<StoreError> for Failure {
    #[track_caller]
    fn from(error: StoreError) -> Self {
        let kind = error.kind();
        Self::new(format!("unexpected error of kind {kind:?}: {error:?}"))
    }
}

impl From<event_sdk::Error> for Failure {
    #[track_caller]
    fn from(error: event_sdk::Error) -> Self {
        Self::new(format!("unexpected error of the bus: {error}"))
    }
}

/// Fails the case with a message unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::failure::Failure::new(format!($($message)+)));
        }
    };
}

/// Fails the case unless what was found is what the contract wants.
macro_rules! ensure_eq {
    ($found:expr, $wanted:expr, $($what:tt)+) => {
        match (&$found, &$wanted) {
            (found, wanted) => if *found != *wanted {
                return Err($crate::failure::Failure::new(format!(
                    "{}: {found:?}, not {wanted:?}",
                    format_args!($($what)+),
                )));
            }
        }
    };
}

pub(crate) use {ensure, ensure_eq};

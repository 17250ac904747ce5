//! `Failure`: why a case failed, and assertion helpers with deadlines.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use event_sdk_core::stream::InvalidStream;
use event_sdk_core::subject::InvalidSubject;
use event_sdk_core::transport::Error;

/// How a case ends: with nothing to say, or with what was not as promised.
pub(super) type Outcome<T = ()> = Result<T, Failure>;

/// What was not as the transport promises, and which line of the case saw it.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    at: &'static Location<'static>,
}

impl Failure {
    #[track_caller]
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: Location::caller(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}:{})",
            self.message,
            self.at.file(),
            self.at.line()
        )
    }
}

macro_rules! failure_from {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            #[track_caller]
            fn from(error: $error) -> Self {
                Self::new(format!("unexpected error: {error}"))
            }
        }
    )*};
}

failure_from!(
    Error,
    event_sdk_core::transport::Unsettled,
    InvalidStream,
    InvalidSubject,
    event_sdk_core::headers::InvalidHeader,
    event_sdk_core::json::EncodeError
);

/// Waits for `future`, but not longer than `limit`.
#[track_caller]
pub(super) fn within<F: Future>(
    limit: Duration,
    what: &str,
    future: F,
) -> impl Future<Output = Outcome<F::Output>> {
    let late = Failure::new(format!("{what} did not come within {limit:?}"));
    async move { tokio::time::timeout(limit, future).await.map_err(|_| late) }
}

/// Fails the case with a message unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::failure::Failure::new(format!($($message)+)));
        }
    };
}

/// Fails the case unless the found value equals the one that the contract requires.
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

pub(super) use {ensure, ensure_eq};

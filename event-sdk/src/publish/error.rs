//! `PublishError`: a failed publish, its kind and outcome, and the prepared event to publish
//! again.

use std::fmt;
use std::ops::Deref;

use event_sdk_core::transport::Error;

use super::Prepared;

/// A failed publish, with the prepared event: publishing that again is recognized as the same
/// event.
///
/// It dereferences to [`Error`], which has `kind()` and `outcome()`.
pub struct PublishError<E> {
    error: Error,
    prepared: Box<Prepared<E>>,
}

impl<E> PublishError<E> {
    pub(super) fn new(error: Error, prepared: Prepared<E>) -> Self {
        Self {
            error,
            prepared: Box::new(prepared),
        }
    }

    /// The event with its id and time.
    pub fn prepared(&self) -> &Prepared<E> {
        &self.prepared
    }

    /// Returns the event, to publish it again.
    pub fn into_prepared(self) -> Prepared<E> {
        *self.prepared
    }

    /// Returns the error without the event.
    pub fn into_error(self) -> Error {
        self.error
    }
}

impl<E> Deref for PublishError<E> {
    type Target = Error;

    fn deref(&self) -> &Error {
        &self.error
    }
}

impl<E> From<PublishError<E>> for Error {
    fn from(error: PublishError<E>) -> Self {
        error.error
    }
}

impl<E> fmt::Display for PublishError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<E> fmt::Debug for PublishError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishError")
            .field("error", &self.error)
            .field("prepared", &self.prepared)
            .finish()
    }
}

impl<E> std::error::Error for PublishError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

//! `PublishError`: a failed publish, its kind and outcome, and the prepared event to publish
//! again.

use std::fmt;

use event_sdk_core::shown::Shown;
use event_sdk_core::transport::{Error, ErrorKind, Outcome};

use super::Prepared;

/// A failed publish, with the prepared event. If you publish this event again, the stream
/// recognizes the duplicate.
///
/// `?` converts a `PublishError` to its [`Error`], and drops the event. `Display` shows the subject
/// and the kind. The [`source`](std::error::Error::source) is that [`Error`], which shows the
/// reason.
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

    /// The error of the transport or of the event, with its operation, subject and stream.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The kind. A program can match on it.
    pub fn kind(&self) -> &ErrorKind {
        self.error.kind()
    }

    /// Whether the event may have been stored.
    pub fn outcome(&self) -> Outcome {
        self.error.outcome()
    }

    /// Whether the same publish may succeed later.
    pub fn is_transient(&self) -> bool {
        self.error.is_transient()
    }

    /// Returns the error without the event.
    pub fn into_error(self) -> Error {
        self.error
    }
}

impl<E> From<PublishError<E>> for Error {
    fn from(error: PublishError<E>) -> Self {
        error.error
    }
}

/// The most characters of a subject that are shown.
const MAX_SUBJECT: usize = 500;

impl<E> fmt::Display for PublishError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error.subject() {
            Some(subject) => write!(f, "{}", Shown(subject, MAX_SUBJECT))?,
            None => f.write_str("the event")?,
        }
        f.write_str(match self.error.outcome() {
            Outcome::NotDone => " was not published: ",
            Outcome::Unknown => " may not have been published: ",
        })?;
        self.error.kind().fmt(f)
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
        Some(&self.error)
    }
}

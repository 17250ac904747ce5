//! The error of everything that a bus and a transport do.

use std::fmt;

use super::{Capability, Difference, Exhausted, Gap};
use crate::shown::Shown;
use crate::text::Text;

/// What failed, at what, why, and what to do about it.
///
/// `Display` says all of that in one line and does not repeat
/// [`source`](std::error::Error::source). What a server or a caller wrote is escaped in
/// it where it would act on a terminal, and cut where it is very long.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Operation,
    subject: Option<Text>,
    stream: Option<Text>,
    consumer: Option<Text>,
    outcome: Outcome,
    reason: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure it is: what a program decides by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A subject, pattern, prefix or key is not well formed.
    InvalidSubject,
    /// A header, a trace context or a message id cannot travel.
    InvalidHeader,
    /// An option or a configuration contradicts itself, or a limit.
    InvalidOption,
    /// The event cannot be written.
    Encode,
    /// The message is larger than the transport or the stream takes.
    TooLarge {
        /// How many bytes it has.
        size: usize,
        /// How many it may have.
        limit: usize,
    },
    /// No stream stores the subject.
    NoStream,
    /// There is no stream of that name.
    StreamNotFound,
    /// The stream is full and refuses what is new.
    StreamFull,
    /// The stream has moved on from what the publish expected.
    WrongLastSequence {
        /// The last sequence that it has, where the transport says.
        last: Option<u64>,
    },
    /// A consumer of this name exists and would lose or misread messages, or cannot be
    /// changed to be as it is applied.
    ConsumerMismatch {
        /// In what it differs.
        differences: Vec<Difference>,
    },
    /// There is no consumer of that name, or it was deleted.
    ConsumerNotFound,
    /// The stream dropped messages before the subscription had read them.
    Gap(Gap),
    /// Messages that no stream has came faster than they were read, and were dropped.
    Dropped {
        /// How many.
        messages: u64,
    },
    /// A message was delivered as often as the consumer allows.
    Exhausted(Exhausted),
    /// The answer did not come in time.
    Timeout,
    /// The bus or the transport was closed, or is being drained.
    Closed,
    /// There is no connection to a server.
    Disconnected,
    /// The server does not know the credentials, or they have expired.
    Unauthenticated,
    /// A secure connection cannot be made: a certificate is not trusted, not for
    /// this server, expired, or missing.
    Tls,
    /// The server does not allow it to these credentials.
    PermissionDenied,
    /// The transport cannot do it.
    Unsupported(Capability),
    /// Something else in the transport; see the source.
    Other,
}

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Configuring a bus or a transport.
    Configure,
    /// Publishing.
    Publish,
    /// Subscribing, or receiving.
    Subscribe,
    /// Settling a delivery.
    Settle,
    /// Reading history, or the state of a stream.
    Read,
    /// Changing streams or consumers.
    Manage,
    /// Closing.
    Close,
}

/// Whether what failed may have been done all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing has changed.
    NotDone,
    /// It may have been done: try again with the same event, whose id is the same.
    Unknown,
}

impl Error {
    /// An error that changed nothing.
    pub fn new(kind: ErrorKind, operation: Operation, reason: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            subject: None,
            stream: None,
            consumer: None,
            outcome: Outcome::NotDone,
            reason: reason.into(),
            source: None,
        }))
    }

    /// That a transport lacks a capability; `needed` says what would have it.
    pub fn unsupported(capability: Capability, operation: Operation, needed: &str) -> Self {
        Self::new(
            ErrorKind::Unsupported(capability),
            operation,
            format!("{capability} is not supported here; {needed}"),
        )
    }

    /// That everything has ended.
    pub fn closed(operation: Operation) -> Self {
        Self::new(ErrorKind::Closed, operation, "the transport was closed")
    }

    /// The same, about a subject or pattern.
    #[must_use]
    pub fn at_subject(mut self, subject: impl fmt::Display) -> Self {
        self.0.subject = Some(subject.to_string().into());
        self
    }

    /// The same, about a stream.
    #[must_use]
    pub fn at_stream(mut self, stream: impl Into<Text>) -> Self {
        self.0.stream = Some(stream.into());
        self
    }

    /// The same, about a consumer.
    #[must_use]
    pub fn at_consumer(mut self, consumer: impl Into<Text>) -> Self {
        self.0.consumer = Some(consumer.into());
        self
    }

    /// The same, where it is not known whether it was done.
    #[must_use]
    pub fn with_unknown_outcome(mut self) -> Self {
        self.0.outcome = Outcome::Unknown;
        self
    }

    /// The same, with the error behind it.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What was being done.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// The subject or pattern that it is about.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The stream that it is about.
    pub fn stream(&self) -> Option<&str> {
        self.0.stream.as_deref()
    }

    /// The consumer that it is about.
    pub fn consumer(&self) -> Option<&str> {
        self.0.consumer.as_deref()
    }

    /// Whether it may have been done all the same.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Whether the same call may succeed later with nothing else changed.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Timeout | ErrorKind::Disconnected | ErrorKind::StreamFull
        )
    }
}

/// The most characters of a name in a message: as many bytes as the longest subject has.
const MAX_NAME: usize = 640;

/// The most characters of a reason in a message. A server's description is part of it.
const MAX_REASON: usize = 2000;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.write_str(match inner.operation {
            Operation::Configure => "configure",
            Operation::Publish => "publish",
            Operation::Subscribe => "subscribe",
            Operation::Settle => "settle",
            Operation::Read => "read",
            Operation::Manage => "manage",
            Operation::Close => "close",
        })?;
        for (what, name) in [
            ("", &inner.subject),
            ("stream ", &inner.stream),
            ("consumer ", &inner.consumer),
        ] {
            if let Some(name) = name {
                write!(f, " {what}{}", Shown(name, MAX_NAME))?;
            }
        }
        write!(f, ": {}", Shown(&inner.reason, MAX_REASON))?;
        if inner.outcome == Outcome::Unknown {
            f.write_str(" (it may have been done all the same)")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.to_string())
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_escaped_and_cut() {
        let evil = format!("\u{1b}[31m\r\n\u{9b}\u{202e}{}", "x".repeat(1_000_000));
        let error = Error::new(ErrorKind::Other, Operation::Manage, evil.clone())
            .at_stream(&evil)
            .at_consumer(&evil)
            .at_subject(&evil)
            .with_unknown_outcome();
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(text.len() < 10_000, "{} bytes", text.len());
            for c in ['\u{1b}', '\r', '\n', '\u{9b}', '\u{202e}'] {
                assert!(!text.contains(c), "{text:?}");
            }
        }
        assert!(error.to_string().starts_with("manage \\u{1b}[31m\\r\\n"));
        // The whole is there for a program.
        assert_eq!(error.stream(), Some(&*evil));
    }

    #[test]
    fn an_error_says_all_in_one_line() {
        let error = Error::new(
            ErrorKind::NoStream,
            Operation::Publish,
            "no stream stores it",
        )
        .at_subject("events.orders.order.placed")
        .at_stream("ORDERS")
        .at_consumer("billing");
        assert_eq!(
            error.to_string(),
            "publish events.orders.order.placed stream ORDERS consumer billing: no stream stores it"
        );
    }
}

//! `Error`, `ErrorKind`, `Operation` and `Outcome`: the error type of the bus and of every
//! transport.

mod words;

use std::fmt;

use super::{Capability, Difference};
use crate::shown::Shown;
use crate::text::Text;

/// The error of a bus or transport. It contains the operation that failed, the kind, the subject,
/// stream, consumer or bucket, and the reason. The reason often says what to do.
///
/// `Display` prints one line and does not repeat [`source`](std::error::Error::source). In text
/// from servers or callers, control characters of terminals are escaped. Very long text is
/// shortened.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: Operation,
    subject: Option<Text>,
    stream: Option<Text>,
    consumer: Option<Text>,
    bucket: Option<Text>,
    outcome: Outcome,
    reason: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an [`Error`]. A program can match on it. `Display` describes the kind in words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A subject, pattern, prefix or key is malformed, or a filter matches no subject of the stream
    /// or set.
    InvalidSubject,
    /// A header, trace context or message id is invalid.
    InvalidHeader,
    /// An option or configuration is invalid, contradicts another one, or exceeds a limit.
    InvalidOption,
    /// The event cannot be encoded.
    Encode,
    /// The message is larger than the limit of the bus, the transport or the stream.
    TooLarge {
        /// Size in bytes.
        size: usize,
        /// Limit in bytes.
        limit: usize,
    },
    /// No stream stores the subject.
    NoStream,
    /// The stream does not exist.
    StreamNotFound,
    /// A stream of this name exists. A restore creates a stream, and never replaces one.
    StreamExists,
    /// A snapshot is damaged, incomplete, of another stream or kind, or of a newer server.
    InvalidSnapshot,
    /// The stream is full and refuses new messages.
    StreamFull,
    /// The stream does not allow its messages to be deleted, purged or
    /// [rolled up](super::RollUp).
    DeletionDenied,
    /// The last sequence is not the sequence that the publish expected.
    WrongLastSequence {
        /// The actual last sequence, if known.
        last: Option<u64>,
    },
    /// The bucket does not exist.
    BucketNotFound,
    /// The entry does not have the revision that a write expected; see
    /// [`Coordination`](super::Coordination).
    WrongRevision {
        /// The revision of the key's last write, if known; that write may be a deletion.
        last: Option<u64>,
    },
    /// A consumer of this name exists, but its settings cannot be used: messages would be lost or
    /// misread, or `apply` cannot change a setting to the declared value.
    ConsumerMismatch {
        /// The settings that differ.
        differences: Vec<Difference>,
    },
    /// There is no consumer of that name, or it was deleted.
    ConsumerNotFound,
    /// The stream went back to an older state, but its consumer did not. The consumer would never
    /// deliver new messages with sequences up to its position.
    StreamWentBack {
        /// The sequence up to which the consumer has delivered messages.
        position: u64,
        /// The last sequence of the stream.
        last: u64,
    },
    /// The operation did not complete in time.
    Timeout,
    /// The bus or the transport was closed, or is being drained.
    Closed,
    /// There is no connection to a server.
    Disconnected,
    /// The server does not accept the credentials, or they have expired.
    Unauthenticated,
    /// No TLS connection can be made. For example, a certificate is missing, expired, not trusted,
    /// or names another server.
    Tls,
    /// The user lacks a permission on the server.
    PermissionDenied,
    /// No transport is configured, or the configured transport refuses every operation.
    NotConfigured,
    /// The transport or server lacks a capability.
    Unsupported(Capability),
    /// Any other error of the transport; see its source.
    Other,
}

/// The operation that failed.
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
    /// Changing streams, consumers or buckets.
    Manage,
    /// Reading and writing entries of a bucket.
    Coordinate,
    /// Scheduling messages, and cancelling and listing them.
    Schedule,
    /// Closing.
    Close,
}

/// Whether a failed operation may have succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The operation had no effect.
    NotDone,
    /// The operation may have succeeded. To retry a publish, use the same prepared event: its id
    /// stays the same, so the stream recognizes a duplicate.
    Unknown,
}

impl Error {
    /// An error of an operation that had no effect.
    pub fn new(kind: ErrorKind, operation: Operation, reason: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            subject: None,
            stream: None,
            consumer: None,
            bucket: None,
            outcome: Outcome::NotDone,
            reason: reason.into(),
            source: None,
        }))
    }

    /// The error about a missing capability. `needed` is the end of the message. It says what
    /// provides the capability, for example a newer server.
    pub fn unsupported(capability: Capability, operation: Operation, needed: &str) -> Self {
        Self::new(
            ErrorKind::Unsupported(capability),
            operation,
            format!("{capability} is not supported here; {needed}"),
        )
    }

    /// The error of a closed transport.
    pub fn closed(operation: Operation) -> Self {
        Self::new(ErrorKind::Closed, operation, "the transport was closed")
    }

    /// The error of an operation that is refused during a [drain](super::Transport::drain).
    pub fn draining(operation: Operation) -> Self {
        Self::new(
            ErrorKind::Closed,
            operation,
            "the transport is being drained, which leaves only publishing, scheduling, settling and coordination",
        )
    }

    /// Adds the subject or pattern.
    #[must_use]
    pub fn at_subject(mut self, subject: impl fmt::Display) -> Self {
        self.0.subject = Some(subject.to_string().into());
        self
    }

    /// Adds the stream.
    #[must_use]
    pub fn at_stream(mut self, stream: impl Into<Text>) -> Self {
        self.0.stream = Some(stream.into());
        self
    }

    /// Adds the consumer.
    #[must_use]
    pub fn at_consumer(mut self, consumer: impl Into<Text>) -> Self {
        self.0.consumer = Some(consumer.into());
        self
    }

    /// Adds the bucket of a [`Coordination`](super::Coordination) operation.
    #[must_use]
    pub fn at_bucket(mut self, bucket: impl Into<Text>) -> Self {
        self.0.bucket = Some(bucket.into());
        self
    }

    /// Marks the outcome as unknown.
    #[must_use]
    pub fn with_unknown_outcome(mut self) -> Self {
        self.0.outcome = Outcome::Unknown;
        self
    }

    /// Adds the source.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The operation that failed.
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// The subject or pattern, if known.
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The stream, if known.
    pub fn stream(&self) -> Option<&str> {
        self.0.stream.as_deref()
    }

    /// The consumer, if known.
    pub fn consumer(&self) -> Option<&str> {
        self.0.consumer.as_deref()
    }

    /// The bucket, if known.
    pub fn bucket(&self) -> Option<&str> {
        self.0.bucket.as_deref()
    }

    /// Whether the operation may have succeeded.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// Whether the same call may succeed later, without a change to the call.
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
            Operation::Coordinate => "coordinate",
            Operation::Schedule => "schedule",
            Operation::Close => "close",
        })?;
        for (what, name) in [
            ("", &inner.subject),
            ("stream ", &inner.stream),
            ("consumer ", &inner.consumer),
            ("bucket ", &inner.bucket),
        ] {
            if let Some(name) = name {
                write!(f, " {what}{}", Shown(name, MAX_NAME))?;
            }
        }
        write!(f, ": {}", Shown(&inner.reason, MAX_REASON))?;
        if inner.outcome == Outcome::Unknown {
            f.write_str(" (the operation may have succeeded)")?;
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

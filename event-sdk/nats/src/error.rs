//! Maps errors of JetStream's API, of async-nats and of missing replies to `ErrorKind`, in one
//! place; has the text of a denied publish.

pub(super) mod code;

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::pending_replies::NoReply;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// What was being done, and at what: what every error of a request says.
#[derive(Debug, Clone)]
pub(super) struct ErrorContext {
    pub(super) operation: Operation,
    pub(super) stream: Option<Text>,
    pub(super) consumer: Option<Text>,
}

impl ErrorContext {
    pub(super) fn new(operation: Operation) -> Self {
        Self {
            operation,
            stream: None,
            consumer: None,
        }
    }

    pub(super) fn stream(mut self, stream: impl Into<Text>) -> Self {
        self.stream = Some(stream.into());
        self
    }

    pub(super) fn consumer(mut self, consumer: impl Into<Text>) -> Self {
        self.consumer = Some(consumer.into());
        self
    }

    /// An error about it.
    pub(super) fn error(&self, kind: ErrorKind, reason: impl Into<String>) -> Error {
        self.on(Error::new(kind, self.operation, reason))
    }

    /// The same error, about it.
    pub(super) fn on(&self, mut error: Error) -> Error {
        if let Some(stream) = &self.stream {
            error = error.at_stream(stream.clone());
        }
        if let Some(consumer) = &self.consumer {
            error = error.at_consumer(consumer.clone());
        }
        error
    }
}

/// An error in an answer of JetStream.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ApiError {
    /// Which error it is: nats-server's `server/errors.json`.
    #[serde(default)]
    pub(super) err_code: u64,
    /// What the server says.
    #[serde(default)]
    pub(super) description: String,
}

/// Reads an answer of the JetStream API: what was asked for, or an error. An `error` that cannot be
/// read is no answer.
pub(super) fn response<T: DeserializeOwned>(
    answer: &[u8],
) -> Result<Result<T, ApiError>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        error: Option<ApiError>,
    }
    match serde_json::from_slice(answer)? {
        Head { error: Some(error) } => Ok(Err(error)),
        Head { error: None } => serde_json::from_slice(answer).map(Ok),
    }
}

impl ApiError {
    /// The error of the SDK.
    pub(super) fn into_error(self, about: &ErrorContext) -> Error {
        let (kind, advice) = code::kind(self.err_code, &self.description);
        about.error(kind, self.reason(advice))
    }

    /// What the server says, and what to do about it.
    pub(super) fn reason(&self, advice: &str) -> String {
        let Self {
            err_code,
            description,
        } = self;
        match advice {
            "" => format!("the server says: {description} (error {err_code})"),
            _ => format!("the server says: {description} (error {err_code}); {advice}"),
        }
    }

    /// Whether it is one of these errors.
    pub(super) fn is(&self, codes: &[u64]) -> bool {
        codes.contains(&self.err_code)
    }

    /// Whether the same may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        code::kind(self.err_code, &self.description).0 == ErrorKind::Timeout
    }

    /// The last sequence in `wrong last sequence: 41`.
    pub(super) fn last_sequence(&self) -> Option<u64> {
        code::last_sequence(&self.description)
    }
}

impl NoReply {
    /// The error of what got no answer `within` this time; `to` is where it was sent, and
    /// `inbox` what the subjects begin with where answers come.
    pub(super) fn error(
        self,
        operation: Operation,
        to: impl fmt::Display,
        inbox: &str,
        within: Duration,
    ) -> Error {
        let error = match self {
            Self::Late => Error::new(
                ErrorKind::Timeout,
                operation,
                format!(
                    "the server has not answered within {within:?}; try again, with the same id if it is a publish"
                ),
            )
            .with_unknown_outcome(),
            Self::Denied => Error::new(
                ErrorKind::PermissionDenied,
                operation,
                "this user may not publish to this subject; grant the permission on the server",
            ),
            Self::Deaf => Error::new(
                ErrorKind::PermissionDenied,
                operation,
                Self::deafness(inbox),
            )
            .with_unknown_outcome(),
            Self::Closed => Error::closed(operation).with_unknown_outcome(),
            Self::NotSent => Error::new(
                ErrorKind::Disconnected,
                operation,
                "the connection did not take the message",
            ),
        };
        match self {
            Self::Denied => error.at_subject(to),
            _ => error,
        }
    }

    /// That answers cannot be heard.
    pub(super) fn deafness(inbox: &str) -> String {
        format!(
            "this user may not subscribe to {inbox}.>, where replies arrive; grant the permission on the server, or name the `inbox_prefix` that it may use"
        )
    }
}

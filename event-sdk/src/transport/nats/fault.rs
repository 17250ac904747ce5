//! What servers and async-nats call errors, as errors of this SDK: the one
//! place where they are told apart.

use serde::Deserialize;

use crate::text::Text;
use crate::transport::{Error, ErrorKind, Operation};

/// What was being done, and at what: what every error of a request says.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) operation: Operation,
    pub(super) stream: Option<Text>,
    pub(super) consumer: Option<Text>,
}

impl About {
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
        let mut error = Error::new(kind, self.operation, reason);
        if let Some(stream) = &self.stream {
            error = error.at_stream(stream.clone());
        }
        if let Some(consumer) = &self.consumer {
            error = error.at_consumer(consumer.clone());
        }
        error
    }
}

/// An error in an answer of the JetStream API.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ApiError {
    /// The status, as HTTP has them.
    #[serde(default)]
    pub(super) code: u16,
    /// Which error it is: nats-server's `errors.json`.
    #[serde(default)]
    pub(super) err_code: u64,
    /// What the server says.
    #[serde(default)]
    pub(super) description: String,
}

/// The codes of errors that are told apart (nats-server, `server/errors.json`).
pub(super) mod code {
    pub(crate) const CONSUMER_NOT_FOUND: u64 = 10014;
    pub(crate) const STREAM_NOT_FOUND: u64 = 10059;
    pub(crate) const JETSTREAM_NOT_ENABLED: u64 = 10076;
    pub(crate) const JETSTREAM_NOT_ENABLED_FOR_ACCOUNT: u64 = 10039;
    pub(crate) const CLUSTER_NOT_AVAILABLE: u64 = 10008;
}

impl ApiError {
    /// The error of the SDK.
    pub(super) fn into_error(self, about: &About) -> Error {
        let (kind, hint) = match self.err_code {
            code::STREAM_NOT_FOUND => (ErrorKind::StreamNotFound, ""),
            code::CONSUMER_NOT_FOUND => (ErrorKind::ConsumerNotFound, ""),
            code::JETSTREAM_NOT_ENABLED | code::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => (
                ErrorKind::Other,
                "; enable JetStream for this account, or name the domain that has it",
            ),
            code::CLUSTER_NOT_AVAILABLE => (ErrorKind::Timeout, "; try again"),
            _ => (ErrorKind::Other, ""),
        };
        about.error(
            kind,
            format!(
                "the server says: {} (error {}){hint}",
                self.description, self.err_code
            ),
        )
    }
}

/// An answer of the JetStream API: what was asked for, or an error.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Response<T> {
    Err { error: ApiError },
    Ok(T),
}

/// Why no connection came to be.
pub(super) fn connecting(error: async_nats::ConnectError) -> Error {
    let kind = match error.kind() {
        async_nats::ConnectErrorKind::TimedOut => ErrorKind::Timeout,
        async_nats::ConnectErrorKind::AuthorizationViolation
        | async_nats::ConnectErrorKind::Authentication => ErrorKind::Denied,
        _ => ErrorKind::Disconnected,
    };
    Error::new(
        kind,
        Operation::Configure,
        format!("cannot connect to NATS: {}", error.kind()),
    )
    .with_source(error)
}

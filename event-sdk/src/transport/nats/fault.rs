//! What servers and async-nats call errors, as errors of this SDK: the one
//! place where they are told apart.

pub(super) mod code;

use std::io;

use async_nats::rustls::{self, CertificateError};
use async_nats::{ConnectError, ConnectErrorKind, ServerError};
use serde::Deserialize;

use super::answers::NoAnswer;
use super::options::{Servers, Tls};
use super::outbox::Limits;
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

/// An answer of the JetStream API: what was asked for, or an error.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Response<T> {
    Err { error: ApiError },
    Ok(T),
}

impl ApiError {
    /// The error of the SDK.
    pub(super) fn into_error(self, about: &About) -> Error {
        let (kind, advice) = code::kind(self.err_code, &self.description);
        about.error(kind, self.reason(advice))
    }

    /// What the server says, and what to do about it.
    fn reason(&self, advice: &str) -> String {
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

impl NoAnswer {
    /// The error of what got no answer.
    pub(super) fn error(self, operation: Operation, limits: Limits) -> Error {
        match self {
            Self::Late => Error::new(
                ErrorKind::Timeout,
                operation,
                format!(
                    "the server has not answered within {:?}; try again, with the same id if it is a publish",
                    limits.ack
                ),
            )
            .with_unknown_outcome(),
            Self::Denied => Error::new(
                ErrorKind::Denied,
                operation,
                "this user may not publish to the subject that it takes; grant the permission on the server",
            ),
            Self::Deaf => Error::new(
                ErrorKind::Denied,
                operation,
                "this user may not subscribe to the inbox where answers come; grant it `<inbox prefix>.>`, or set the prefix that it may use",
            )
            .with_unknown_outcome(),
            Self::Closed => Error::closed(operation).with_unknown_outcome(),
            Self::NotSent => Error::new(
                ErrorKind::Disconnected,
                operation,
                "the connection did not take the message",
            ),
        }
    }
}

/// Why no connection came to be.
pub(super) fn connecting(error: ConnectError, servers: &Servers, tls: &Tls) -> Error {
    let (kind, reason) = match error.kind() {
        ConnectErrorKind::AuthorizationViolation => (
            ErrorKind::Authentication,
            "the server does not take the credentials",
        ),
        ConnectErrorKind::Authentication => (
            ErrorKind::Authentication,
            "the credentials cannot be shown to the server",
        ),
        ConnectErrorKind::Tls => (ErrorKind::Tls, "no secure connection can be made"),
        ConnectErrorKind::TimedOut => (
            ErrorKind::Timeout,
            "the server did not answer within the connect timeout",
        ),
        ConnectErrorKind::Dns => (
            ErrorKind::Disconnected,
            "the name of the server cannot be resolved",
        ),
        _ => behind(&error, tls),
    };
    Error::new(
        kind,
        Operation::Configure,
        format!("cannot connect to {servers:?}: {reason}"),
    )
    .with_source(error)
}

/// What is behind an error of input or output.
fn behind(error: &ConnectError, tls: &Tls) -> (ErrorKind, &'static str) {
    let unreachable = (
        ErrorKind::Disconnected,
        "no server can be reached there; is it running?",
    );
    let Some(source) = std::error::Error::source(error) else {
        return unreachable;
    };
    if let Some(error) = source.downcast_ref::<ServerError>() {
        let text = error.to_string().to_ascii_lowercase();
        return if ["authentication", "authorization", "account", "user"]
            .iter()
            .any(|word| text.contains(word))
        {
            (
                ErrorKind::Authentication,
                "the server does not take the credentials",
            )
        } else {
            (ErrorKind::Disconnected, "the server refuses the connection")
        };
    }
    let error = source.downcast_ref::<io::Error>();
    let secure = error
        .and_then(io::Error::get_ref)
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match secure {
        Some(rustls::Error::AlertReceived(_)) => (
            ErrorKind::Tls,
            if tls.has_certificate() {
                "the server refuses the client certificate, or another part of the secure connection"
            } else {
                "the server refuses the secure connection; it may want a client certificate"
            },
        ),
        Some(rustls::Error::InvalidCertificate(why)) => (ErrorKind::Tls, certificate(why)),
        Some(_) => (ErrorKind::Tls, "no secure connection can be made"),
        None => unreachable,
    }
}

/// What is wrong with a server's certificate.
fn certificate(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired; renew it"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another host; connect by a name that it has"
        }
        _ => "the server's certificate is not trusted; name its authority with `ca_file`",
    }
}

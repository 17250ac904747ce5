//! Why a message is no event of the wanted set.

use std::fmt;

use crate::event::{DataError, DataErrorKind};

/// What kind of failure to decode it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The body is no envelope.
    Malformed,
    /// The body is larger than this program takes.
    TooLarge,
    /// No event of the set has this subject.
    UnknownSubject,
    /// The envelope's type is not the type of the event with this subject.
    TypeMismatch,
    /// The data were written by a newer major version than this program knows:
    /// not poison, but too early. Put the message back with a delay.
    Newer,
    /// The data were written by an older major version, and no upcaster leads
    /// from it to this one.
    Older,
    /// The data do not fit the event.
    Data,
    /// A codec could not undo what another put in (a key is missing, say).
    Codec,
}

/// Why a message is no event of the wanted set. It knows neither subject nor
/// body; a delivery adds them.
#[derive(Debug)]
pub struct DecodeFault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: DecodeErrorKind,
    reason: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DecodeFault {
    /// A fault with its reason.
    pub fn new(kind: DecodeErrorKind, reason: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            reason: reason.into(),
            source: None,
        }))
    }

    /// The same fault with the error that it comes from.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }
}

impl From<DataError> for DecodeFault {
    fn from(error: DataError) -> Self {
        let kind = match error.kind() {
            DataErrorKind::Malformed => DecodeErrorKind::Data,
            DataErrorKind::Newer => DecodeErrorKind::Newer,
            DataErrorKind::Older => DecodeErrorKind::Older,
        };
        let mut fault = Self::new(kind, error.to_string());
        // The text of `error` is the reason already: only what is behind it is kept.
        fault.0.source = error.into_source();
        fault
    }
}

impl fmt::Display for DecodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl std::error::Error for DecodeFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

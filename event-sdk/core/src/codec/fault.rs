//! `DecodeFault` and its kinds: why a message is not an event of the requested set.

use std::fmt;

use crate::event::{DataError, DataErrorKind};
use crate::json::JsonError;
use crate::shown::Shown;

/// The kind of a decode error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The body is not an envelope.
    Malformed,
    /// The body is larger than this program's limit.
    TooLarge,
    /// No event of the set has this subject.
    UnknownSubject,
    /// The envelope's type does not belong to the subject.
    TypeMismatch,
    /// The data has a newer major version than this program supports. The event is valid: give it
    /// back with a delay (`Delivery::refuse`), for an instance of a newer version.
    Newer,
    /// The data has an older major version, and there is no upcaster for it.
    Older,
    /// The data does not match the event.
    Data,
    /// A codec could not reverse the encoding, for example because a key is missing.
    Codec,
}

/// The error of a message that is not an event of the wanted set. It contains neither subject nor
/// body; a delivery adds them.
///
/// `Display`, `Debug` and the sources show no data: only the path, and the expected and the found
/// kind of value. [`expose`](Self::expose) returns the whole text of the error.
pub struct DecodeFault(Box<Inner>);

struct Inner {
    kind: DecodeErrorKind,
    reason: String,
    path: String,
    /// With values of the event.
    exposed: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DecodeFault {
    /// An error with a reason, which must contain no event data, because it is displayed.
    pub fn new(kind: DecodeErrorKind, reason: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            reason: reason.into(),
            path: String::new(),
            exposed: None,
            source: None,
        }))
    }

    /// That what was read is not the JSON that was wanted.
    pub(crate) fn of_json(kind: DecodeErrorKind, what: &str, why: &JsonError) -> Self {
        let mut fault = Self::new(kind, format!("{what}: {why}"));
        why.path().clone_into(&mut fault.0.path);
        fault.0.exposed = Some(why.expose().to_owned());
        fault
    }

    /// The same fault with what is said of the event, with its values.
    pub(crate) fn exposing(mut self, text: &str) -> Self {
        self.0.exposed = Some(text.to_owned());
        self
    }

    /// Adds a source, which must contain no event data.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// The path of the value that does not match, such as `items[2].price`; `None` if the path is
    /// unknown, or if the data as a whole does not match.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        (!self.0.path.is_empty()).then_some(&*self.0.path)
    }

    /// The message of the JSON reader, a type or an upcaster, **which may contain event data** and
    /// so personal data. Do not log it. `None` if `Display` already shows the whole message.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.0.exposed.as_deref()
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
        let path = error.path().unwrap_or_default();
        path.clone_into(&mut fault.0.path);
        fault.0.exposed = error.expose().map(str::to_owned);
        fault
    }
}

impl fmt::Display for DecodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be the reason of another library.
        Shown(&self.0.reason, 2000).fmt(f)
    }
}

impl fmt::Debug for DecodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeFault")
            .field("kind", &self.0.kind)
            .field("reason", &self.0.reason)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for DecodeFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

//! `DecodeFault` and its kinds: why a message is not an event of the requested set.

use std::fmt;

use crate::event::{DataError, DataErrorKind};
use crate::json::JsonError;
use crate::shown::Shown;

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
///
/// Neither `Display` nor `Debug` nor a source shows a value of the event: the path, what
/// was expected and what kind of value was found say where to look. What types say of
/// the value itself is in [`expose`](Self::expose).
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
    /// A fault with its reason, which is shown wherever the fault is and so names no
    /// value of the event.
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

    /// The same fault with the error that it comes from, which shows no value of the
    /// event.
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

    /// Where in the data the value stands that does not fit, as `items[2].price`; `None`
    /// if that is not known, or it is the whole.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        (!self.0.path.is_empty()).then_some(&*self.0.path)
    }

    /// What the reader, a type or an upcaster says of the event, **with its values**,
    /// which may be personal data; `None` if nobody said more than `Display` does. It is
    /// for eyes that may see the event, and for no log.
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

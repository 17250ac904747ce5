//! An event behind a pointer, and an event from the bytes of its data.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::{Event, EventSpec};
use crate::envelope::Version;
use crate::json::{self, EncodeError, WriteJson};

/// An event whose type is not known here: it can say its spec, write its data
/// as JSON, and be taken back by whoever knows the type.
///
/// This is how a transport carries a value that it may or may not have to
/// encode. Implemented for every [`Event`].
pub trait ErasedEvent: WriteJson + Any + Send + Sync {
    /// The constants of the event.
    fn spec(&self) -> &'static EventSpec;

    /// The value, to be asked for its type.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<E: Event> ErasedEvent for E {
    fn spec(&self) -> &'static EventSpec {
        &E::SPEC
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<E: Event> WriteJson for E {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        json::write_value(self, out)
    }
}

impl fmt::Debug for dyn ErasedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ErasedEvent")
            .field(&self.spec().name())
            .finish()
    }
}

/// Makes an event from the JSON of its data, which was written as version `found`.
///
/// An older major passes the event's upcasters; a newer major is refused, since
/// what it means is not known here.
///
/// # Errors
///
/// [`DataError`] with the reason.
pub fn decode_data<E: Event>(found: Version, data: &[u8]) -> Result<E, DataError> {
    let known = E::SPEC.version();
    match found.major().cmp(&known.major()) {
        std::cmp::Ordering::Equal => json::read_value(data).map_err(|source| DataError {
            kind: DataErrorKind::Malformed,
            reason: format!("the data are no {} {known}", E::SPEC.name()),
            source: Some(Box::new(source)),
        }),
        std::cmp::Ordering::Less => E::from_older(found, data),
        std::cmp::Ordering::Greater => Err(DataError {
            kind: DataErrorKind::Newer,
            reason: format!(
                "version {found} of {} is newer than {known}, the newest that this program knows; deploy a consumer that knows it",
                E::SPEC.subject()
            ),
            source: None,
        }),
    }
}

/// Why data are no event of the wanted type.
#[derive(Debug)]
pub struct DataError {
    kind: DataErrorKind,
    reason: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of [`DataError`] it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataErrorKind {
    /// The data do not fit the event, or the upcaster refused them.
    Malformed,
    /// They were written by a newer major version than the type's.
    Newer,
    /// They were written by an older major version, from which no way leads here.
    Older,
}

impl DataError {
    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> DataErrorKind {
        self.kind
    }

    /// What is behind it.
    #[must_use]
    pub fn into_source(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        self.source
    }

    pub(crate) fn no_upcaster(spec: &EventSpec, found: Version) -> Self {
        Self {
            kind: DataErrorKind::Older,
            reason: format!(
                "there is no way from version {found} to {} of {}; name the older type with `upcast_from`",
                spec.version(),
                spec.subject()
            ),
            source: None,
        }
    }

    pub(crate) fn refused_upcast(
        spec: &EventSpec,
        from: &EventSpec,
        why: impl fmt::Display,
    ) -> Self {
        Self {
            kind: DataErrorKind::Malformed,
            reason: format!(
                "{} could not be made from {}: {why}",
                spec.name(),
                from.name()
            ),
            source: None,
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

//! `ErasedEvent`: an event behind `dyn`, for hand-over without encoding; and `decode_data`,
//! which reads an event from JSON data and upcasts older versions.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::{Event, EventSpec, Readable};
use crate::envelope::Version;
use crate::json::{self, EncodeError, WriteJson};

/// An event of an unknown type: it provides its spec, encodes its data as JSON, and can be
/// downcast.
///
/// Transports pass values without encoding in this form. Implemented for every [`Event`].
pub trait ErasedEvent: WriteJson + Any + Send + Sync {
    /// The constants of the event.
    fn spec(&self) -> &'static EventSpec;

    /// The key of the event, as [`Readable::key`] returns it. The other name avoids a conflict of
    /// the two methods.
    fn event_key(&self) -> Option<&dyn fmt::Display>;

    /// The value as [`Any`], for a downcast.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<E: Event> ErasedEvent for E {
    fn spec(&self) -> &'static EventSpec {
        &E::SPEC
    }

    fn event_key(&self) -> Option<&dyn fmt::Display> {
        self.key()
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<E: Event> WriteJson for E {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        json::write_value(self, out)
    }

    #[cfg(feature = "read-back")]
    fn __read_back(&self, written: &[u8]) -> Option<Result<Vec<u8>, json::ReadBackError>> {
        let read = json::read_value::<E>(written).map_err(json::ReadBackError::Read);
        Some(read.and_then(|event| {
            let mut out = Vec::new();
            let again = json::write_value(&event, &mut out);
            again.map(|()| out).map_err(json::ReadBackError::Written)
        }))
    }
}

impl fmt::Debug for dyn ErasedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ErasedEvent")
            .field(&self.spec().name())
            .finish()
    }
}

/// Decodes an event from JSON data that was written as version `found`.
///
/// Data of an older major is converted by the event's upcasters; a newer major is refused.
///
/// # Errors
///
/// [`DataError`] with kind and reason.
pub fn decode_data<E: Readable>(found: Version, data: &[u8]) -> Result<E, DataError> {
    let known = E::SPEC.version();
    match found.major().cmp(&known.major()) {
        std::cmp::Ordering::Equal => json::read_value(data).map_err(|why| DataError {
            kind: DataErrorKind::Malformed,
            reason: format!("the data are no {} {known}: {why}", E::SPEC.name()),
            path: why.path().to_owned(),
            exposed: Some(why.expose().to_owned()),
        }),
        std::cmp::Ordering::Less => E::from_older(found, data),
        std::cmp::Ordering::Greater => Err(DataError {
            kind: DataErrorKind::Newer,
            reason: format!(
                "version {found} of {} is newer than {known}, the newest that this program knows; deploy a consumer that knows it",
                E::SPEC.subject()
            ),
            path: String::new(),
            exposed: None,
        }),
    }
}

/// The error of data that could not be decoded as an event of the wanted type.
///
/// `Display` and `Debug` show no data: only the path, and the expected and the found kind of value.
/// [`expose`](Self::expose) returns the whole text of the error.
pub struct DataError {
    kind: DataErrorKind,
    reason: String,
    path: String,
    /// With values of the event.
    exposed: Option<String>,
}

/// The kind of a [`DataError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataErrorKind {
    /// The data does not match the event, or the upcaster refused it.
    Malformed,
    /// The data has a newer major version than the type.
    Newer,
    /// The data has an older major version, and there is no conversion.
    Older,
}

impl DataError {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> DataErrorKind {
        self.kind
    }

    /// The path of the value that does not match, such as `items[2].price`; `None` if the path is
    /// unknown, or if the data as a whole does not match.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        (!self.path.is_empty()).then_some(&*self.path)
    }

    /// The message of the JSON reader, a type or the upcaster, **which may contain event data** and
    /// so personal data. Do not log it. `None` if `Display` already shows the whole message.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.exposed.as_deref()
    }

    pub(crate) fn no_upcaster(spec: &EventSpec, found: Version) -> Self {
        Self {
            kind: DataErrorKind::Older,
            reason: format!(
                "there is no way from version {found} to {} of {}; name the older type with `upcast_from`",
                spec.version(),
                spec.subject()
            ),
            path: String::new(),
            exposed: None,
        }
    }

    /// What the conversion says may show values, so it is kept apart.
    pub(crate) fn refused_upcast(spec: &EventSpec, from: &EventSpec, why: String) -> Self {
        Self {
            kind: DataErrorKind::Malformed,
            reason: format!(
                "{} could not be made from {}; its conversion refuses the event",
                spec.name(),
                from.name()
            ),
            path: String::new(),
            exposed: Some(why),
        }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl fmt::Debug for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataError")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for DataError {}

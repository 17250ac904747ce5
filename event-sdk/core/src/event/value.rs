//! `ErasedEvent`: an event behind `dyn`, for hand-over without encoding; and `decode_data`,
//! which reads an event from JSON data and upcasts older versions.

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

/// Why data are no event of the wanted type.
///
/// Neither `Display` nor `Debug` shows a value: the path, what was expected and what kind
/// of value was found say where to look. What types say of the value itself is in
/// [`expose`](Self::expose).
pub struct DataError {
    kind: DataErrorKind,
    reason: String,
    path: String,
    /// With values of the event.
    exposed: Option<String>,
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

    /// Where in the data the value stands that does not fit, as `items[2].price`; `None`
    /// if that is not known, or it is the whole.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        (!self.path.is_empty()).then_some(&*self.path)
    }

    /// What the reader, a type or the upcaster says of the data, **with their values**,
    /// which may be personal data; `None` if nobody said more than `Display` does. It is
    /// for eyes that may see the event, and for no log.
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

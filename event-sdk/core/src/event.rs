//! The `Event` and `Readable` traits, and the data types that an event may have.

pub(crate) mod spec;
pub(crate) mod upcast;
mod value;
mod value_head;

pub use spec::{EventSpec, KeyUse};
pub use value::{DataError, DataErrorKind, ErasedEvent, decode_data};
pub use value_head::ValueHeader;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::upcast::Upcast;
use crate::envelope::Version;
use crate::json::WriteJson;

/// An event that can be published: it is [`Readable`], and its data can be serialized.
///
/// Implement it with `#[derive(Event)]`, never by hand: the derive checks the subject at compile
/// time, and implements [`Readable`] too. An event that a service only receives derives `Readable`
/// alone.
///
/// ```
/// use event_sdk_core::{Event, Readable};
/// use serde::{Deserialize, Serialize};
///
/// /// A flight has left its gate.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "flights", entity = "flight", action = "departed", version = "1.0")]
/// struct FlightDeparted {
///     #[event(key)]
///     flight: String,
///     delay_minutes: i32,
/// }
///
/// assert_eq!(FlightDeparted::SPEC.subject(), "flights.flight.departed");
/// assert_eq!(FlightDeparted::SPEC.event_type(), "flight.departed");
/// assert_eq!(FlightDeparted::SPEC.description(), "A flight has left its gate.");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event that can be published",
    label = "not an event, or one that is only received",
    note = "derive it on the struct: `#[derive(Event, Serialize, Deserialize)] #[event(domain = \"…\")]`",
    note = "a struct that derives `Readable` is only received, and may lack `Serialize`: to publish it, derive `Event` in place of `Readable`, and `Serialize`",
    note = "a set is not published: each event has a publisher of its own"
)]
pub trait Event: Readable + WritableData {}

/// An event that can be received: its constants, and how its data is decoded. It can be a member of
/// an [`EventSet`](crate::EventSet).
///
/// Every [`Event`] is readable. For an event that a service only receives, derive `Readable`
/// instead of `Event`, with the same attributes; the event needs no `Serialize`. It can be
/// subscribed to, be in a set and be read from history, but not be published.
///
/// ```
/// use event_sdk_core::Readable;
/// use serde::Deserialize;
///
/// /// The fields of another team's event that this service reads.
/// #[derive(Readable, Deserialize)]
/// #[event(domain = "flights")]
/// struct FlightDeparted {
///     #[event(key)]
///     flight: String,
/// }
///
/// assert_eq!(FlightDeparted::SPEC.subject(), "flights.flight.departed");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "derive it on the struct: `#[derive(Event, Serialize, Deserialize)] #[event(domain = \"…\")]`, or `#[derive(Readable, Deserialize)]` if this program only receives it",
    note = "to take several events at once, name an enum that derives `EventSet`"
)]
pub trait Readable: ReadableData {
    /// The constants of this event: subject, type, version and others.
    const SPEC: EventSpec;

    /// Converts the event to its JSON writer; `None` if the type is only received. Not public
    /// interface: the derive of `Event` sets it.
    #[doc(hidden)]
    const __AS_JSON: Option<fn(&Self) -> &dyn WriteJson> = None;

    /// The event's key, which identifies an entity; `None` without a field marked `#[event(key)]`.
    /// A publisher writes it to the envelope as
    /// [`metadata.key`](crate::envelope::Metadata::key), so it has at most 255 bytes.
    ///
    /// Events of one key are stored in order. A redelivered event can arrive after later events of
    /// its key. A handler that needs the order should compare a version in the event with the
    /// version in its own state.
    fn key(&self) -> Option<&dyn fmt::Display> {
        None
    }

    /// Converts data of an older major version into this event.
    ///
    /// The derive overrides it if `upcast_from` names the previous version.
    ///
    /// # Errors
    ///
    /// [`DataError`] if there is no conversion from version `found`, the data does not match that
    /// version, or the conversion refuses it.
    fn from_older(found: Version, data: &[u8]) -> Result<Self, DataError> {
        let _ = data;
        Err(DataError::no_upcaster(&Self::SPEC, found))
    }

    /// Converts data of this version or an older one into the next version of the event. Not
    /// public interface: the derive of the next version calls it. (A function outside the trait
    /// would repeat the compiler error about a type that is not an event.)
    #[doc(hidden)]
    fn __upcast<N: Readable + Upcast<Self>>(found: Version, data: &[u8]) -> Result<N, DataError> {
        let previous = decode_data::<Self>(found, data)?;
        N::upcast(previous).map_err(|why| DataError::refused_upcast(&N::SPEC, &Self::SPEC, why))
    }
}

/// The bounds on the data type of a received event. Every type that meets them implements this
/// trait.
pub trait ReadableData: DeserializeOwned + Send + Sync + 'static {}

impl<T: DeserializeOwned + Send + Sync + 'static> ReadableData for T {}

/// The bounds on the data type of a published event, in addition to those of [`ReadableData`].
/// Every type that meets them implements this trait.
pub trait WritableData: Serialize {}

impl<T: Serialize> WritableData for T {}

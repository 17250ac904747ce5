//! The `Event` trait, and the data types that an event may have.

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

/// A struct that is published and received: something that happened.
///
/// Implemented by `#[derive(Event)]`, never by hand: the derive checks every
/// token while compiling.
///
/// ```
/// use event_sdk_core::Event;
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
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "derive it on the struct: `#[derive(Event, Serialize, Deserialize)] #[event(domain = \"…\")]`",
    note = "to take several events at once, name an enum that derives `EventSet`"
)]
pub trait Event: EventData {
    /// The constants of this event: subject, type, version and so on.
    const SPEC: EventSpec;

    /// What must stay in order together with this event; `None` if it has no
    /// field marked `#[event(key)]`.
    fn key(&self) -> Option<&dyn fmt::Display> {
        None
    }

    /// Makes this event from the data of an older major version.
    ///
    /// The derive overrides it when `upcast_from` names the previous version.
    ///
    /// # Errors
    ///
    /// [`DataError`] when there is no way from `found` to this version, when
    /// the data are no such event, or when the conversion refuses them.
    fn from_older(found: Version, data: &[u8]) -> Result<Self, DataError> {
        let _ = data;
        Err(DataError::no_upcaster(&Self::SPEC, found))
    }

    /// Makes the next version of this event from data that are of this one, or
    /// older. Not public interface: the derive of the next version calls it. (A function
    /// beside the trait would say twice that a type is no event.)
    #[doc(hidden)]
    fn __upcast<N: Event + Upcast<Self>>(found: Version, data: &[u8]) -> Result<N, DataError> {
        let previous = decode_data::<Self>(found, data)?;
        N::upcast(previous).map_err(|why| DataError::refused_upcast(&N::SPEC, &Self::SPEC, why))
    }
}

/// What a struct must be to be an event: written and read, and fit to go to
/// any thread and stay there. Every type that is, has it.
pub trait EventData: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> EventData for T {}

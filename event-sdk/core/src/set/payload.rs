//! `Payload`: types that a variant of a set may hold (an event or `Arc` of one, `RawEvent` for
//! `other`).

use std::any::Any;
use std::sync::Arc;

use super::opened::write_value;
use super::{Content, Opened, RawEvent};
use crate::codec::{DecodeErrorKind, DecodeFault};
use crate::envelope::Version;
use crate::event::{ErasedEvent, EventSpec, Readable, decode_data};

/// An event, or an `Arc` of one: what a variant of a set holds.
///
/// With an `Arc`, a handed-over value is received without a copy. Otherwise the value has to be
/// encoded and decoded, because the stream keeps it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "each variant of a set holds one event, or an `Arc` of one",
    note = "derive `Event` on the struct that the variant holds, or `Readable` if this program only receives it",
    note = "what the set does not know goes into a variant marked `#[event(other)]`, which holds a `RawEvent`"
)]
pub trait Payload: Sized + Send + 'static {
    /// The event.
    type Event: Readable;

    /// The constants of the event.
    const SPEC: &'static EventSpec = &<Self::Event as Readable>::SPEC;

    /// Converts a decoded event.
    fn from_event(event: Self::Event) -> Self;

    /// Converts a handed-over event.
    ///
    /// # Errors
    ///
    /// Returns the event if it would have to be copied.
    fn from_shared(event: Arc<Self::Event>) -> Result<Self, Arc<Self::Event>>;

    /// Decodes the event of a message that has the event's subject, and makes a variant of it.
    ///
    /// # Errors
    ///
    /// [`DecodeFault`] if the type, version or data is not the event's.
    fn decode<S>(opened: &Opened<'_>, variant: fn(Self) -> S) -> Result<S, DecodeFault> {
        decode_member(opened).map(variant)
    }
}

// Without this the compiler would speak of `Readable` where a variant is wrong.
#[diagnostic::do_not_recommend]
impl<E: Readable> Payload for E {
    type Event = E;

    fn from_event(event: E) -> Self {
        event
    }

    fn from_shared(event: Arc<E>) -> Result<Self, Arc<E>> {
        Arc::try_unwrap(event)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Readable> Payload for Arc<E> {
    type Event = E;

    fn from_event(event: E) -> Self {
        Self::new(event)
    }

    fn from_shared(event: Self) -> Result<Self, Self> {
        Ok(event)
    }
}

/// Reads the data as the event that `P` holds; the subject has been compared.
///
/// # Errors
///
/// [`DecodeFault`] when type, version or data are not the event's.
pub(super) fn decode_member<P: Payload>(opened: &Opened<'_>) -> Result<P, DecodeFault> {
    let spec = P::SPEC;
    if opened.event_type() != spec.event_type() {
        return Err(DecodeFault::new(
            DecodeErrorKind::TypeMismatch,
            format!(
                "the envelope says event_type {:?}, but {} is {:?}; one of publisher and consumer has the wrong subject or type",
                shorten(opened.event_type()),
                spec.subject(),
                spec.event_type()
            ),
        ));
    }
    match opened.content() {
        Content::Encoded(head, data) => Ok(P::from_event(decode_data(head.version, data)?)),
        Content::Value(_, event) => take_value(opened.version(), event),
    }
}

/// Takes a value that was handed over: as it is if it is the wanted type and
/// need not be copied, else by writing and reading it. A type that is only received never is
/// the one that was published.
fn take_value<P: Payload>(
    version: Version,
    value: &Arc<dyn ErasedEvent>,
) -> Result<P, DecodeFault> {
    let any: &dyn Any = &**value;
    if any.is::<P::Event>()
        && let Ok(event) = Arc::clone(value).into_any().downcast::<P::Event>()
        && let Ok(payload) = P::from_shared(event)
    {
        return Ok(payload);
    }
    Ok(P::from_event(decode_data(
        version,
        &write_value(&**value)?,
    )?))
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The type that an `#[event(other)]` variant holds.
#[diagnostic::on_unimplemented(
    message = "the `other` variant of a set cannot hold `{Self}`",
    label = "write `RawEvent` here",
    note = "what the set does not know arrives as it is, in a `RawEvent`"
)]
pub trait OtherPayload: Sized {
    /// Converts the event.
    fn from_raw(raw: RawEvent) -> Self;
}

impl OtherPayload for RawEvent {
    fn from_raw(raw: RawEvent) -> Self {
        raw
    }
}

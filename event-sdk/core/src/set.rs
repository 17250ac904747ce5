//! `EventSet`: several events as one enum, which a service subscribes to and matches on.

pub(crate) mod check;
mod membership;
mod opened;
pub(crate) mod payload;
mod raw;
pub(crate) mod table;

pub use membership::{Contains, Visit, Visitor};
pub use opened::{Content, Opened};
pub use payload::Payload;
pub use raw::RawEvent;

use self::payload::decode_member;
use crate::codec::DecodeFault;
use crate::event::EventSpec;

/// Several events as one type: an enum of events, or a single event.
///
/// `#[derive(EventSet)]` implements it for an enum whose variants each hold one event, or an `Arc`
/// of one. It is also implemented for every event, for an `Arc` of an event, and for [`RawEvent`],
/// which accepts any event.
///
/// ```
/// use event_sdk_core::{Event, EventSet, RawEvent};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "orders")]
/// struct OrderPlaced { id: u64 }
///
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "orders")]
/// struct OrderPaid { id: u64 }
///
/// #[derive(EventSet)]
/// #[event(pattern = "orders.>")]
/// enum OrderEvents {
///     Placed(OrderPlaced),
///     Paid(OrderPaid),
///     #[event(other)]
///     Other(RawEvent),
/// }
///
/// assert_eq!(OrderEvents::MEMBERS.len(), 2);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an event nor a set of events",
    label = "cannot be subscribed to",
    note = "derive `Event` on a struct, or `Readable` if it is only received, or `EventSet` on an enum of events"
)]
pub trait EventSet: Sized + Send + 'static {
    /// The events of the set, in the order of the variants.
    const MEMBERS: &'static [&'static EventSpec];

    /// The relative pattern that the set declares, if any.
    const PATTERN: Option<&'static str>;

    /// Whether the set accepts unknown events that [`PATTERN`](Self::PATTERN) matches.
    const TAKES_OTHER: bool;

    /// Decodes the event in `opened` as a variant of the set.
    ///
    /// # Errors
    ///
    /// [`DecodeFault`] if no event of the set has the subject, or if type, version or data do not
    /// match.
    fn decode(opened: &Opened<'_>) -> Result<Self, DecodeFault>;

    /// Reads the events of the variants, so that the compiler does not call them unused in a set
    /// that only names the events of a consumer.
    #[doc(hidden)]
    fn __sdk_read(&self) {}
}

// Without this the compiler would speak of `Payload` where a set is wanted.
#[diagnostic::do_not_recommend]
impl<P: Payload> EventSet for P {
    const MEMBERS: &'static [&'static EventSpec] = &[P::SPEC];
    const PATTERN: Option<&'static str> = None;
    const TAKES_OTHER: bool = false;

    fn decode(opened: &Opened<'_>) -> Result<Self, DecodeFault> {
        if opened.is(P::SPEC) {
            decode_member(opened)
        } else {
            Err(opened.unknown_subject())
        }
    }
}

impl EventSet for RawEvent {
    const MEMBERS: &'static [&'static EventSpec] = &[];
    const PATTERN: Option<&'static str> = Some(">");
    const TAKES_OTHER: bool = true;

    fn decode(opened: &Opened<'_>) -> Result<Self, DecodeFault> {
        opened.to_raw()
    }
}

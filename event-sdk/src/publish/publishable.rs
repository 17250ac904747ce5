//! `Publishable`: which argument types a publisher accepts (an event, an `Arc` of it, a
//! prepared event).

use std::fmt;
use std::sync::Arc;

use event_sdk_core::Event;

use super::Prepared;

/// Types that can be published as an `E`: the event, an `Arc` of it, or a prepared event, by
/// value or by reference.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be published as the event `{E}`",
    label = "not the event `{E}`, an `Arc` of one, or one that was prepared",
    note = "each event has a publisher of its own: `bus.publisher::<{Self}>()`",
    note = "a struct becomes an event by `#[derive(Event, Serialize, Deserialize)] #[event(domain = \"…\")]`",
    note = "a struct that derives `Readable` is only received, and of a set each event is published by itself"
)]
pub trait IntoPublishable<E> {
    /// Converts into a new or prepared event.
    fn into_publishable(self) -> Publishable<E>;
}

/// An event to be published: new or prepared.
///
/// A new event gets its id and time when it is sent, so that event and transport use the same
/// [`Reading`](crate::time::Reading) of the clock.
pub enum Publishable<E> {
    /// Without id and time.
    New(Arc<E>),
    /// With id and time.
    Prepared(Prepared<E>),
}

#[diagnostic::do_not_recommend]
impl<E: Event> IntoPublishable<E> for Publishable<E> {
    fn into_publishable(self) -> Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> IntoPublishable<E> for E {
    fn into_publishable(self) -> Publishable<E> {
        Publishable::New(Arc::new(self))
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> IntoPublishable<E> for Arc<E> {
    fn into_publishable(self) -> Publishable<E> {
        Publishable::New(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> IntoPublishable<E> for Prepared<E> {
    fn into_publishable(self) -> Publishable<E> {
        Publishable::Prepared(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event> IntoPublishable<E> for &Prepared<E> {
    fn into_publishable(self) -> Publishable<E> {
        Publishable::Prepared(self.clone())
    }
}

impl<E> fmt::Debug for Publishable<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New(_) => f.write_str("New"),
            Self::Prepared(prepared) => prepared.fmt(f),
        }
    }
}

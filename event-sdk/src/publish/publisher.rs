//! `Publisher<E>` for one event type and `PublisherSet<S>` for the events of one set.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use event_sdk_core::transport::Error;
use event_sdk_core::{Contains, Event, EventSet, Subject};
use jiff::Timestamp;

use super::dispatch::Dispatch;
use super::later::When;
use super::{IntoPublishable, Prepared, Publish, PublishAll, PublishLater};
use crate::bus::EventBus;

/// Publishes events of the type `E`.
///
/// Keep a publisher and reuse it, because it computes the subject only once.
pub struct Publisher<E> {
    dispatch: Dispatch<E>,
}

impl<E: Event> Publisher<E> {
    pub(super) fn new(bus: EventBus) -> Self {
        Self {
            dispatch: Dispatch::new(bus),
        }
    }

    /// Publishes an event. Await the result: nothing is published before that. When the future
    /// completes with `Ok`, the event is stored.
    ///
    /// Takes the event, an `Arc` of it, or a [prepared](Self::prepare) event. An event that is not
    /// prepared gets its id and time when the result is first polled, or when an option first
    /// changes its envelope.
    pub fn publish(&self, event: impl IntoPublishable<E>) -> Publish<'_, E> {
        Publish::new(&self.dispatch, event.into_publishable())
    }

    /// Publishes an event at a later time, by the clock of the transport. Await the result: when
    /// the future completes with `Ok`, the event is scheduled. A time in the past counts as now.
    /// [`PublishLater`] describes the requirements and guarantees of a schedule.
    /// [`EventBus::schedules`] cancels and lists scheduled events.
    ///
    /// ```
    /// use event_sdk::{Event, EventBus};
    /// use serde::{Deserialize, Serialize};
    ///
    /// /// It is time to check in.
    /// #[derive(Event, Serialize, Deserialize)]
    /// #[event(domain = "flights", entity = "check_in", action = "opened")]
    /// struct CheckInOpened { #[event(key)] flight: String }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bus = EventBus::memory();
    /// let opened = CheckInOpened { flight: "UA1545".into() };
    /// let scheduled = bus
    ///     .publisher::<CheckInOpened>()
    ///     .publish_at(opened, "2127-03-01T08:00:00Z".parse()?)
    ///     .await?;
    /// assert!(!scheduled.replaced());
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish_at(
        &self,
        event: impl IntoPublishable<E>,
        time: Timestamp,
    ) -> PublishLater<'_, E> {
        PublishLater::new(&self.dispatch, event.into_publishable(), When::At(time))
    }

    /// Publishes an event after a delay; see [`publish_at`](Self::publish_at). The delay begins
    /// when the result is first polled, and is measured by the clock of the bus.
    pub fn publish_after(
        &self,
        event: impl IntoPublishable<E>,
        delay: Duration,
    ) -> PublishLater<'_, E> {
        PublishLater::new(&self.dispatch, event.into_publishable(), When::After(delay))
    }

    /// Fixes an event's id and time without publishing it.
    pub fn prepare(&self, event: impl IntoPublishable<E>) -> Prepared<E> {
        self.dispatch.prepare(event.into_publishable())
    }

    /// Publishes several events in their order, without waiting for one confirmation before the
    /// next event is sent.
    pub fn publish_all<I>(&self, events: I) -> PublishAll<'_, E, I::IntoIter>
    where
        I: IntoIterator<Item: IntoPublishable<E>>,
    {
        PublishAll::new(&self.dispatch, events.into_iter())
    }

    pub(super) fn dispatch(&self) -> &Dispatch<E> {
        &self.dispatch
    }

    /// The bus of this publisher.
    #[must_use]
    pub fn bus(&self) -> &EventBus {
        self.dispatch.bus()
    }

    /// The subject of `event`, including its key if the event declares `in_subject`.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](crate::ErrorKind::InvalidSubject) if the subject or the escaped key is
    /// too long or malformed.
    pub fn subject_of(&self, event: &E) -> Result<Subject, Error> {
        self.dispatch.subject_of(event)
    }
}

impl<E> Clone for Publisher<E> {
    fn clone(&self) -> Self {
        Self {
            dispatch: self.dispatch.clone(),
        }
    }
}

impl<E> fmt::Debug for Publisher<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("subject", &self.dispatch.subject)
            .finish_non_exhaustive()
    }
}

/// A factory of publishers restricted to the events of the set `S`.
///
/// ```compile_fail
/// # use event_sdk::{Event, EventBus, EventSet};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced;
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "flights")]
/// # struct FlightDeparted;
/// #[derive(EventSet)]
/// enum Published { Placed(OrderPlaced) }
///
/// let out = EventBus::memory().publisher_set::<Published>();
/// out.publisher::<FlightDeparted>(); // `FlightDeparted` is not an event of the set `Published`
/// ```
pub struct PublisherSet<S> {
    bus: EventBus,
    set: PhantomData<fn(S)>,
}

impl<S: EventSet> PublisherSet<S> {
    pub(super) fn new(bus: EventBus) -> Self {
        Self {
            bus,
            set: PhantomData,
        }
    }

    /// Returns a publisher for `E`, an event of the set.
    #[must_use]
    pub fn publisher<E: Event>(&self) -> Publisher<E>
    where
        S: Contains<E>,
    {
        self.bus.publisher()
    }
}

impl<S> Clone for PublisherSet<S> {
    fn clone(&self) -> Self {
        Self {
            bus: self.bus.clone(),
            set: PhantomData,
        }
    }
}

impl<S> fmt::Debug for PublisherSet<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublisherSet")
            .field("bus", &self.bus)
            .finish()
    }
}

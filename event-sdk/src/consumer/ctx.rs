//! `Ctx`: what a handler knows about its event, and what it can do: publish, keep the event alive,
//! notice the end of the service.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::transport::{DeliveryInfo, Error};
use event_sdk_core::{EnvelopeHeader, Event, EventSet};

use super::held::Held;
use super::publish::PublishFrom;
use crate::bus::EventBus;
use crate::cause::{AsCause, Cause};
use crate::dead_letters::Redriven;
use crate::message::{DecodeError, Message};
use crate::partition::OwnerEpoch;
use crate::publish::IntoPublishable;
use crate::raw::Untyped;

/// The context of one attempt to handle an event. A clone is the same context.
#[derive(Clone)]
pub struct Ctx {
    held: Arc<Held>,
    attempt: u32,
}

impl Ctx {
    pub(super) fn new(held: Arc<Held>, attempt: u32) -> Self {
        Self { held, attempt }
    }

    /// The envelope of the event, without the data.
    pub fn envelope(&self) -> &EnvelopeHeader {
        self.held.envelope()
    }

    /// The number of this attempt, starting at one: how many times a handler was started for the
    /// event, this start included. A start that ended in an outage does not count. A delivery for
    /// which no handler was started does not count either.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Decodes the event again. `T` is the type of the event, or a set that contains the event.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the message is no event of `T`.
    pub fn decode<T: EventSet>(&self) -> Result<T, DecodeError> {
        self.message().decode_as::<T>()
    }

    /// The subject, headers and bytes of the event.
    #[must_use]
    pub fn message(&self) -> &Message<Untyped> {
        self.held.delivery()
    }

    /// The stream of the event; `None` on a transport without streams.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.info().stream.as_deref()
    }

    /// The sequence of the event in its stream; `None` on a transport without streams.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.info().sequence
    }

    /// When the message was stored in its stream; `None` on a transport without streams. A redriven
    /// event has the time of its redrive.
    #[must_use]
    pub fn stored_at(&self) -> Option<jiff::Timestamp> {
        self.info().stored_at
    }

    /// The redrive of the event, if it was a dead letter: its origin, its number, and the person or
    /// program that sent it again.
    #[must_use]
    pub fn redriven(&self) -> Option<&Redriven> {
        self.held.redriven()
    }

    /// The ownership in which the event is handled, if the consumer has
    /// [one owner](super::Consumer::single_active).
    #[must_use]
    pub fn epoch(&self) -> Option<OwnerEpoch> {
        self.held.shared().owner
    }

    /// Whether the consumer handles this event and `earlier` in the order of their stream. This is
    /// the case if both have the same key and stream, and the consumer is [ordered by
    /// key](super::Consumer::ordered_by_key). For a redriven event, the original stream of the
    /// event counts.
    #[must_use]
    pub fn is_in_order_with(&self, earlier: &Self) -> bool {
        let order = |ctx: &Self| {
            let key = ctx.held.key()?.to_owned();
            let stream = match ctx.redriven() {
                Some(redriven) => Some(redriven.origin.stream.to_string()),
                None => ctx.stream().map(str::to_owned),
            };
            Some((stream, key))
        };
        order(self).is_some_and(|mine| Some(mine) == order(earlier))
    }

    /// Tells the consumer that an earlier delivery of the event was handled, and that this delivery
    /// had no effect. When the event is acknowledged, it then counts as
    /// [`done_before`](super::ConsumerReport::done_before) and not as `handled`. Handlers with an
    /// [inbox](super::Inbox) call this method.
    pub fn note_done_before(&self) {
        self.held.note_done_before();
    }

    /// The name of the consumer.
    #[must_use]
    pub fn consumer(&self) -> &str {
        &self.held.shared().name
    }

    /// The bus of the consumer. Events that are published directly through the bus inherit nothing
    /// from this event; see [`publish`](Self::publish).
    #[must_use]
    pub fn bus(&self) -> &EventBus {
        &self.held.shared().bus
    }

    /// Publishes an event that this event caused. The published event inherits the correlation id
    /// and the trace of this event, has the id of this event as its causation id, and takes over
    /// the metadata that [`inherit_metadata`](super::Consumer::inherit_metadata) names.
    ///
    /// The id of the published event is computed from this event, the consumer, the type, and the
    /// number of events of this type that the attempt has already published. A repeated attempt
    /// therefore publishes events with the same ids, and the stream drops the duplicates within its
    /// duplicate window. If a handler publishes different events in each attempt, use
    /// [`fresh_id`](PublishFrom::fresh_id).
    ///
    /// To publish an event later, schedule it on the [bus](Self::bus) with
    /// [`publish_at`](crate::Publisher::publish_at) and `caused_by(&ctx)`: a repeated attempt replaces
    /// the waiting event of the same key.
    ///
    /// Await the result to know that the event is stored.
    pub fn publish<E: Event>(&self, event: impl IntoPublishable<E>) -> PublishFrom<E> {
        PublishFrom::new(Arc::clone(&self.held), event.into_publishable())
    }

    /// Restarts the ack wait of the event.
    ///
    /// The consumer does this automatically while a handler runs. Call this method only in a
    /// handler that has no [time limit](super::Consumer::handler_timeout) and runs longer than the
    /// consumer [keeps events alive](super::Consumer::keep_alive_for).
    ///
    /// Not cancel-safe: after dropping the future, the ack wait may have been restarted or not.
    ///
    /// # Errors
    ///
    /// The errors of [`Delivery::in_progress`](crate::Delivery::in_progress).
    pub async fn in_progress(&self) -> Result<(), Error> {
        self.held.delivery().in_progress().await
    }

    /// Whether the consumer replays old events ([`Consumer::replay`](super::Consumer::replay)). A
    /// handler should then leave out effects on other systems, such as sending mail.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.held.shared().replay
    }

    /// Whether the consumer is ending. The handler must end within the consumer's [drain
    /// time](super::Consumer::drain_within).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.held.shared().ending.borrow()
    }

    /// Completes when the consumer begins to end. A long handler can wait for it, and return a
    /// [retry](super::Failure::retry) early.
    ///
    /// Cancel-safe.
    pub async fn cancelled(&self) {
        let mut ending = self.held.shared().ending.subscribe();
        // The sender lives as long as this context.
        let _ = ending.wait_for(|ending| *ending).await;
    }

    /// The [time limit](super::Consumer::handler_timeout) of one attempt; `None` if there is no
    /// limit.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.held.shared().handler_timeout
    }

    fn info(&self) -> &DeliveryInfo {
        self.held.delivery().info()
    }
}

impl AsCause for Ctx {
    fn as_cause(&self) -> Option<Cause> {
        self.held.delivery().as_cause()
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("consumer", &self.consumer())
            .field("attempt", &self.attempt)
            .field("info", self.info())
            .finish_non_exhaustive()
    }
}

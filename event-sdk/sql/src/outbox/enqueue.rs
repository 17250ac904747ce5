//! `Enqueue`: one event to be stored in an outbox, with its options.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk::{AsCause, Event, LooseId, Prepared, Publishable};
use event_sdk_store::outbox::OutboxMessage;
use event_sdk_store::{StoreError, StoreErrorKind};
use jiff::Timestamp;

use super::{NoEvent, Outbox};
use crate::database::Store;

/// Stores one event: set options, then await it. [`Outbox::enqueue`] and [`Tx::publish`](crate::Tx::publish)
/// return it.
///
/// Not cancel-safe: if the future is dropped, the row may or may not be in the transaction, so roll
/// the transaction back.
///
/// Awaiting it fails with [`Event`](StoreErrorKind::Event) if the event cannot be encoded,
/// [`InvalidOption`](StoreErrorKind::InvalidOption) for options that contradict each other, and the
/// errors of the [database](crate::store_error).
#[must_use = "nothing is stored until this is awaited"]
pub struct Enqueue<'c, DB: Store, E> {
    outbox: Outbox<DB>,
    connection: &'c mut DB::Connection,
    target: Target<DB, E>,
    not_before: Option<NotBefore>,
    cancel_key: Option<Text>,
}

/// The event, or the message without a Rust type, that is stored.
enum Target<DB: Store, E> {
    Event(Publishable<E>, Encode<DB, E>),
    Message(OutboxMessage),
}

/// Encodes an event by the bus of the outbox.
type Encode<DB, E> = fn(&Outbox<DB>, Publishable<E>) -> Result<OutboxMessage, StoreError>;

enum NotBefore {
    At(Timestamp),
    After(Duration),
}

impl<'c, DB: Store, E> Enqueue<'c, DB, E> {
    fn new(outbox: Outbox<DB>, connection: &'c mut DB::Connection, target: Target<DB, E>) -> Self {
        Self {
            outbox,
            connection,
            target,
            not_before: None,
            cancel_key: None,
        }
    }

    /// Publishes the event at this time, and not earlier. If the time has passed, it is published
    /// at once. The order of its key does not apply to such an event.
    ///
    /// A running relay publishes the event at most [`idle_poll`](crate::Relay::idle_poll) after
    /// this time. The time in the envelope is the time of the enqueue.
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(NotBefore::At(time));
        self
    }

    /// Publishes the event after this delay, by the clock of the bus; see
    /// [`not_before`](Self::not_before).
    pub fn after(mut self, delay: Duration) -> Self {
        self.not_before = Some(NotBefore::After(delay));
        self
    }

    /// Sets the name by which the event can be [cancelled](Outbox::cancel) until its time has come.
    /// Several events may have the same name. Requires [`not_before`](Self::not_before) or
    /// [`after`](Self::after).
    pub fn cancel_key(mut self, key: impl Into<Text>) -> Self {
        self.cancel_key = Some(key.into());
        self
    }

    fn delay(
        outbox: &Outbox<DB>,
        not_before: Option<&NotBefore>,
    ) -> Result<Option<Timestamp>, StoreError> {
        match not_before {
            None => Ok(None),
            Some(NotBefore::At(time)) => Ok(Some(*time)),
            Some(NotBefore::After(delay)) => {
                let now = outbox.bus().clock().now();
                now.checked_add(*delay).map(Some).map_err(|_| {
                    StoreError::new(
                        StoreErrorKind::InvalidOption,
                        format!("{delay:?} from now is later than a timestamp can be"),
                    )
                })
            }
        }
    }

    async fn store(
        outbox: Outbox<DB>,
        connection: &'c mut DB::Connection,
        mut message: OutboxMessage,
        not_before: Option<NotBefore>,
        cancel_key: Option<Text>,
    ) -> Result<Enqueued, StoreError> {
        if let Some(time) = Self::delay(&outbox, not_before.as_ref())? {
            message.not_before = Some(time);
        }
        if cancel_key.is_some() {
            message.cancel_key = cancel_key;
        }
        if message.cancel_key.is_some() && message.not_before.is_none() {
            return Err(StoreError::new(
                StoreErrorKind::InvalidOption,
                "an event with a cancel key needs `not_before` or `after`: others are on their way as soon as they are committed",
            ));
        }
        let enqueued = Enqueued {
            message_id: message.message_id.clone(),
        };
        let inner = outbox.inner();
        DB::insert(connection, &inner.statements, message, inner.named).await?;
        inner.wake.inserted();
        Ok(enqueued)
    }
}

impl<'c, DB: Store> Enqueue<'c, DB, NoEvent> {
    pub(super) fn message(
        outbox: Outbox<DB>,
        connection: &'c mut DB::Connection,
        message: OutboxMessage,
    ) -> Self {
        Self::new(outbox, connection, Target::Message(message))
    }
}

impl<'c, DB: Store, E: Event> Enqueue<'c, DB, E> {
    pub(super) fn event(
        outbox: Outbox<DB>,
        connection: &'c mut DB::Connection,
        event: Publishable<E>,
    ) -> Self {
        let encode: Encode<DB, E> = |outbox, event| {
            let encoded = outbox.bus().publisher::<E>().encode(event)?;
            let mut message = OutboxMessage::from(encoded);
            // The time of the event may be another one.
            message.created_at = outbox.bus().clock().now();
            Ok(message)
        };
        Self::new(outbox, connection, Target::Event(event, encode))
    }

    /// Takes over the correlation id and the trace of the cause, and sets the id of the cause as
    /// causation id. The cause is the `Ctx` of a handler, a delivery or an envelope.
    pub fn caused_by(self, cause: &impl AsCause) -> Self {
        self.change(|prepared| prepared.caused_by(cause))
    }

    /// Sets the correlation id.
    pub fn correlation_id(self, id: impl Into<LooseId>) -> Self {
        self.change(|prepared| prepared.correlation_id(id))
    }

    /// Adds a metadata entry; `key` gives a key to an event without a field marked `#[event(key)]`.
    pub fn metadata(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.change(|prepared| prepared.metadata(name, text))
    }

    /// Sets the time of the event. Default: now.
    pub fn occurred_at(self, instant: Timestamp) -> Self {
        self.change(|prepared| prepared.occurred_at(instant))
    }

    /// Sets the id by which a stream recognizes duplicates. Default: the event's id.
    pub fn message_id(self, id: impl Into<Text>) -> Self {
        self.change(|prepared| prepared.message_id(id))
    }

    /// Changes the prepared event, to set options for which `Enqueue` has no method.
    pub fn change(mut self, change: impl FnOnce(Prepared<E>) -> Prepared<E>) -> Self {
        if let Target::Event(event, encode) = self.target {
            let prepared = self.outbox.bus().publisher::<E>().prepare(event);
            self.target = Target::Event(Publishable::Prepared(change(prepared)), encode);
        }
        self
    }
}

// For every `E`, so that a value that is not an event gets one error, at the value, and not a second one
// at the `await`.
impl<'c, DB: Store, E> IntoFuture for Enqueue<'c, DB, E> {
    type Output = Result<Enqueued, StoreError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        let (outbox, connection) = (self.outbox, self.connection);
        let message = match self.target {
            Target::Message(message) => Ok(message),
            Target::Event(event, encode) => encode(&outbox, event),
        };
        let (not_before, cancel_key) = (self.not_before, self.cancel_key);
        Box::pin(
            async move { Self::store(outbox, connection, message?, not_before, cancel_key).await },
        )
    }
}

impl<DB: Store, E> fmt::Debug for Enqueue<'_, DB, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enqueue")
            .field("outbox", &self.outbox)
            .field("cancel_key", &self.cancel_key.is_some())
            .finish_non_exhaustive()
    }
}

/// An event that was stored in a transaction. The transaction may not have committed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    message_id: Text,
}

impl Enqueued {
    /// The id by which a stream recognizes duplicates: the id of the event, unless another id was
    /// set.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }
}

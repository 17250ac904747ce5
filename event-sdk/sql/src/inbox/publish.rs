//! `PublishInEffect`: publishes an event through the outbox, in the transaction of the effect.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use event_sdk::consumer::PublishFrom;
use event_sdk::text::Text;
use event_sdk::{Event, IntoPublishable};
use event_sdk_store::{StoreError, StoreErrorKind};
use jiff::Timestamp;

use super::Inner;
use super::database::InboxDatabase;
use super::tx::EffectTx;
use crate::{Enqueue, Enqueued, Outbox};

impl<DB: InboxDatabase> EffectTx<DB> {
    /// Publishes an event that the event of this effect causes, through the
    /// [outbox](super::InboxBuilder::outbox) of the inbox. The new event is stored in this
    /// transaction, and published after the commit. Await the result.
    ///
    /// As with [`Ctx::publish`](event_sdk::consumer::Ctx::publish), the new event inherits
    /// correlation id and trace, and its causation id is the id of the handled event. Its own id is
    /// derived from the handled event, the consumer, its type, and how many events of this type the
    /// attempt has published.
    pub fn publish<E: Event>(
        &mut self,
        event: impl IntoPublishable<E>,
    ) -> PublishInEffect<'_, DB, E> {
        PublishInEffect {
            publish: self.ctx().publish(event),
            outbox: self.inner().outbox().cloned(),
            tx: self,
            not_before: None,
            after: None,
            cancel_key: None,
        }
    }
}

impl<DB: InboxDatabase> Inner<DB> {
    fn outbox(&self) -> Option<&Outbox<DB>> {
        self.outbox.as_ref()
    }

    /// Rows of the outbox were committed.
    pub(super) fn wake_relays(&self) {
        if let Some(outbox) = &self.outbox {
            outbox.wake().committed();
        }
    }
}

/// A publish in the transaction of an effect: add options, then await it. [`EffectTx::publish`] returns
/// it.
///
/// Not cancel-safe: if the future is dropped, the row may or may not be in the transaction, so roll
/// the transaction back.
///
/// Awaiting it fails with [`InvalidOption`](StoreErrorKind::InvalidOption) if the inbox has no
/// outbox, and otherwise with the kinds of [`Enqueue`].
#[must_use = "nothing is published until this is awaited"]
pub struct PublishInEffect<'t, DB: InboxDatabase, E> {
    publish: PublishFrom<E>,
    outbox: Option<Outbox<DB>>,
    tx: &'t mut EffectTx<DB>,
    not_before: Option<Timestamp>,
    after: Option<Duration>,
    cancel_key: Option<Text>,
}

impl<DB: InboxDatabase, E: Event> PublishInEffect<'_, DB, E> {
    /// Uses a new id instead of the derived one.
    pub fn fresh_id(mut self) -> Self {
        self.publish = self.publish.fresh_id();
        self
    }

    /// Adds a metadata entry.
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.publish = self.publish.metadata(name, text);
        self
    }

    /// Adds a header. An invalid header makes the publish fail.
    pub fn header(mut self, name: impl Into<Text>, value: impl Into<String>) -> Self {
        self.publish = self.publish.header(name, value);
        self
    }

    /// Sets the time of the event. Default: now.
    pub fn occurred_at(mut self, instant: Timestamp) -> Self {
        self.publish = self.publish.occurred_at(instant);
        self
    }

    /// Publishes the event at this time, and not before; see [`Enqueue::not_before`].
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self
    }

    /// Publishes the event after this delay; see [`Enqueue::after`].
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = Some(delay);
        self
    }

    /// Sets the name by which the event can be cancelled; see [`Enqueue::cancel_key`].
    pub fn cancel_key(mut self, key: impl Into<Text>) -> Self {
        self.cancel_key = Some(key.into());
        self
    }

    async fn store(self) -> Result<Enqueued, StoreError> {
        let Some(outbox) = self.outbox else {
            return Err(StoreError::new(
                StoreErrorKind::InvalidOption,
                "the inbox has no outbox; set one with `InboxBuilder::outbox`",
            ));
        };
        let prepared = self.publish.prepare();
        let mut enqueue: Enqueue<'_, DB, E> = outbox.enqueue(self.tx, prepared);
        if let Some(time) = self.not_before {
            enqueue = enqueue.not_before(time);
        }
        if let Some(delay) = self.after {
            enqueue = enqueue.after(delay);
        }
        if let Some(key) = self.cancel_key {
            enqueue = enqueue.cancel_key(key);
        }
        let enqueued = enqueue.await?;
        Ok(enqueued)
    }
}

impl<'t, DB: InboxDatabase, E: Event> IntoFuture for PublishInEffect<'t, DB, E> {
    type Output = Result<Enqueued, StoreError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 't>>;

    fn into_future(self) -> Self::IntoFuture {
        self.tx.has_published = true;
        Box::pin(self.store())
    }
}

impl<DB: InboxDatabase, E> fmt::Debug for PublishInEffect<'_, DB, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishInEffect")
            .field("tx", &self.tx)
            .field("not_before", &self.not_before)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

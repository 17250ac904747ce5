//! `PublishFrom`: publishes an event from a handler, with a cause, and with an id that a repeated
//! attempt derives again.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use event_sdk_core::Event;
use event_sdk_core::text::Text;
use event_sdk_core::transport::Error;
use uuid::Uuid;

use super::held::Held;
use crate::publish::{Prepared, Publishable, Published};

/// A publish from a handler: add options, then await it. [`Ctx::publish`](super::Ctx::publish)
/// returns it.
///
/// Not cancel-safe: after dropping it, the event may be stored or not. A repeated attempt publishes
/// it again under the same id.
///
/// It fails with the [`Error`] of the publish, without the event. The kinds of errors are the same
/// as for [`Publish`](crate::Publish).
#[must_use = "nothing is published until this is awaited"]
pub struct PublishFrom<E> {
    held: Arc<Held>,
    prepared: Prepared<E>,
    /// What the id derives from; `None` if it is fixed.
    ordinal: Option<u32>,
}

impl<E: Event> PublishFrom<E> {
    pub(super) fn new(held: Arc<Held>, event: Publishable<E>) -> Self {
        let publisher = held.shared().bus.publisher::<E>();
        let (prepared, ordinal) = match event {
            // Its id is the caller's.
            Publishable::Prepared(prepared) => (prepared, None),
            Publishable::New(event) => {
                let ordinal = held.next_ordinal(E::SPEC.subject());
                (publisher.prepare(event), Some(ordinal))
            }
        };
        let names = &held.shared().inherits;
        let prepared = prepared.caused_by(held.delivery());
        // What the bus sets is replaced, what the caller has prepared is not.
        let prepared = prepared.inherit(names, held.envelope(), ordinal.is_some());
        Self {
            held,
            prepared,
            ordinal,
        }
    }

    /// Uses a new id, so that a repeated attempt publishes another event.
    pub fn fresh_id(mut self) -> Self {
        self.ordinal = None;
        self
    }

    /// Adds a metadata entry.
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.prepared = self.prepared.metadata(name, text);
        self
    }

    /// Adds a header. An invalid header makes the publish fail with
    /// [`ErrorKind::InvalidHeader`](crate::ErrorKind::InvalidHeader).
    pub fn header(mut self, name: impl Into<Text>, value: impl Into<String>) -> Self {
        self.prepared.set_header(name.into(), value.into());
        self
    }

    /// Sets the time of the event, truncated to microseconds. Default: now.
    pub fn occurred_at(mut self, instant: jiff::Timestamp) -> Self {
        self.prepared = self.prepared.occurred_at(instant);
        self
    }

    /// Returns the event with its id, time and cause instead of publishing it, for example to write
    /// it to an outbox. Publishing it later repeats the same event.
    pub fn prepare(self) -> Prepared<E> {
        let Self {
            held,
            mut prepared,
            ordinal,
        } = self;
        if let Some(ordinal) = ordinal {
            let cause = held.envelope().event_id;
            let id = derived_id(cause, &held.shared().name, E::SPEC.subject(), ordinal);
            prepared = prepared.with_id(id);
        }
        prepared
    }

    async fn publish(self) -> Result<Published, Error> {
        let publisher = self.held.shared().bus.publisher::<E>();
        Ok(publisher.publish(self.prepare()).await?)
    }
}

/// The id of the event number `ordinal` of this type that `consumer` publishes because of `cause`:
/// a UUID of version 5, over a namespace of this crate.
fn derived_id(cause: Uuid, consumer: &str, subject: &str, ordinal: u32) -> Uuid {
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f0a_5c1e_2b7d_5e43_9a41_d3c8_7be2_90f5);
    let mut name = Vec::with_capacity(16 + consumer.len() + subject.len() + 6);
    name.extend_from_slice(cause.as_bytes());
    // Neither name contains a zero byte.
    name.extend_from_slice(consumer.as_bytes());
    name.push(0);
    name.extend_from_slice(subject.as_bytes());
    name.push(0);
    name.extend_from_slice(&ordinal.to_be_bytes());
    Uuid::new_v5(&NAMESPACE, &name)
}

impl<E: Event> IntoFuture for PublishFrom<E> {
    type Output = Result<Published, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.publish())
    }
}

impl<E> fmt::Debug for PublishFrom<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishFrom")
            .field("prepared", &self.prepared)
            .field("ordinal", &self.ordinal)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_by_each_part_and_repeat_otherwise() {
        let id = |cause, consumer, subject, ordinal| {
            derived_id(Uuid::from_u128(cause), consumer, subject, ordinal)
        };
        let first = id(1, "billing", "orders.order.paid", 0);
        assert_eq!(first, id(1, "billing", "orders.order.paid", 0));
        for other in [
            id(2, "billing", "orders.order.paid", 0),
            id(1, "audit", "orders.order.paid", 0),
            id(1, "billing", "orders.order.sent", 0),
            id(1, "billing", "orders.order.paid", 1),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(first.get_version_num(), 5);
    }
}

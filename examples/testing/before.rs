//! What happened before a program runs, so that it needs all of its permissions.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use event_sdk::dead_letters::{DeadLetter, DeadLetterClass, DeadLetters, Origin};
use event_sdk::{EventBus, EventSet};

/// With the headers of a dead letter, this is more than a message of the server may have.
const LARGE: usize = 1024 * 1024 - 200;

/// A subject of a stream, and consumers of its events that keep dead letters.
pub(crate) struct Unreadable<'a> {
    pub(crate) stream: &'static str,
    pub(crate) relative: &'static str,
    pub(crate) consumers: &'a [&'static str],
    pub(crate) dead_letters: &'static str,
}

impl Unreadable<'_> {
    /// Publishes two events that nothing can read. Of the first one, each consumer has kept its letter already; the
    /// letter of the second one is larger than a message.
    pub(crate) async fn publish(&self, admin: &EventBus) -> anyhow::Result<()> {
        let body = Bytes::from_static(b"?");
        let stored = admin.raw().publish(self.relative, body.clone()).await?;
        let sequence = stored.sequence.context("a sequence")?;
        let large = Bytes::from(vec![b'?'; LARGE]);
        admin.raw().publish(self.relative, large).await?;
        for consumer in self.consumers {
            let subject = format!("{}.{}", admin.prefix(), self.relative);
            let origin = Origin::new(self.stream, sequence, subject, admin.prefix());
            let store = DeadLetters::stream(self.dead_letters).open(admin);
            store.put(&letter(consumer, origin, body.clone())).await?;
        }
        Ok(())
    }
}

/// A letter of an event that cannot be read.
pub(crate) fn letter(consumer: &'static str, origin: Origin, body: Bytes) -> DeadLetter {
    let now = jiff::Timestamp::now();
    DeadLetter::new(consumer, origin, DeadLetterClass::Unreadable, now, body)
}

/// Does not settle the first event of a durable, so that its attempts are recorded.
pub(crate) async fn nak_first<S: EventSet>(
    admin: &EventBus,
    durable: String,
) -> anyhow::Result<()> {
    let events = admin.subscribe::<S>().durable(durable);
    let mut events = events.prefetch(1).await?;
    let first = events.next().await.context("a delivery")??;
    first.nak(Duration::ZERO).await?;
    Ok(())
}

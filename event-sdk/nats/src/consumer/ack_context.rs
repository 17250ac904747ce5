//! `AckContext`: what all deliveries of one subscription share: names for errors, which sequences
//! come again, and who waits until something is settled.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_nats::Subject;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::away::Away;
use super::cumulative::Cumulative;
use super::progress::Progress;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::receiver::Haste;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{AckPolicy, ConsumerConfig, Operation};

/// What the deliveries of one subscription share.
#[derive(Debug)]
pub(super) struct AckContext {
    pub(super) context: Arc<NatsContext>,
    pub(super) stream: Text,
    /// The consumer's name, if the caller named it.
    pub(super) consumer: Option<Text>,
    /// The sequences that are to come again.
    pub(super) away: Away,
    /// Whether the caller has further messages at hand.
    has_more: AtomicBool,
    /// Whether somebody wants to know when deliveries are settled.
    watched: AtomicBool,
    settled: Notify,
    /// Whether the server delivers what is not settled as often as it takes, as far as it has
    /// said so.
    redelivers: AtomicBool,
    /// Where an acknowledgement settles everything before it.
    pub(super) cumulative: Option<Cumulative>,
    /// What became of the deliveries that were handed out.
    pub(super) progress: Progress,
    /// The sequences that were returned by a nak without their holder's doing.
    given_back: Mutex<BTreeSet<u64>>,
    /// Held by the drain that naks what is outstanding; see [`AckContext::giving_back`].
    giving_back: tokio::sync::Mutex<()>,
}

impl AckContext {
    pub(super) fn new(context: Arc<NatsContext>, stream: Text, config: &ConsumerConfig) -> Self {
        Self {
            context,
            stream,
            consumer: config.name.as_str().map(Text::copy_of),
            away: Away::new(config),
            has_more: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            settled: Notify::new(),
            redelivers: AtomicBool::new(false),
            cumulative: (config.ack == AckPolicy::All).then(Cumulative::default),
            progress: Progress::new(),
            given_back: Mutex::default(),
            giving_back: tokio::sync::Mutex::default(),
        }
    }

    /// Whether an acknowledgement of a later message has settled this one.
    pub(super) fn is_through(&self, sequence: u64) -> bool {
        let cumulative = self.cumulative.as_ref();
        cumulative.is_some_and(|acks| sequence <= acks.through())
    }

    /// What is being done, and at what.
    pub(super) fn about(&self, operation: Operation) -> ErrorContext {
        let about = ErrorContext::new(operation).stream(self.stream.clone());
        match &self.consumer {
            Some(name) => about.consumer(name.clone()),
            None => about,
        }
    }

    /// Where a consumer takes requests.
    pub(super) fn next(&self, consumer: &str) -> Subject {
        let call = format!("CONSUMER.MSG.NEXT.{}.{consumer}", self.stream);
        self.context.api(call).into()
    }

    /// A message is handed out: whether the caller has further ones at hand, which it will settle
    /// soon.
    pub(super) fn hands_out(&self, has_more: bool) {
        self.has_more.store(has_more, Ordering::Relaxed);
    }

    /// When settlements are written.
    pub(super) fn haste(&self) -> Haste {
        if self.has_more.load(Ordering::Relaxed) {
            Haste::Soon
        } else {
            Haste::Now
        }
    }

    /// The server has said whether it delivers what is not settled as often as it takes.
    pub(super) fn learn_redelivers(&self, redelivers: bool) {
        self.redelivers.store(redelivers, Ordering::Relaxed);
    }

    /// Whether what is not settled comes again for certain.
    pub(super) fn redelivers(&self) -> bool {
        self.redelivers.load(Ordering::Relaxed)
    }

    /// From now on it is told when something is settled, and what is dropped
    /// unsettled is returned by a nak at once.
    pub(super) fn watch(&self) {
        self.watched.store(true, Ordering::SeqCst);
    }

    /// Waits until something is settled, after [`watch`](Self::watch).
    pub(super) fn settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    /// This sequence is returned by a nak without its holder's doing.
    pub(super) fn gives_back(&self, sequence: u64) {
        lock(&self.given_back).insert(sequence);
    }

    /// Whether there are any who [watch](Self::watch).
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::SeqCst)
    }

    /// Tells those who [watch](Self::watch) that something was settled.
    pub(super) fn notify(&self) {
        if self.is_watched() {
            self.settled.notify_waiters();
        }
    }

    /// The sequences that were returned by a nak without their holder's doing.
    pub(super) fn given_back(&self) -> BTreeSet<u64> {
        lock(&self.given_back).clone()
    }

    /// Waits until no other drain naks what is outstanding: one that finds nothing to
    /// put back ends the connection, and must not before the other has sent it.
    pub(super) async fn giving_back(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.giving_back.lock().await
    }
}

fn lock(sequences: &Mutex<BTreeSet<u64>>) -> MutexGuard<'_, BTreeSet<u64>> {
    // Nothing in here panics half way.
    sequences.lock().unwrap_or_else(PoisonError::into_inner)
}

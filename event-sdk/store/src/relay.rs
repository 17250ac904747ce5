//! `Relay`: publishes the rows of an outbox, those of each key in order, and deletes them after a
//! while.

mod breaker;
mod check;
mod confirmed;
mod engine;
mod failure;
mod job;
mod lanes;
mod leases;
mod loss;
mod marks;
mod options;
mod pace;

pub use loss::{LossOutcome, StreamLoss};
pub use options::InvalidRelay;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::Retry;
use jiff::Timestamp;

use crate::outbox::OutboxStore;
use crate::{StoreError, StoreErrorKind, Wake};
use engine::Engine;
use options::{OnStreamLoss, Options};

/// Publishes the rows of an outbox: set options, then [run](Self::run_until) it.
///
/// Run one relay in each instance of a service, or in a process of its own. Several relays share
/// the shards of the outbox. If a relay ends without giving its shards back, the others take them
/// over when its leases end.
///
/// **Delivery.** A row is published at least once: if a relay ends after it has published a row and
/// before it has marked the row, the next relay publishes it again under the same message id.
/// The stream drops the second copy if it arrives within the duplicate window.
///
/// **Order.** A row is sent only after those rows of its key that have lower ids and were visible
/// when it was read. Only one row of a key is in flight at a time. So the order within a key is the
/// order of the commits, provided that two transactions never write rows of the same key at the same
/// time. Rows without a key, and rows with `not_before`, have no order.
///
/// **Failures.** An *outage* (no connection, a timeout, a full stream) pauses the relay, which tries
/// again with one row at a time; an outage does not count as an attempt. A row that can never be published,
/// such as one that is too large, is *parked* at once; other failures follow the [retry policy](Self::retry),
/// and the row is parked after the last attempt. A parked row holds back its own key only, until it
/// is retried, skipped or purged. If a row keeps failing with an outage while other rows of its
/// domain (the first token of the subject after the prefix) are published, these failures count as
/// attempts.
///
/// **A stream that went back.** A stream that was restored from an older copy, or lost its newest
/// messages in a power failure, lacks rows that it had confirmed. So the relay compares the rows of
/// a shard with their streams before it publishes new rows, when it takes the shard over, when the
/// transport has connected again, and when a stream confirms a sequence below an earlier one. The
/// relay then does two things:
///
/// - The newest rows are compared by sequence and message id, if the relay may read streams (on
///   NATS this needs `$JS.API.STREAM.INFO.<stream>` and `$JS.API.STREAM.MSG.GET.<stream>`). Rows
///   that the stream has lost are published again, the oldest first, if each was published at most
///   [`repair_within`](Self::repair_within) before the stream's newest row. Rows that only have
///   other sequences, because a stream was moved, are not published again.
/// - The rows that were confirmed within the last nine tenths of the
///   [duplicate window](Self::duplicate_window) are published again in any case; the stream drops
///   the rows that it already has.
///
/// Some losses are only [reported](Self::on_stream_loss): older losses, and losses of streams that
/// drop acknowledged messages (interest, work queue) or that were deleted and created again. A row
/// that was in flight when the stream went back may be stored before the lost rows of its key.
#[must_use = "a relay does nothing until it runs"]
pub struct Relay {
    store: Arc<dyn OutboxStore>,
    bus: EventBus,
    wake: Wake,
    options: Options,
}

impl Relay {
    /// Creates a relay with the default options, which publishes with the connection of `bus`. Pass
    /// the `wake` that the writers of this process use.
    pub fn new(store: Arc<dyn OutboxStore>, bus: EventBus, wake: Wake) -> Self {
        Self {
            store,
            bus,
            wake,
            options: Options::default(),
        }
    }

    /// Sets how long a shard belongs to the relay after each renewal. The relay renews after a
    /// third of this time. Default: 15 seconds.
    ///
    /// When a relay ends without giving its shards back, another relay takes them over and goes on publishing
    /// after at most four thirds of this time.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease;
        self
    }

    /// Sets how long a publish may take until it is confirmed. After this time its outcome is
    /// unknown, and the row is published again. Default: 5 seconds.
    ///
    /// When less than this time of its lease is left, the relay sends nothing.
    pub fn publish_timeout(mut self, timeout: Duration) -> Self {
        self.options.publish_timeout = timeout;
        self
    }

    /// Sets the shortest duplicate window of the streams that store the rows. Default: 2 minutes,
    /// as in JetStream.
    ///
    /// Lease and publish timeout together must be shorter than this window, so that the stream
    /// recognizes rows that the previous owner of a shard has published.
    pub fn duplicate_window(mut self, window: Duration) -> Self {
        self.options.duplicate_window = window;
        self
    }

    /// Sets how often a row is attempted, and the delays between the attempts. Default:
    /// [`Retry::at_least_once`], five attempts.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.options.retry = retry;
        self
    }

    /// Sets the largest number of rows in flight. Default: 256.
    pub fn max_in_flight(mut self, rows: usize) -> Self {
        self.options.max_in_flight = rows;
        self
    }

    /// Sets how many rows the relay reads or marks in one statement. Default: 500.
    ///
    /// The relay keeps at most nine batches in memory: about an eighth of a batch for each key, and
    /// at most one and a half batches for a key whose rows are being published. A key may wait for
    /// a confirmation, another attempt or the end of an outage; its backlog does not hold up other
    /// keys. Rows of other keys wait only if more than 4 × `rows` keys (2,000 by default) have a
    /// failed row, or more than 40 × `rows` keys (20,000) wait for the end of an outage.
    pub fn batch(mut self, rows: u32) -> Self {
        self.options.batch = rows;
        self
    }

    /// Sets the longest time between two reads of new rows, which is also the precision of
    /// `not_before`. Default: 200 milliseconds.
    ///
    /// After a hint from this process (`enqueue`, or the commit of `begin`) the relay looks for rows 1, 2, 4
    /// … milliseconds later. Rows that other processes write are found after this time at the latest.
    pub fn idle_poll(mut self, longest: Duration) -> Self {
        self.options.idle_poll = longest;
        self
    }

    /// Sets how long published rows are kept: at least the duplicate window, because the rows of
    /// that time may have to be published again. Default: 24 hours.
    pub fn keep_published(mut self, keep: Duration) -> Self {
        self.options.keep_published = keep;
        self
    }

    /// Sets how many rows are deleted in one transaction. Default: 1,000. Only one relay of the
    /// outbox deletes rows at any time.
    pub fn clean_batch(mut self, rows: u32) -> Self {
        self.options.clean_batch = rows;
        self
    }

    /// Sets how old a loss may be that the relay repairs: it publishes lost rows again only if they
    /// were published at most this long before the stream's newest row. Default: 10 minutes, five
    /// times the longest time after which JetStream syncs its files unless configured otherwise.
    ///
    /// If older rows are lost too, the relay assumes that the stream was restored from a backup: it
    /// reports the loss, and publishes none of the lost rows. Only rows that are still
    /// [kept](Self::keep_published) can be compared.
    pub fn repair_within(mut self, within: Duration) -> Self {
        self.options.repair_within = within;
        self
    }

    /// Sets a function that the relay calls for each stream that has lost rows which it had
    /// confirmed. The function runs in the task of the relay, so it must not block. A loss that is
    /// not repaired is reported once by each running relay.
    pub fn on_stream_loss(mut self, report: impl Fn(&StreamLoss) + Send + Sync + 'static) -> Self {
        self.options.on_stream_loss = Some(OnStreamLoss(Arc::new(report)));
        self
    }

    /// Sets how long the relay may take to end, while it confirms and marks rows in flight and
    /// gives its shards back. Default: 10 seconds.
    pub fn drain_within(mut self, within: Duration) -> Self {
        self.options.drain_within = within;
        self
    }

    /// Runs until `stop` completes, then confirms and marks the rows in flight, and gives the shards
    /// back.
    ///
    /// If the database or server is unavailable, the relay logs a warning, and tries again with a
    /// delay of up to 5 seconds.
    ///
    /// Cancel-safe in the sense that no row is lost: if the future is dropped, the next owner of
    /// the shards publishes the rows that were in flight again, when the leases have ended.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](StoreErrorKind::InvalidOption) if the options are invalid. At the start or
    /// later [`SchemaMissing`](StoreErrorKind::SchemaMissing),
    /// [`SchemaOlder`](StoreErrorKind::SchemaOlder), [`SchemaNewer`](StoreErrorKind::SchemaNewer),
    /// [`SchemaDrift`](StoreErrorKind::SchemaDrift) or
    /// [`PermissionDenied`](StoreErrorKind::PermissionDenied).
    pub async fn run_until(
        self,
        stop: impl Future<Output = ()>,
    ) -> Result<RelayReport, StoreError> {
        self.options
            .check()
            .map_err(|why| StoreError::new(StoreErrorKind::InvalidOption, why.to_string()))?;
        let engine = Engine::new(self.store, self.bus, &self.wake, self.options);
        // It is large, and lives as long as the relay.
        Box::pin(engine.run_until(stop)).await
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("store", &self.store)
            .field("bus", &self.bus)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What a relay did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RelayReport {
    /// The number of rows that were published and marked.
    pub published: u64,
    /// The number of confirmed rows that were published again, because the stream may have lost
    /// them.
    pub sent_again: u64,
    /// How many of the rows counted by [`sent_again`](Self::sent_again) the stream had lost.
    pub restored: u64,
    /// The last 100 reports of streams that had lost rows which they had confirmed.
    pub stream_losses: Vec<StreamLoss>,
    /// The number of rows that were parked.
    pub parked: u64,
    /// The number of rows that were deleted because they had been kept for
    /// [`keep_published`](Relay::keep_published).
    pub cleaned: u64,
    /// The number of rows whose publish was confirmed, but which could not be marked before the
    /// relay ended. They are published again under the same id.
    pub unmarked: u64,
}

/// The time so long before; the earliest one if there is none.
fn before(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_sub(time).unwrap_or(Timestamp::MIN)
}

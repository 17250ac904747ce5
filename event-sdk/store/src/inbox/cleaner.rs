//! `InboxCleaner`: deletes records of an inbox that are older than its retention, in bounded
//! batches. It keeps the record of each event that the server may deliver again.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::transport::{ErrorKind, TransportExt as _};
use event_sdk::{EventBus, text::Text};
use futures_util::future::{Either, select};
use jiff::Timestamp;
use uuid::Uuid;

use super::{InboxSource, InboxStore};
use crate::StoreError;

/// Deletes records of an inbox that are older than its retention.
///
/// A record is deleted if it is older than the retention *and* its event lies at or below the ack
/// floor of its consumer. So an event that the server may deliver again keeps its record, even if
/// the event waits at the server for weeks. Two kinds of records are kept longer: records of dead
/// events whose letters are in the same database, and records of redriven events that are done.
///
/// The cleaner asks the transport for the ack floor. If the transport cannot return an ack floor,
/// the cleaner keeps all records of that source, and reports this ([`CleanReport::kept`]).
///
/// Several cleaners of one inbox never work on the same consumer and stream at once; one cleaner
/// for each database is enough.
pub struct InboxCleaner {
    store: Arc<dyn InboxStore>,
    bus: EventBus,
    retention: Duration,
    every: Duration,
    batch: u32,
    /// The durables of consumers with several of them.
    durables: HashMap<Text, Vec<Text>>,
    me: Uuid,
}

impl InboxCleaner {
    /// The default time between two rounds: one minute.
    pub const EVERY: Duration = Duration::from_secs(60);
    /// The default for how many records one transaction deletes at most: 1,000.
    pub const BATCH: u32 = 1_000;

    /// A cleaner of an inbox. `bus` is the bus of its consumers.
    #[must_use]
    pub fn new(store: Arc<dyn InboxStore>, bus: &EventBus, retention: Duration) -> Self {
        Self {
            store,
            bus: bus.clone(),
            retention,
            every: Self::EVERY,
            batch: Self::BATCH,
            durables: HashMap::new(),
            me: Uuid::new_v4(),
        }
    }

    /// Sets the time between two rounds. Default: [`EVERY`](Self::EVERY).
    #[must_use]
    pub const fn every(mut self, pause: Duration) -> Self {
        self.every = pause;
        self
    }

    /// Sets how many records one transaction deletes at most. Default: [`BATCH`](Self::BATCH); zero
    /// counts as one.
    #[must_use]
    pub const fn batch(mut self, records: u32) -> Self {
        self.batch = if records == 0 { 1 } else { records };
        self
    }

    /// Names the durables of a consumer if they do not have the consumer's name, as when each
    /// partition has its own. A record is then deleted only if its event lies at or below the ack
    /// floors of all these durables.
    #[must_use]
    pub fn durables<T: Into<Text>>(
        mut self,
        consumer: impl Into<Text>,
        durables: impl IntoIterator<Item = T>,
    ) -> Self {
        let durables = durables.into_iter().map(Into::into).collect();
        self.durables.insert(consumer.into(), durables);
        self
    }

    /// Cleans in rounds until `signal` completes. A round that fails is logged, and the next round
    /// tries again.
    ///
    /// Cancel-safe: a transaction that was begun is rolled back or completes.
    pub async fn run_until(self, signal: impl Future<Output = ()>) {
        let mut signal = pin!(signal);
        loop {
            let round = pin!(self.clean_once());
            match select(round, signal.as_mut()).await {
                Either::Left((Ok(report), _)) => report.log(self.store.name()),
                Either::Left((Err(error), _)) => tracing::warn!(
                    target: crate::TRACING_TARGET,
                    inbox = %self.store.name(),
                    "the inbox was not cleaned, which is repeated in {:?}: {error}",
                    self.every
                ),
                Either::Right(_) => return,
            }
            let clock = self.bus.clock();
            let pause = clock.sleep_until(clock.monotonic().saturating_add(self.every));
            if let Either::Right(_) = select(pause, signal.as_mut()).await {
                return;
            }
        }
    }

    /// Deletes all records that can be deleted now.
    ///
    /// Cancel-safe: a transaction that was begun is rolled back or completes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of the inbox, of any kind.
    pub async fn clean_once(&self) -> Result<CleanReport, StoreError> {
        let mut report = CleanReport::default();
        let now = self.bus.clock().now();
        let before = now.checked_sub(self.retention).unwrap_or(Timestamp::MIN);
        for source in self.store.sources().await? {
            let ttl = self.every.saturating_mul(3);
            if !(self.store.claim_cleaning(source.clone(), self.me, now, ttl)).await? {
                report.left_to_others += 1;
                continue;
            }
            let acknowledged = match self.acknowledged(&source).await {
                Ok(acknowledged) => acknowledged,
                Err(why) => {
                    report.kept.push((source, why));
                    continue;
                }
            };
            let floor = self.store.raise_floor(source.clone(), acknowledged, before);
            let source = InboxSource {
                // The floor never falls, and the position of a consumer can.
                floor: floor.await?.min(acknowledged),
                ..source
            };
            loop {
                let deleted = self.store.clean(source.clone(), before, self.batch).await?;
                report.deleted += deleted;
                if deleted < u64::from(self.batch) {
                    break;
                }
            }
        }
        Ok(report)
    }

    /// Up to which sequence the consumer of a source has acknowledged everything; otherwise why this
    /// is unknown.
    async fn acknowledged(&self, source: &InboxSource) -> Result<u64, KeptBecause> {
        let Some(stream) = &source.stream else {
            // Such a transport delivers nothing again.
            return Ok(u64::MAX);
        };
        let own = [source.consumer.clone()];
        let durables = self
            .durables
            .get(&source.consumer)
            .map_or(&own[..], |it| it);
        let mut floor = u64::MAX;
        for durable in durables {
            let info = self.bus.transport().consumer_info(stream, durable).await;
            let info = info.map_err(|error| match error.kind() {
                ErrorKind::ConsumerNotFound | ErrorKind::StreamNotFound => {
                    KeptBecause::ConsumerNotFound
                }
                _ => KeptBecause::Unknown(Text::from(error.to_string())),
            })?;
            floor = floor.min(info.acknowledged);
        }
        Ok(if durables.is_empty() { 0 } else { floor })
    }
}

impl fmt::Debug for InboxCleaner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxCleaner")
            .field("store", &self.store)
            .field("retention", &self.retention)
            .field("every", &self.every)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

/// What an [`InboxCleaner`] did in one round.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CleanReport {
    /// How many records were deleted.
    pub deleted: u64,
    /// The number of sources that were skipped because another cleaner cleans them.
    pub left_to_others: u64,
    /// Sources whose records are all kept, and why.
    pub kept: Vec<(InboxSource, KeptBecause)>,
}

/// Why the records of a source are all kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeptBecause {
    /// The durable consumer does not exist, or no longer exists. If it is created again, it may
    /// receive all events again.
    ConsumerNotFound,
    /// The transport does not tell the position of the consumer, for this reason.
    Unknown(Text),
}

impl CleanReport {
    fn log(&self, inbox: &str) {
        for (source, why) in &self.kept {
            tracing::warn!(
                target: crate::TRACING_TARGET,
                inbox,
                consumer = %source.consumer,
                stream = source.stream.as_deref(),
                "records of the inbox are kept without end, because the position of the consumer is unknown: {why:?}"
            );
        }
        if self.deleted > 0 {
            tracing::debug!(
                target: crate::TRACING_TARGET,
                inbox,
                deleted = self.deleted,
                "the inbox was cleaned"
            );
        }
    }
}

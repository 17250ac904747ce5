//! `StoreWithSteps`: the store of a relay that announces when shards are claimed, and when rows are
//! read, published, marked, parked and released.

use std::sync::{Arc, Once};
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::outbox::{
    ConfirmedRow, Except, KeptRow, KeyPosition, Membership, OutboxRow, OutboxStatus, OutboxStore,
    ParkReason, ParkedEntry, PendingWork, PublishedRow, RelayId, Release, ShardLease,
    ShardPosition, StoreFuture, WhichParked,
};
use event_sdk_store::{StoreError, StoreErrorKind};
use jiff::Timestamp;

use super::steps::{Step, Steps};

/// Passes everything on. At its first renewal it writes `relay <id>`.
#[derive(Debug)]
pub struct StoreWithSteps {
    inner: Arc<dyn OutboxStore>,
    steps: Steps,
    named: Once,
}

impl StoreWithSteps {
    /// Around a store.
    #[must_use]
    pub fn new(inner: Arc<dyn OutboxStore>, steps: Steps) -> Self {
        Self {
            inner,
            steps,
            named: Once::new(),
        }
    }

    async fn have_read(&self, rows: &[OutboxRow]) {
        if let Some(first) = rows.first() {
            self.steps.reached(Step::Read, first.id).await;
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl OutboxStore for StoreWithSteps {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn shards(&self) -> u16 {
        self.inner.shards()
    }

    fn check_schema(&self) -> StoreFuture<'_, ()> {
        self.inner.check_schema()
    }

    fn renew(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, Membership> {
        self.named.call_once(|| println!("relay {relay}"));
        self.inner.renew(relay, ttl)
    }

    fn claim(
        &self,
        relay: RelayId,
        ttl: Duration,
        at_most: u16,
    ) -> StoreFuture<'_, Vec<ShardLease>> {
        Box::pin(async move {
            let claimed = self.inner.claim(relay, ttl, at_most).await?;
            if !claimed.is_empty() {
                self.steps.reached(Step::Claimed, relay).await;
            }
            Ok(claimed)
        })
    }

    fn release(&self, relay: RelayId, shards: Vec<ShardLease>) -> StoreFuture<'_, ()> {
        self.inner.release(relay, shards)
    }

    fn leave(&self, relay: RelayId) -> StoreFuture<'_, ()> {
        self.inner.leave(relay)
    }

    fn claim_cleaning(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, bool> {
        self.inner.claim_cleaning(relay, ttl)
    }

    fn fetch(&self, shards: Vec<ShardPosition>, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(async move {
            let rows = self.inner.fetch(shards, limit).await?;
            self.have_read(&rows).await;
            Ok(rows)
        })
    }

    fn fetch_below(
        &self,
        shards: Vec<ShardPosition>,
        except: Except,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(async move {
            let rows = self.inner.fetch_below(shards, except, limit).await?;
            self.have_read(&rows).await;
            Ok(rows)
        })
    }

    fn fetch_keys(
        &self,
        keys: Vec<KeyPosition>,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(async move {
            let rows = self.inner.fetch_keys(keys, except, limit).await?;
            self.have_read(&rows).await;
            Ok(rows)
        })
    }

    fn settled(&self) -> StoreFuture<'_, i64> {
        self.inner.settled()
    }

    fn fetch_due(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        self.inner.fetch_due(shards, now, except, limit)
    }

    fn pending_work(&self, shards: Vec<u16>, now: Timestamp) -> StoreFuture<'_, PendingWork> {
        self.inner.pending_work(shards, now)
    }

    fn mark_published(
        &self,
        relay: RelayId,
        rows: Vec<ConfirmedRow>,
        now: Timestamp,
    ) -> StoreFuture<'_, Vec<i64>> {
        Box::pin(async move {
            let first = rows.first().map(|row| row.id);
            if let Some(first) = first {
                self.steps.reached(Step::Published, first).await;
            }
            let marked = self.inner.mark_published(relay, rows, now).await?;
            if let Some(first) = first {
                self.steps.reached(Step::Marked, first).await;
            }
            Ok(marked)
        })
    }

    fn record_failure(&self, lease: ShardLease, id: i64, attempts: u32) -> StoreFuture<'_, bool> {
        self.inner.record_failure(lease, id, attempts)
    }

    fn park(
        &self,
        lease: ShardLease,
        id: i64,
        reason: ParkReason,
        now: Timestamp,
    ) -> StoreFuture<'_, bool> {
        self.inner.park(lease, id, reason, now)
    }

    fn park_behind(&self, lease: ShardLease, key: String, limit: u32) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            self.steps.reached(Step::BeforeMove, &key).await;
            self.inner.park_behind(lease, key, limit).await
        })
    }

    fn release_parked(
        &self,
        lease: ShardLease,
        entry: ParkedEntry,
        limit: u32,
    ) -> StoreFuture<'_, Release> {
        Box::pin(async move {
            let id = entry.id;
            let released = self.inner.release_parked(lease, entry, limit).await?;
            if !self.steps.reached(Step::Released, id).await {
                let why = "the test has lost the answer";
                return Err(StoreError::new(StoreErrorKind::Unavailable, why));
            }
            Ok(released)
        })
    }

    fn parked(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<ParkedEntry>> {
        self.inner.parked(after, limit)
    }

    fn retry_parked(&self, which: WhichParked) -> StoreFuture<'_, u64> {
        self.inner.retry_parked(which)
    }

    fn skip_parked(&self, id: i64) -> StoreFuture<'_, bool> {
        self.inner.skip_parked(id)
    }

    fn purge_parked(&self, id: i64, limit: u32) -> StoreFuture<'_, u64> {
        self.inner.purge_parked(id, limit)
    }

    fn status(&self, now: Timestamp) -> StoreFuture<'_, OutboxStatus> {
        self.inner.status(now)
    }

    fn published_since(
        &self,
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> StoreFuture<'_, Vec<PublishedRow>> {
        self.inner.published_since(shards, since, after, limit)
    }

    fn newest_published(
        &self,
        shards: Vec<u16>,
        within: Duration,
    ) -> StoreFuture<'_, Vec<KeptRow>> {
        self.inner.newest_published(shards, within)
    }

    fn published_before(
        &self,
        shards: Vec<u16>,
        stream: Text,
        since: Timestamp,
        before: (Timestamp, i64),
        limit: u32,
    ) -> StoreFuture<'_, Vec<KeptRow>> {
        self.inner
            .published_before(shards, stream, since, before, limit)
    }

    fn clean(&self, before: Timestamp, limit: u32) -> StoreFuture<'_, u64> {
        self.inner.clean(before, limit)
    }
}

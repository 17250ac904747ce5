//! `SabotagedStore`: passes operations on, and breaks those that a sabotage is about.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::outbox::{
    Ahead, ConfirmedRow, Counted, Except, KeptRow, KeyPosition, Membership, OutboxRow,
    OutboxStatus, OutboxStore, ParkReason, ParkedEntry, PendingWork, PublishedRow, RelayId,
    Release, ShardLease, ShardPosition, StoreFuture, WhichParked,
};
use jiff::Timestamp;

use super::Sabotage;

#[derive(Debug)]
pub(super) struct SabotagedStore {
    inner: Arc<dyn OutboxStore>,
    how: Sabotage,
    /// The owner and the epoch of each shard, as the store gave them.
    given: Mutex<HashMap<u16, (RelayId, i64)>>,
}

impl SabotagedStore {
    pub(super) fn new(inner: Arc<dyn OutboxStore>, how: Sabotage) -> Self {
        Self {
            inner,
            how,
            given: Mutex::default(),
        }
    }

    fn remember(&self, relay: RelayId, leases: &[ShardLease]) {
        let mut given = self.given.lock().unwrap();
        given.extend(leases.iter().map(|one| (one.shard, (relay, one.epoch))));
    }

    fn current(&self, shard: u16) -> Option<(RelayId, i64)> {
        self.given.lock().unwrap().get(&shard).copied()
    }

    /// The lease that the inner store gets.
    fn passed(&self, mut lease: ShardLease) -> ShardLease {
        let replaces = [Sabotage::AcceptsOldEpochs, Sabotage::ForgetsEpochs];
        if replaces.contains(&self.how)
            && let Some((_, epoch)) = self.current(lease.shard)
        {
            lease.epoch = epoch;
        }
        lease
    }

    /// The leases that the caller gets.
    fn shown(&self, mut leases: Vec<ShardLease>) -> Vec<ShardLease> {
        if self.how == Sabotage::ForgetsEpochs {
            for lease in &mut leases {
                lease.epoch = 1;
            }
        }
        leases
    }

    fn seen(&self, mut rows: Vec<OutboxRow>) -> Vec<OutboxRow> {
        for row in &mut rows {
            row.ahead = match (self.how, row.ahead) {
                (Sabotage::SeesNothingAhead, _) | (Sabotage::SeesNoParkedAhead, Ahead::Parked) => {
                    Ahead::Nothing
                }
                (Sabotage::SeesAlwaysAhead, _) if row.key.is_some() => Ahead::Parked,
                (_, ahead) => ahead,
            };
            if self.how == Sabotage::ReportsOtherShards {
                row.shard = u16::try_from(row.id % 2).unwrap();
            }
        }
        if self.how == Sabotage::ReadsBackwards {
            rows.reverse();
            // Cases sort by id.
            let ids: Vec<_> = rows.iter().map(|row| row.id).rev().collect();
            for (row, id) in rows.iter_mut().zip(ids) {
                row.id = id;
            }
        }
        if self.how == Sabotage::SkipsARow && rows.len() > 1 {
            rows.remove(0);
        }
        rows
    }
}

impl OutboxStore for SabotagedStore {
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
        Box::pin(async move {
            let mut membership = self.inner.renew(relay, ttl).await?;
            self.remember(relay, &membership.shards);
            match self.how {
                Sabotage::RenewsNothing => membership.shards.clear(),
                Sabotage::RenewsWhatIsLost if membership.shards.is_empty() => {
                    let shards = 0..self.inner.shards();
                    let lost = shards.map(|shard| ShardLease { shard, epoch: 1 });
                    membership.shards = lost.collect();
                }
                Sabotage::CountsOneRelay => membership.relays = 1,
                _ => {}
            }
            membership.shards = self.shown(membership.shards);
            Ok(membership)
        })
    }

    fn claim(
        &self,
        relay: RelayId,
        ttl: Duration,
        at_most: u16,
    ) -> StoreFuture<'_, Vec<ShardLease>> {
        Box::pin(async move {
            let at_most = match self.how {
                Sabotage::ClaimsMoreThanAsked => u16::MAX,
                Sabotage::ClaimsNothing => 0,
                _ => at_most,
            };
            let mut leases = self.inner.claim(relay, ttl, at_most).await?;
            if self.how == Sabotage::ClaimsTwice && leases.is_empty() {
                let shards = 0..self.inner.shards();
                let others = shards.filter_map(|shard| {
                    let (_, epoch) = self.current(shard)?;
                    Some(ShardLease { shard, epoch })
                });
                leases = others.collect();
            } else {
                self.remember(relay, &leases);
            }
            Ok(self.shown(leases))
        })
    }

    fn release(&self, relay: RelayId, shards: Vec<ShardLease>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let mut passed = Vec::new();
            for lease in shards {
                let mut lease = self.passed(lease);
                let mut relay = relay;
                if self.how == Sabotage::ReleasesOldLeases
                    && let Some((owner, epoch)) = self.current(lease.shard)
                {
                    (relay, lease.epoch) = (owner, epoch);
                }
                passed.push((relay, lease));
            }
            for (relay, lease) in passed {
                if self.how != Sabotage::ReleasesNothing {
                    self.inner.release(relay, vec![lease]).await?;
                }
            }
            Ok(())
        })
    }

    fn leave(&self, relay: RelayId) -> StoreFuture<'_, ()> {
        if self.how == Sabotage::LeavesNothing {
            return Box::pin(async { Ok(()) });
        }
        self.inner.leave(relay)
    }

    fn claim_cleaning(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, bool> {
        match self.how {
            Sabotage::EveryoneCleans => Box::pin(async { Ok(true) }),
            Sabotage::NobodyCleans => Box::pin(async { Ok(false) }),
            _ => self.inner.claim_cleaning(relay, ttl),
        }
    }

    fn fetch(&self, mut shards: Vec<ShardPosition>, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>> {
        match self.how {
            Sabotage::ReadsNothing => shards.clear(),
            Sabotage::IgnoresFloors => shards.iter_mut().for_each(|at| at.floor = i64::MIN),
            Sabotage::ReadsBehindThePosition => {
                for position in shards.iter_mut().filter(|position| position.from > 0) {
                    position.from += 1;
                }
            }
            Sabotage::IgnoresShards => {
                let from = shards.first().map_or(0, |position| position.from);
                let (all, floor) = (0..self.inner.shards(), i64::MIN);
                let all = all.map(|shard| ShardPosition { shard, from, floor });
                shards = all.collect();
            }
            _ => {}
        }
        let reading = self.inner.fetch(shards, limit);
        Box::pin(async move { Ok(self.seen(reading.await?)) })
    }

    fn fetch_below(
        &self,
        mut shards: Vec<ShardPosition>,
        mut except: Except,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        match self.how {
            Sabotage::ReadsNothingBelow => return Box::pin(async { Ok(Vec::new()) }),
            Sabotage::IgnoresFloors => shards.iter_mut().for_each(|at| at.floor = i64::MIN),
            Sabotage::IgnoresExcept => except.rows.clear(),
            Sabotage::IgnoresExceptedKeys => except.keys.clear(),
            _ => {}
        }
        let reading = self.inner.fetch_below(shards, except, limit);
        Box::pin(async move { Ok(self.seen(reading.await?)) })
    }

    fn fetch_keys(
        &self,
        mut keys: Vec<KeyPosition>,
        mut except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        match self.how {
            Sabotage::ReadsNothingOfKeys => keys.clear(),
            Sabotage::IgnoresFloors => keys.iter_mut().for_each(|key| key.from = i64::MIN),
            Sabotage::ReadsKeysToTheEnd => keys.iter_mut().for_each(|key| key.below = i64::MAX),
            Sabotage::ReadsKnownRowsOfKeys => except.clear(),
            _ => {}
        }
        let reading = self.inner.fetch_keys(keys, except, limit);
        Box::pin(async move { Ok(self.seen(reading.await?)) })
    }

    fn settled(&self) -> StoreFuture<'_, i64> {
        match self.how {
            Sabotage::SettlesEverything => Box::pin(async { Ok(i64::MAX) }),
            _ => self.inner.settled(),
        }
    }

    fn fetch_due(
        &self,
        shards: Vec<u16>,
        mut now: Timestamp,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        match self.how {
            Sabotage::DueTooEarly => now += jiff::SignedDuration::from_hours(10_000),
            Sabotage::DueNever => return Box::pin(async { Ok(Vec::new()) }),
            _ => {}
        }
        let reading = self.inner.fetch_due(shards, now, except, limit);
        Box::pin(async move {
            let mut rows = reading.await?;
            if self.how == Sabotage::DueInDisorder {
                rows.reverse();
            }
            if self.how == Sabotage::DueWithKey {
                for row in &mut rows {
                    row.key = Some("k".into());
                }
            }
            Ok(rows)
        })
    }

    fn pending_work(&self, shards: Vec<u16>, now: Timestamp) -> StoreFuture<'_, PendingWork> {
        if self.how == Sabotage::HasNoWork {
            return Box::pin(async { Ok(PendingWork::default()) });
        }
        self.inner.pending_work(shards, now)
    }

    fn mark_published(
        &self,
        mut relay: RelayId,
        mut rows: Vec<ConfirmedRow>,
        now: Timestamp,
    ) -> StoreFuture<'_, Vec<i64>> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        for row in &mut rows {
            let mut lease = ShardLease {
                shard: row.shard,
                epoch: row.epoch,
            };
            lease = self.passed(lease);
            if self.how == Sabotage::MarksOldEpochs
                && let Some((owner, epoch)) = self.current(row.shard)
            {
                (relay, lease.epoch) = (owner, epoch);
            }
            row.epoch = lease.epoch;
            if self.how == Sabotage::ForgetsOwnTimes {
                row.published_at = None;
            }
            if self.how == Sabotage::ForgetsPlaces {
                (row.stream, row.sequence) = (None, None);
            }
        }
        Box::pin(async move {
            match self.how {
                Sabotage::MarksNothing => return Ok(ids),
                Sabotage::MarksNothingTwice => {
                    let published = self.inner.published_since(
                        (0..self.inner.shards()).collect(),
                        Timestamp::UNIX_EPOCH,
                        0,
                        10_000,
                    );
                    let published = published.await?;
                    rows.retain(|row| published.iter().all(|kept| kept.row.id != row.id));
                }
                _ => {}
            }
            let marked = self.inner.mark_published(relay, rows, now).await?;
            if self.how == Sabotage::MarksMissingRows {
                return Ok(ids);
            }
            Ok(marked)
        })
    }

    fn record_failure(&self, lease: ShardLease, id: i64, attempts: u32) -> StoreFuture<'_, bool> {
        if self.how == Sabotage::CountsNoFailures {
            return Box::pin(async { Ok(true) });
        }
        self.inner.record_failure(self.passed(lease), id, attempts)
    }

    fn park(
        &self,
        lease: ShardLease,
        id: i64,
        reason: ParkReason,
        now: Timestamp,
    ) -> StoreFuture<'_, bool> {
        let reason = match self.how {
            Sabotage::ParksNothing => return Box::pin(async { Ok(true) }),
            Sabotage::ForgetsReasons => ParkReason::new("retry", "", 0),
            _ => reason,
        };
        self.inner.park(self.passed(lease), id, reason, now)
    }

    fn park_behind(&self, lease: ShardLease, key: String, limit: u32) -> StoreFuture<'_, u64> {
        let limit = match self.how {
            Sabotage::MovesNothingBehind => return Box::pin(async { Ok(0) }),
            Sabotage::MovesAllBehind => u32::MAX,
            _ => limit,
        };
        self.inner.park_behind(self.passed(lease), key, limit)
    }

    fn release_parked(
        &self,
        lease: ShardLease,
        entry: ParkedEntry,
        mut limit: u32,
    ) -> StoreFuture<'_, Release> {
        if self.how == Sabotage::ReleasesAllAtOnce {
            limit = 10_000;
        }
        Box::pin(async move {
            let lease = self.passed(lease);
            if self.how == Sabotage::ReleasesWhatIsParkedAgain {
                self.inner.retry_parked(WhichParked::All).await?;
            }
            let outcome = self.inner.release_parked(lease, entry, limit).await?;
            if self.how == Sabotage::ReleasesForever && outcome == Release::Done {
                return Ok(Release::Partly);
            }
            Ok(outcome)
        })
    }

    fn parked(&self, mut after: i64, limit: u32) -> StoreFuture<'_, Vec<ParkedEntry>> {
        if self.how == Sabotage::ReadsAllParked {
            after = 0;
        }
        self.inner.parked(after, limit)
    }

    fn retry_parked(&self, which: WhichParked) -> StoreFuture<'_, u64> {
        match self.how {
            Sabotage::RetriesAll => self.inner.retry_parked(WhichParked::All),
            Sabotage::RetriesNothing => Box::pin(async { Ok(1) }),
            _ => self.inner.retry_parked(which),
        }
    }

    fn skip_parked(&self, id: i64) -> StoreFuture<'_, bool> {
        if self.how == Sabotage::SkipsNothing {
            return Box::pin(async { Ok(true) });
        }
        let always = self.how == Sabotage::SkipsAlways;
        Box::pin(async move { Ok(self.inner.skip_parked(id).await? || always) })
    }

    fn purge_parked(&self, id: i64, limit: u32) -> StoreFuture<'_, u64> {
        match self.how {
            Sabotage::PurgesNothing => Box::pin(async { Ok(0) }),
            Sabotage::PurgesAllAtOnce => self.inner.purge_parked(id, 10_000),
            _ => self.inner.purge_parked(id, limit),
        }
    }

    fn status(&self, mut now: Timestamp) -> StoreFuture<'_, OutboxStatus> {
        if self.how == Sabotage::StatusOfThePast {
            now -= jiff::SignedDuration::from_secs(60);
        }
        Box::pin(async move {
            let mut status = self.inner.status(now).await?;
            match self.how {
                Sabotage::StatusIsEmpty => status = OutboxStatus::default(),
                Sabotage::StatusHasNoAge => status.oldest_age = None,
                Sabotage::StatusCountsTwice => {
                    status.relays += 1;
                    status.published_lately = Counted::new(2 * status.published_lately.rows());
                }
                _ => {}
            }
            Ok(status)
        })
    }

    fn published_since(
        &self,
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> StoreFuture<'_, Vec<PublishedRow>> {
        match self.how {
            Sabotage::ForgetsPublishedRows => Box::pin(async { Ok(Vec::new()) }),
            Sabotage::ReadsOnePageForever => {
                let first = Timestamp::UNIX_EPOCH;
                self.inner.published_since(shards, first, 0, limit)
            }
            _ => self.inner.published_since(shards, since, after, limit),
        }
    }

    fn newest_published(
        &self,
        shards: Vec<u16>,
        within: Duration,
    ) -> StoreFuture<'_, Vec<KeptRow>> {
        if self.how == Sabotage::ForgetsNewestRows {
            return Box::pin(async { Ok(Vec::new()) });
        }
        self.inner.newest_published(shards, within)
    }

    fn published_before(
        &self,
        shards: Vec<u16>,
        stream: Text,
        since: Timestamp,
        mut before: (Timestamp, i64),
        limit: u32,
    ) -> StoreFuture<'_, Vec<KeptRow>> {
        if self.how == Sabotage::ReadsNewestPageForever {
            before = (Timestamp::MAX, i64::MAX);
        }
        self.inner
            .published_before(shards, stream, since, before, limit)
    }

    fn clean(&self, before: Timestamp, limit: u32) -> StoreFuture<'_, u64> {
        match self.how {
            Sabotage::CleansEverything => self.inner.clean(Timestamp::MAX, limit),
            Sabotage::CleansNothing => Box::pin(async { Ok(0) }),
            Sabotage::CleansReadyRows => Box::pin(async move {
                let shards = 0..self.inner.shards();
                let (from, floor) = (0, i64::MIN);
                let all = shards.map(|shard| ShardPosition { shard, from, floor });
                for row in self.inner.fetch(all.collect(), 10_000).await? {
                    if let Some((owner, epoch)) = self.current(row.shard) {
                        let row = vec![ConfirmedRow::new(row.id, row.shard, epoch)];
                        let long_ago = Timestamp::UNIX_EPOCH;
                        self.inner.mark_published(owner, row, long_ago).await?;
                    }
                }
                self.inner.clean(before, limit).await
            }),
            Sabotage::CleansAllAtOnce => self.inner.clean(before, 10_000),
            _ => self.inner.clean(before, limit),
        }
    }
}

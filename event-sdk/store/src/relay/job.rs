//! `Job`: one operation on the store that a relay has begun, and its result.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::marks::Confirmed;
use crate::StoreError;
use crate::outbox::{
    Except, KeyPosition, Membership, OutboxRow, OutboxStore, ParkReason, ParkedEntry, PendingWork,
    PublishedRow, RelayId, Release, ShardLease, ShardPosition,
};

/// One operation on the store.
#[derive(Debug, Clone)]
pub(super) enum Job {
    /// Renew the leases; sent at this time.
    Renew { sent: Duration },
    /// Claim further shards; sent at this time.
    Claim { at_most: u16, sent: Duration },
    /// Give shards back.
    GiveBack(Vec<ShardLease>),
    /// Read from the positions on.
    Fetch {
        positions: Vec<ShardPosition>,
        limit: u32,
        began: Duration,
        generation: u64,
        /// Whether this is also a look below, since it begins at the floors.
        whole: bool,
        /// See [`Lanes::doubts`](super::lanes::Lanes::doubts).
        doubts: u64,
    },
    /// Read below the positions.
    FetchBelow {
        positions: Vec<ShardPosition>,
        except: Except,
        limit: u32,
        began: Duration,
        generation: u64,
        doubts: u64,
    },
    /// Read the rest of keys.
    Refill {
        keys: Vec<KeyPosition>,
        known: Vec<i64>,
        limit: u32,
        began: Duration,
        generation: u64,
    },
    /// Read scheduled rows.
    FetchDue {
        shards: Vec<u16>,
        known: Vec<i64>,
        now: Timestamp,
        limit: u32,
    },
    /// Read published rows, to publish them again.
    FetchPublished {
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    },
    /// Look for scheduled rows and releases.
    Look { shards: Vec<u16>, now: Timestamp },
    /// Write marks.
    Mark {
        rows: Vec<Confirmed>,
        now: Timestamp,
    },
    /// Note a failed attempt.
    Record {
        lease: ShardLease,
        row: i64,
        attempts: u32,
    },
    /// Park a row.
    Park {
        lease: ShardLease,
        row: i64,
        reason: ParkReason,
        now: Timestamp,
    },
    /// Move rows behind a parked one.
    ParkBehind {
        lease: ShardLease,
        key: String,
        limit: u32,
    },
    /// Bring parked rows back.
    Release {
        lease: ShardLease,
        entry: ParkedEntry,
        limit: u32,
    },
    /// Claim the right to clean.
    ClaimCleaning,
    /// Delete old rows.
    Clean {
        before: Timestamp,
        limit: u32,
        began: Duration,
    },
}

/// The result of a [`Job`].
#[derive(Debug)]
pub(super) enum Done {
    Renewed(Membership),
    Claimed(Vec<ShardLease>),
    Nothing,
    Rows(Vec<OutboxRow>),
    /// A look below: the rows, and the id below which no more can come.
    Looked(Vec<OutboxRow>, i64),
    Published(Vec<PublishedRow>),
    Work(PendingWork),
    Marked(Vec<i64>),
    Fenced(bool),
    Count(u64),
    Released(Release),
    Cleaner(bool),
}

impl Job {
    /// Whether the job has to be repeated until it succeeds. The relay begins others anew.
    pub(super) fn must_succeed(&self) -> bool {
        matches!(
            self,
            Self::Mark { .. } | Self::Park { .. } | Self::GiveBack(_)
        )
    }

    /// Runs it.
    pub(super) async fn run(
        self,
        store: Arc<dyn OutboxStore>,
        relay: RelayId,
        ttl: Duration,
    ) -> (Self, Result<Done, StoreError>) {
        let result = self.clone().start(&*store, relay, ttl).await;
        (self, result)
    }

    async fn start(
        self,
        store: &dyn OutboxStore,
        relay: RelayId,
        ttl: Duration,
    ) -> Result<Done, StoreError> {
        Ok(match self {
            Self::Renew { .. } => Done::Renewed(store.renew(relay, ttl).await?),
            Self::Claim { at_most, .. } => Done::Claimed(store.claim(relay, ttl, at_most).await?),
            Self::GiveBack(leases) => {
                store.release(relay, leases).await?;
                Done::Nothing
            }
            Self::Fetch {
                positions,
                limit,
                whole,
                ..
            } => {
                // Before the read, which sees all rows below it.
                let settled = if whole {
                    store.settled().await?
                } else {
                    i64::MIN
                };
                Done::Looked(store.fetch(positions, limit).await?, settled)
            }
            Self::FetchBelow {
                positions,
                except,
                limit,
                ..
            } => {
                let settled = store.settled().await?;
                let rows = store.fetch_below(positions, except, limit).await?;
                Done::Looked(rows, settled)
            }
            Self::Refill {
                keys, known, limit, ..
            } => Done::Rows(store.fetch_keys(keys, known, limit).await?),
            Self::FetchDue {
                shards,
                known,
                now,
                limit,
            } => Done::Rows(store.fetch_due(shards, now, known, limit).await?),
            Self::FetchPublished {
                shards,
                since,
                after,
                limit,
            } => Done::Published(store.published_since(shards, since, after, limit).await?),
            Self::Look { shards, now } => Done::Work(store.pending_work(shards, now).await?),
            Self::Mark { rows, now } => {
                let rows = rows.into_iter().map(|(_, row)| row).collect();
                Done::Marked(store.mark_published(relay, rows, now).await?)
            }
            Self::Record {
                lease,
                row,
                attempts,
            } => Done::Fenced(store.record_failure(lease, row, attempts).await?),
            Self::Park {
                lease,
                row,
                reason,
                now,
            } => Done::Fenced(store.park(lease, row, reason, now).await?),
            Self::ParkBehind { lease, key, limit } => {
                Done::Count(store.park_behind(lease, key, limit).await?)
            }
            Self::Release {
                lease,
                entry,
                limit,
            } => Done::Released(store.release_parked(lease, entry, limit).await?),
            Self::ClaimCleaning => Done::Cleaner(store.claim_cleaning(relay, ttl).await?),
            Self::Clean { before, limit, .. } => Done::Count(store.clean(before, limit).await?),
        })
    }
}

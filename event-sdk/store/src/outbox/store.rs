//! `OutboxStore`: what a database does for the relay, the cleaner and the operator of an outbox.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use event_sdk::text::Text;
use jiff::Timestamp;

use super::{
    ConfirmedRow, Except, KeptRow, KeyPosition, Membership, OutboxRow, OutboxStatus, ParkReason,
    ParkedEntry, PublishedRow, RelayId, Release, ShardLease, ShardPosition, WhichParked,
};
use crate::StoreError;

/// The future of an operation of a store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The tables of an outbox, as the relay uses them.
///
/// Each operation is one short transaction, and needs nothing of the session: it works behind a
/// proxy that gives each transaction another connection. The futures are cancel-safe: after dropping
/// one, the transaction has committed or not.
///
/// **States.** A row is *ready*, *scheduled* (it has a `not_before`), *parked* or *published*.
///
/// **Leases.** A shard belongs to one relay until its lease ends, by the clock of the database. A
/// lease that ended can be renewed by its owner as long as no other relay has claimed the shard. Each
/// change of the owner raises the epoch. Operations with a [`ShardLease`] have no effect if the epoch
/// is not the current one; they lock the row of the lease, so that no other relay claims the shard
/// before they commit.
///
/// **Time.** Times that are passed come from the clock of the bus.
///
/// **Errors.** Every operation may fail with the kinds of an unavailable database
/// ([`StoreErrorKind::is_outage`](crate::StoreErrorKind::is_outage)), `SchemaMissing`,
/// `PermissionDenied` and `Other`.
pub trait OutboxStore: fmt::Debug + Send + Sync + 'static {
    /// A name of the outbox, for logs and errors.
    fn name(&self) -> &str;

    /// The number of shards: from 0 to this number, exclusive.
    fn shards(&self) -> u16;

    /// Checks that the tables have a version with which this program works.
    fn check_schema(&self) -> StoreFuture<'_, ()>;

    /// Registers the relay as alive for `ttl`, and renews the leases of the shards that it owns.
    fn renew(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, Membership>;

    /// Claims up to `at_most` shards that belong to no relay, or whose lease has ended.
    fn claim(
        &self,
        relay: RelayId,
        ttl: Duration,
        at_most: u16,
    ) -> StoreFuture<'_, Vec<ShardLease>>;

    /// Gives these shards back, so that another relay can claim them at once.
    fn release(&self, relay: RelayId, shards: Vec<ShardLease>) -> StoreFuture<'_, ()>;

    /// Gives everything back, and removes the relay from those that are alive.
    fn leave(&self, relay: RelayId) -> StoreFuture<'_, ()>;

    /// Claims or renews the right to clean; one relay at a time has it. Returns whether this relay
    /// has it for `ttl`.
    fn claim_cleaning(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, bool>;

    /// Ready rows at or above the positions, at most `limit`, by id in each shard. A shard is returned
    /// from its position on without a gap.
    ///
    /// [`Ahead::Unpublished`](super::Ahead::Unpublished) is set for a row whose key has a ready row
    /// between floor and position of the shard, and [`Ahead::Parked`](super::Ahead::Parked) for one whose
    /// key has a parked row with a lower id.
    fn fetch(&self, shards: Vec<ShardPosition>, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Ready rows between floors and positions, at most `limit`, by id in each shard, without those in
    /// `except`: rows that were committed late or came back. `Ahead` is `Nothing` or `Parked`.
    fn fetch_below(
        &self,
        shards: Vec<ShardPosition>,
        except: Except,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Ready rows of these keys from `from` to below `below`, without those in `except`: of each key the
    /// lowest ids, at most `limit`. `Ahead` is `Nothing` or `Parked`.
    fn fetch_keys(
        &self,
        keys: Vec<KeyPosition>,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// An id such that no transaction that still runs, and none that begins from now on, inserts a row with
    /// a lower one: whoever reads after this call sees all of them. It never falls.
    ///
    /// The relay asks before it looks for rows that were committed late, and does not look below again.
    /// So its reads take the same time however many published rows an old snapshot keeps in the indexes.
    /// Rows that are made ready again, as by `recover`, are found by a look at all rows, which takes at
    /// most about a twentieth of the time.
    ///
    /// Default: [`i64::MIN`], nothing is known, and each look is at all rows.
    fn settled(&self) -> StoreFuture<'_, i64> {
        Box::pin(std::future::ready(Ok(i64::MIN)))
    }

    /// Scheduled rows whose time has come at `now`, at most `limit`, without those in `except`, the
    /// earliest first.
    fn fetch_due(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// What there is to do besides ready rows.
    fn pending_work(&self, shards: Vec<u16>, now: Timestamp) -> StoreFuture<'_, PendingWork>;

    /// Marks rows as published at `now`, or at their own
    /// [`published_at`](ConfirmedRow::published_at). Returns the ids of those that are marked now or already
    /// were; a row whose lease has another epoch, and one that does not exist any more, is missing
    /// there.
    fn mark_published(
        &self,
        relay: RelayId,
        rows: Vec<ConfirmedRow>,
        now: Timestamp,
    ) -> StoreFuture<'_, Vec<i64>>;

    /// Notes that publishing a row has failed `attempts` times. Returns whether the lease is still
    /// valid.
    fn record_failure(&self, lease: ShardLease, id: i64, attempts: u32) -> StoreFuture<'_, bool>;

    /// Parks a row, and with it its key if it takes part in the order. Returns whether the lease is
    /// still valid.
    fn park(
        &self,
        lease: ShardLease,
        id: i64,
        reason: ParkReason,
        now: Timestamp,
    ) -> StoreFuture<'_, bool>;

    /// Moves ready rows of a parked key behind its parked ones, at most `limit`. Returns their number.
    fn park_behind(&self, lease: ShardLease, key: String, limit: u32) -> StoreFuture<'_, u64>;

    /// Brings parked rows of an entry in release back, at most `limit`, the oldest first.
    fn release_parked(
        &self,
        lease: ShardLease,
        entry: ParkedEntry,
        limit: u32,
    ) -> StoreFuture<'_, Release>;

    /// Parked entries whose failed row has an id above `after`, by id, at most `limit`.
    fn parked(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<ParkedEntry>>;

    /// Asks the relays to bring these entries back. Returns their number.
    fn retry_parked(&self, which: WhichParked) -> StoreFuture<'_, u64>;

    /// Deletes the failed row of an entry, and asks the relay to bring the later rows of its key
    /// back. Returns whether there was such an entry: `false`, and nothing is changed, if the failed row
    /// was released meanwhile.
    fn skip_parked(&self, id: i64) -> StoreFuture<'_, bool>;

    /// Deletes parked rows of an entry, at most `limit`, the newest first; with the last one, the
    /// entry. Returns the number of deleted rows, and zero when the entry is gone.
    fn purge_parked(&self, id: i64, limit: u32) -> StoreFuture<'_, u64>;

    /// The state of the outbox at `now`.
    fn status(&self, now: Timestamp) -> StoreFuture<'_, OutboxStatus>;

    /// Rows that were published after `since`, or at that time with an id above `after`, by time and
    /// id, at most `limit`. Begin with the lowest id, and go on with the last row.
    fn published_since(
        &self,
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> StoreFuture<'_, Vec<PublishedRow>>;

    /// The newest published row of each stream, by time and sequence: of these shards, and not older
    /// than `within` before the newest published row of the outbox. Rows without a stream are left
    /// out.
    fn newest_published(&self, shards: Vec<u16>, within: Duration)
    -> StoreFuture<'_, Vec<KeptRow>>;

    /// Published rows of these shards in a stream, the newest first by time and id: those that were
    /// published at `since` or later, and before `before`, a time and an id. At most `limit`.
    fn published_before(
        &self,
        shards: Vec<u16>,
        stream: Text,
        since: Timestamp,
        before: (Timestamp, i64),
        limit: u32,
    ) -> StoreFuture<'_, Vec<KeptRow>>;

    /// Deletes rows that were published before `before`, at most `limit`. Returns their number.
    fn clean(&self, before: Timestamp, limit: u32) -> StoreFuture<'_, u64>;
}

/// What a relay has to do besides ready rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PendingWork {
    /// Whether a scheduled row is due.
    pub due: bool,
    /// Parked entries in release, of the asked shards; a few of them.
    pub releases: Vec<ParkedEntry>,
}

impl PendingWork {
    /// Whether a row is due, and the entries in release.
    #[must_use]
    pub const fn new(due: bool, releases: Vec<ParkedEntry>) -> Self {
        Self { due, releases }
    }
}

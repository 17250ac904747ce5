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
/// Each operation is one short transaction, and keeps no state in the database session. So a store
/// works behind a proxy that gives each transaction another connection. The futures are
/// cancel-safe: if one is dropped, its transaction is committed completely or not at all.
///
/// **States.** A row is *ready*, *scheduled* (it has a `not_before`), *parked* or *published*.
///
/// **Leases.** A shard belongs to one relay until its lease ends, by the clock of the database. The
/// owner can renew a lease even after it has ended, as long as no other relay has claimed the
/// shard. Each change of the owner raises the epoch. Operations with a [`ShardLease`] have no
/// effect if its epoch is not the current one. They lock the row of the lease, so that no other
/// relay can claim the shard before they commit.
///
/// **Time.** Times in parameters come from the clock of the bus.
///
/// **Errors.** Every operation may fail with the kinds of an unavailable database
/// ([`StoreErrorKind::is_outage`](crate::StoreErrorKind::is_outage)), `SchemaMissing`,
/// `PermissionDenied` and `Other`.
pub trait OutboxStore: fmt::Debug + Send + Sync + 'static {
    /// A name of the outbox, for logs and errors.
    fn name(&self) -> &str;

    /// The number of shards. Their numbers begin at 0.
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

    /// Gives all shards of the relay back, and the right to clean. The relay no longer counts as
    /// alive.
    fn leave(&self, relay: RelayId) -> StoreFuture<'_, ()>;

    /// Claims or renews the right to clean, which only one relay at a time can have. Returns
    /// whether this relay has it for `ttl`.
    fn claim_cleaning(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, bool>;

    /// Returns at most `limit` ready rows at or above the positions, sorted by id in each shard.
    /// The rows of a shard begin at its position, and have no gaps.
    ///
    /// A row has [`Ahead::Unpublished`](super::Ahead::Unpublished) if its key has a ready row
    /// between the floor and the position of the shard. It has
    /// [`Ahead::Parked`](super::Ahead::Parked) if its key has a parked row with a lower id.
    fn fetch(&self, shards: Vec<ShardPosition>, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Returns at most `limit` ready rows between floors and positions, sorted by id in each shard,
    /// without those in `except`. These are rows that were committed late, or made ready again.
    /// `Ahead` is `Nothing` or `Parked`.
    fn fetch_below(
        &self,
        shards: Vec<ShardPosition>,
        except: Except,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Returns ready rows of these keys, with ids from `from` to below `below` and without those in
    /// `except`. Of each key, these are the rows with the lowest ids, at most `limit`. `Ahead` is
    /// `Nothing` or `Parked`.
    fn fetch_keys(
        &self,
        keys: Vec<KeyPosition>,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Returns an id below which no row is inserted any more: no running transaction, and none that
    /// begins from now on, inserts a row with a lower id. So a read after this call sees all rows
    /// with lower ids. The returned id never falls.
    ///
    /// The relay calls this before it looks for rows that were committed late, and afterwards does
    /// not look below this id again. So its reads take the same time however many published rows an
    /// old snapshot keeps in the indexes. Rows that are made ready again, as by `recover`, are
    /// found by reads of all rows, which take at most about a twentieth of the relay's time.
    ///
    /// Default: [`i64::MIN`], which means that no id is known; the relay then looks at all rows
    /// each time.
    fn settled(&self) -> StoreFuture<'_, i64> {
        Box::pin(std::future::ready(Ok(i64::MIN)))
    }

    /// Returns at most `limit` scheduled rows that are due at `now`, the earliest first, without
    /// those in `except`.
    fn fetch_due(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>>;

    /// Returns the work of a relay other than ready rows: due scheduled rows, and releases.
    fn pending_work(&self, shards: Vec<u16>, now: Timestamp) -> StoreFuture<'_, PendingWork>;

    /// Marks rows as published at `now`, or at their own
    /// [`published_at`](ConfirmedRow::published_at). Returns the ids of the rows that are marked
    /// now or were marked before. The ids of rows that no longer exist, or whose shard has another
    /// epoch now, are left out.
    fn mark_published(
        &self,
        relay: RelayId,
        rows: Vec<ConfirmedRow>,
        now: Timestamp,
    ) -> StoreFuture<'_, Vec<i64>>;

    /// Records that publishing a row has failed `attempts` times. Returns whether the lease is
    /// still valid.
    fn record_failure(&self, lease: ShardLease, id: i64, attempts: u32) -> StoreFuture<'_, bool>;

    /// Parks a row; if the row takes part in the order of a key, it parks the key too. Returns
    /// whether the lease is still valid.
    fn park(
        &self,
        lease: ShardLease,
        id: i64,
        reason: ParkReason,
        now: Timestamp,
    ) -> StoreFuture<'_, bool>;

    /// Parks ready rows of a parked key too, behind the rows that are parked already: at most
    /// `limit`. Returns their number.
    fn park_behind(&self, lease: ShardLease, key: String, limit: u32) -> StoreFuture<'_, u64>;

    /// Makes parked rows of an entry in release ready again: at most `limit`, the oldest first.
    fn release_parked(
        &self,
        lease: ShardLease,
        entry: ParkedEntry,
        limit: u32,
    ) -> StoreFuture<'_, Release>;

    /// Returns at most `limit` parked entries, sorted by the id of the failed row, from the first
    /// id above `after` on.
    fn parked(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<ParkedEntry>>;

    /// Asks the relays to make the rows of these entries ready again. Returns the number of
    /// entries.
    fn retry_parked(&self, which: WhichParked) -> StoreFuture<'_, u64>;

    /// Deletes the failed row of an entry, and asks the relay to make the later rows of its key
    /// ready again. Returns whether there was such an entry. If the failed row was released in the
    /// meantime, nothing is changed and the result is `false`.
    fn skip_parked(&self, id: i64) -> StoreFuture<'_, bool>;

    /// Deletes at most `limit` parked rows of an entry, the newest first. With the last row, the
    /// entry is deleted too. Returns the number of deleted rows; zero if there is no such entry.
    fn purge_parked(&self, id: i64, limit: u32) -> StoreFuture<'_, u64>;

    /// Returns the state of the outbox at `now`.
    fn status(&self, now: Timestamp) -> StoreFuture<'_, OutboxStatus>;

    /// Returns at most `limit` rows, sorted by publish time and id, that were published after
    /// `since`, or at `since` with an id above `after`. For the first call pass the lowest id, and
    /// for each further call the time and id of the last row.
    fn published_since(
        &self,
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> StoreFuture<'_, Vec<PublishedRow>>;

    /// Returns the newest published row of each stream, by time and sequence. Only rows of these
    /// shards count, and only those published at most `within` before the newest published row of
    /// the outbox. Rows without a stream are left out.
    fn newest_published(&self, shards: Vec<u16>, within: Duration)
    -> StoreFuture<'_, Vec<KeptRow>>;

    /// Returns at most `limit` published rows of these shards in a stream, the newest first by time
    /// and id. They were published at `since` or later, and lie before `before`, which is a time
    /// and an id.
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

/// The work of a relay other than ready rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PendingWork {
    /// Whether a scheduled row is due.
    pub due: bool,
    /// Some of the parked entries of the requested shards that are in release.
    pub releases: Vec<ParkedEntry>,
}

impl PendingWork {
    /// Work with a due row or without one, and these entries in release.
    #[must_use]
    pub const fn new(due: bool, releases: Vec<ParkedEntry>) -> Self {
        Self { due, releases }
    }
}

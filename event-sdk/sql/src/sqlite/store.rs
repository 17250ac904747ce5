//! `SqliteOutbox`: the tables of an outbox on SQLite, as a relay uses them.

mod kept;
mod leases;
mod operator;
mod recover;
mod rows;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::outbox::{
    ConfirmedRow, Except, KeptRow, KeyPosition, Membership, OutboxRow, OutboxStatus, OutboxStore,
    ParkReason, ParkedEntry, PendingWork, PublishedRow, RelayId, Release, ShardLease,
    ShardPosition, StoreFuture, WhichParked,
};
use jiff::Timestamp;
use sqlx::{Pool, Sqlite, SqliteConnection, Transaction};

use super::schema;
use super::sql::Sql;
use crate::error::store_error;
use crate::tables::Tables;

/// The number of shards: SQLite has one writer at a time.
const SHARDS: u16 = 1;

#[derive(Clone)]
pub(super) struct SqliteOutbox(Arc<Inner>);

struct Inner {
    pool: Pool<Sqlite>,
    tables: Tables,
    name: String,
    sql: Sql,
}

impl SqliteOutbox {
    pub(super) fn new(pool: Pool<Sqlite>, tables: &Tables) -> Self {
        Self(Arc::new(Inner {
            pool,
            tables: tables.clone(),
            name: tables.table("outbox").replace('"', ""),
            sql: Sql::new(tables),
        }))
    }

    fn sql(&self) -> &Sql {
        &self.0.sql
    }

    /// A transaction that writes.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        super::begin(&self.0.pool).await
    }

    async fn connection(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>, StoreError> {
        self.0.pool.acquire().await.map_err(store_error)
    }

    /// Whether the lease is the current one.
    async fn is_current(
        &self,
        connection: &mut SqliteConnection,
        lease: ShardLease,
    ) -> Result<bool, StoreError> {
        sqlx::query_scalar(self.sql().is_current.sql())
            .bind(i64::from(lease.shard))
            .bind(lease.epoch)
            .fetch_one(connection)
            .await
            .map_err(store_error)
    }
}

impl fmt::Debug for SqliteOutbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOutbox")
            .field("tables", &self.0.tables)
            .finish_non_exhaustive()
    }
}

impl OutboxStore for SqliteOutbox {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn shards(&self) -> u16 {
        SHARDS
    }

    fn check_schema(&self) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            schema::check(&self.0.pool, &self.0.tables).await?;
            Ok(())
        })
    }

    fn renew(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, Membership> {
        Box::pin(self.renew_leases(relay, ttl))
    }

    fn claim(
        &self,
        relay: RelayId,
        ttl: Duration,
        at_most: u16,
    ) -> StoreFuture<'_, Vec<ShardLease>> {
        Box::pin(self.claim_shards(relay, ttl, at_most))
    }

    fn release(&self, relay: RelayId, shards: Vec<ShardLease>) -> StoreFuture<'_, ()> {
        Box::pin(self.release_shards(relay, shards))
    }

    fn leave(&self, relay: RelayId) -> StoreFuture<'_, ()> {
        Box::pin(self.leave_all(relay))
    }

    fn claim_cleaning(&self, relay: RelayId, ttl: Duration) -> StoreFuture<'_, bool> {
        Box::pin(self.claim_cleaner(relay, ttl))
    }

    fn fetch(&self, shards: Vec<ShardPosition>, limit: u32) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(self.fetch_from(shards, limit))
    }

    fn fetch_below(
        &self,
        shards: Vec<ShardPosition>,
        except: Except,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(self.fetch_under(shards, except, limit))
    }

    fn fetch_keys(
        &self,
        keys: Vec<KeyPosition>,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(self.fetch_of_keys(keys, except, limit))
    }

    fn settled(&self) -> StoreFuture<'_, i64> {
        Box::pin(self.settled_id())
    }

    fn fetch_due(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
        except: Vec<i64>,
        limit: u32,
    ) -> StoreFuture<'_, Vec<OutboxRow>> {
        Box::pin(self.fetch_scheduled(shards, now, except, limit))
    }

    fn pending_work(&self, shards: Vec<u16>, now: Timestamp) -> StoreFuture<'_, PendingWork> {
        Box::pin(self.look(shards, now))
    }

    fn mark_published(
        &self,
        relay: RelayId,
        rows: Vec<ConfirmedRow>,
        now: Timestamp,
    ) -> StoreFuture<'_, Vec<i64>> {
        Box::pin(self.mark(relay, rows, now))
    }

    fn record_failure(&self, lease: ShardLease, id: i64, attempts: u32) -> StoreFuture<'_, bool> {
        Box::pin(self.record(lease, id, attempts))
    }

    fn park(
        &self,
        lease: ShardLease,
        id: i64,
        reason: ParkReason,
        now: Timestamp,
    ) -> StoreFuture<'_, bool> {
        Box::pin(self.park_row(lease, id, reason, now))
    }

    fn park_behind(&self, lease: ShardLease, key: String, limit: u32) -> StoreFuture<'_, u64> {
        Box::pin(self.move_behind(lease, key, limit))
    }

    fn release_parked(
        &self,
        lease: ShardLease,
        entry: ParkedEntry,
        limit: u32,
    ) -> StoreFuture<'_, Release> {
        Box::pin(self.release_entry(lease, entry, limit))
    }

    fn parked(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<ParkedEntry>> {
        Box::pin(self.list_parked(after, limit))
    }

    fn retry_parked(&self, which: WhichParked) -> StoreFuture<'_, u64> {
        Box::pin(self.retry(which))
    }

    fn skip_parked(&self, id: i64) -> StoreFuture<'_, bool> {
        Box::pin(self.skip(id))
    }

    fn purge_parked(&self, id: i64, limit: u32) -> StoreFuture<'_, u64> {
        Box::pin(self.purge(id, limit))
    }

    fn status(&self, now: Timestamp) -> StoreFuture<'_, OutboxStatus> {
        Box::pin(self.read_status(now))
    }

    fn published_since(
        &self,
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> StoreFuture<'_, Vec<PublishedRow>> {
        Box::pin(self.fetch_published(shards, since, after, limit))
    }

    fn newest_published(
        &self,
        shards: Vec<u16>,
        within: Duration,
    ) -> StoreFuture<'_, Vec<KeptRow>> {
        Box::pin(self.newest_of_streams(shards, within))
    }

    fn published_before(
        &self,
        shards: Vec<u16>,
        stream: Text,
        since: Timestamp,
        before: (Timestamp, i64),
        limit: u32,
    ) -> StoreFuture<'_, Vec<KeptRow>> {
        Box::pin(self.kept_before(shards, stream, since, before, limit))
    }

    fn clean(&self, before: Timestamp, limit: u32) -> StoreFuture<'_, u64> {
        Box::pin(self.delete_published(before, limit))
    }
}

//! `PostgresOutbox`: the tables of an outbox on PostgreSQL, as a relay uses them.

mod cleaned;
mod counting;
mod kept;
mod leases;
mod operator;
mod recover;
mod rows;
mod settling;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::outbox::{
    ConfirmedRow, Except, KeptRow, KeyPosition, Membership, OutboxRow, OutboxStatus, OutboxStore,
    ParkReason, ParkedEntry, PendingWork, PublishedRow, RelayId, Release, ShardLease,
    ShardPosition, StoreFuture, WhichParked,
};
use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{Pool, Postgres, Transaction};

use super::begin::begin_with;
use super::migrations::SHARDS;
use super::schema;
use super::sql::Sql;
use crate::error::store_error;
use crate::tables::{Statement, Tables};
use cleaned::Cleaned;
use counting::Counting;
use settling::Settling;

/// Begins a transaction, in one round trip. A relay that is frozen within a transaction, or whose machine is
/// gone, would keep the locks of its shards, and no other relay could claim them: the server ends such a
/// transaction after 5 seconds without a statement.
const BEGIN: &str = "begin; set local idle_in_transaction_session_timeout = '5s'";

#[derive(Clone)]
pub(super) struct PostgresOutbox(Arc<Inner>);

struct Inner {
    pool: Pool<Postgres>,
    tables: Tables,
    name: String,
    sql: Sql,
    /// Whether statements are prepared by name.
    named: bool,
    settling: Settling,
    cleaned: Mutex<Cleaned>,
    counting: Mutex<Counting>,
}

impl PostgresOutbox {
    pub(super) fn new(pool: Pool<Postgres>, tables: &Tables, named: bool) -> Self {
        Self(Arc::new(Inner {
            pool,
            tables: tables.clone(),
            name: tables.table("outbox").replace('"', ""),
            sql: Sql::new(tables),
            named,
            settling: Settling::default(),
            cleaned: Mutex::default(),
            counting: Mutex::default(),
        }))
    }

    fn sql(&self) -> &Sql {
        &self.0.sql
    }

    /// A statement to bind values to.
    fn query(&self, statement: &Statement) -> Query<'static, Postgres, PgArguments> {
        sqlx::query(statement.sql()).persistent(self.0.named)
    }

    /// A transaction. Single statements need one too: sqlx prepares a statement and executes it in two
    /// steps, and between them a proxy may change the connection.
    async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        begin_with(&self.0.pool, BEGIN).await.map_err(store_error)
    }

    /// Executes a statement in a transaction of its own.
    ///
    /// A statement that is prepared by name goes to a connection of this pool alone: without a proxy, the
    /// database makes the transaction, and that saves two round trips.
    async fn fetch_alone(
        &self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, StoreError> {
        if self.0.named {
            return query.fetch_all(&self.0.pool).await.map_err(store_error);
        }
        let mut tx = self.begin().await?;
        let rows = query.fetch_all(&mut *tx).await.map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(rows)
    }

    fn counting(&self) -> MutexGuard<'_, Counting> {
        let counting = self.0.counting.lock();
        counting.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the lease is the current one; if so, it stays so until the end of the transaction.
    async fn lock_lease(
        &self,
        connection: &mut PgConnection,
        lease: ShardLease,
    ) -> Result<bool, StoreError> {
        let locked = self
            .query(&self.sql().lock_lease)
            .bind(signed_shard(lease.shard))
            .bind(lease.epoch)
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
        Ok(locked.is_some())
    }
}

/// A shard as a column has it.
fn signed_shard(shard: u16) -> i16 {
    i16::try_from(shard).unwrap_or(i16::MAX)
}

fn signed_shards(shards: &[u16]) -> Vec<i16> {
    shards.iter().copied().map(signed_shard).collect()
}

impl fmt::Debug for PostgresOutbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOutbox")
            .field("tables", &self.0.tables)
            .finish_non_exhaustive()
    }
}

impl OutboxStore for PostgresOutbox {
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

//! Reading and marking rows on PostgreSQL.

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::outbox::{
    ConfirmedRow, Except, KeyPosition, OutboxRow, ParkReason, ParkedEntry, PendingWork,
    PublishedRow, RelayId, Release, ShardLease, ShardPosition,
};
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::{PostgresOutbox, signed_shard, signed_shards};
use crate::error::store_error;
use crate::row::{raw_parked, raw_row, signed};

impl PostgresOutbox {
    pub(super) async fn fetch_from(
        &self,
        shards: Vec<ShardPosition>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let (shards, positions, floors) = columns(&shards);
        let limit = i64::from(limit);
        let count = i64::try_from(shards.len()).unwrap_or(i64::MAX).max(1);
        let of_each = limit.saturating_add(count - 1) / count;
        let query = self
            .query(&self.sql().fetch)
            .bind(shards)
            .bind(positions)
            .bind(limit)
            .bind(floors)
            .bind(of_each);
        read_rows(&self.fetch_alone(query).await?)
    }

    pub(super) async fn fetch_under(
        &self,
        shards: Vec<ShardPosition>,
        except: Except,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let (shards, positions, floors) = columns(&shards);
        let keys: Vec<_> = except
            .keys
            .iter()
            .map(|key| key.as_str().to_owned())
            .collect();
        let query = self
            .query(&self.sql().fetch_below)
            .bind(shards)
            .bind(positions)
            .bind(i64::from(limit))
            .bind(except.rows)
            .bind(keys)
            .bind(floors);
        read_rows(&self.fetch_alone(query).await?)
    }

    pub(super) async fn fetch_of_keys(
        &self,
        keys: Vec<KeyPosition>,
        except: Vec<i64>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let shards: Vec<_> = keys.iter().map(|key| signed_shard(key.shard)).collect();
        let names: Vec<_> = keys.iter().map(|key| key.key.as_str().to_owned()).collect();
        let positions: Vec<_> = keys.iter().map(|key| key.below).collect();
        let lowest: Vec<_> = keys.iter().map(|key| key.from).collect();
        let query = self
            .query(&self.sql().fetch_keys)
            .bind(shards)
            .bind(names)
            .bind(positions)
            .bind(i64::from(limit))
            .bind(except)
            .bind(lowest);
        read_rows(&self.fetch_alone(query).await?)
    }

    pub(super) async fn fetch_scheduled(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
        except: Vec<i64>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let (shards, now) = (signed_shards(&shards), now.as_microsecond());
        let mut tx = self.begin().await?;
        // From here on they cannot be cancelled.
        self.query(&self.sql().claim_due)
            .bind(now)
            .bind(i64::from(limit))
            .bind(&shards)
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        let found = self
            .query(&self.sql().fetch_due)
            .bind(now)
            .bind(i64::from(limit))
            .bind(&shards)
            .bind(except)
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        read_rows(&found)
    }

    pub(super) async fn look(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
    ) -> Result<PendingWork, StoreError> {
        let mut tx = self.begin().await?;
        let shards = signed_shards(&shards);
        let due = self
            .query(&self.sql().has_due)
            .bind(now.as_microsecond())
            .bind(&shards)
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(store_error)?;
        let releases = self
            .query(&self.sql().releases)
            .bind(&shards)
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(PendingWork::new(due, read_parked(&releases)?))
    }

    pub(super) async fn fetch_published(
        &self,
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Vec<PublishedRow>, StoreError> {
        let mut tx = self.begin().await?;
        let found = self
            .query(&self.sql().published)
            .bind(since.as_microsecond())
            .bind(after)
            .bind(i64::from(limit))
            .bind(signed_shards(&shards))
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        let read = |row: &PgRow| {
            let stream: Option<String> = row.try_get(11)?;
            let sequence: Option<i64> = row.try_get(12)?;
            let published_at: Option<i64> = row.try_get(13)?;
            let published_at = published_at.and_then(|at| Timestamp::from_microsecond(at).ok());
            Ok(PublishedRow::new(
                raw_row!(row)?.into_row(),
                stream.map(Text::from),
                sequence.and_then(|sequence| u64::try_from(sequence).ok()),
                published_at.unwrap_or_default(),
            ))
        };
        found
            .iter()
            .map(read)
            .collect::<Result<_, sqlx::Error>>()
            .map_err(store_error)
    }

    pub(super) async fn mark(
        &self,
        relay: RelayId,
        rows: Vec<ConfirmedRow>,
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let shards: Vec<_> = rows.iter().map(|row| signed_shard(row.shard)).collect();
        let epochs: Vec<_> = rows.iter().map(|row| row.epoch).collect();
        let streams: Vec<_> = rows
            .iter()
            .map(|row| row.stream.as_deref().map(str::to_owned))
            .collect();
        let sequences: Vec<_> = rows.iter().map(|row| row.sequence.map(signed)).collect();
        let times = rows.iter().map(|row| row.published_at);
        let times: Vec<_> = times.map(|at| at.map(Timestamp::as_microsecond)).collect();
        let query = self
            .query(&self.sql().mark)
            .bind(relay.to_string())
            .bind(now.as_microsecond())
            .bind(ids)
            .bind(shards)
            .bind(epochs)
            .bind(streams)
            .bind(sequences)
            .bind(times);
        let marked = self.fetch_alone(query).await?;
        marked
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, sqlx::Error>>()
            .map_err(store_error)
    }

    pub(super) async fn record(
        &self,
        lease: ShardLease,
        id: i64,
        attempts: u32,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !self.lock_lease(&mut tx, lease).await? {
            return Ok(false);
        }
        self.query(&self.sql().record_failure)
            .bind(id)
            .bind(i64::from(attempts))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(true)
    }

    pub(super) async fn park_row(
        &self,
        lease: ShardLease,
        id: i64,
        reason: ParkReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = self.sql();
        let mut tx = self.begin().await?;
        if !self.lock_lease(&mut tx, lease).await? {
            return Ok(false);
        }
        let parked = self
            .query(&sql.park)
            .bind(id)
            .bind(i64::from(reason.attempts))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        if parked.rows_affected() == 1 {
            self.query(&sql.forget_parked)
                .bind(id)
                .bind(signed_shard(lease.shard))
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            self.query(&sql.add_parked)
                .bind(id)
                .bind(reason.class.as_str())
                .bind(reason.error.as_str())
                .bind(i64::from(reason.attempts))
                .bind(now.as_microsecond())
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)?;
        Ok(true)
    }

    pub(super) async fn move_behind(
        &self,
        lease: ShardLease,
        key: String,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        if !self.lock_lease(&mut tx, lease).await? {
            return Ok(0);
        }
        // While a release runs, the parked rows are still visible as parked here: without this lock,
        // rows would be moved behind a row that is not parked any more, and stay there.
        let parked = self
            .query(&self.sql().lock_parked)
            .bind(signed_shard(lease.shard))
            .bind(key.clone())
            .fetch_optional(&mut *tx)
            .await
            .map_err(store_error)?;
        if parked.is_none() {
            return Ok(0);
        }
        let moved = self
            .query(&self.sql().park_behind)
            .bind(signed_shard(lease.shard))
            .bind(key)
            .bind(i64::from(limit))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(moved.rows_affected())
    }

    pub(super) async fn release_entry(
        &self,
        lease: ShardLease,
        entry: ParkedEntry,
        limit: u32,
    ) -> Result<Release, StoreError> {
        let sql = self.sql();
        let mut tx = self.begin().await?;
        if !self.lock_lease(&mut tx, lease).await? {
            return Ok(Release::Refused);
        }
        let releasing = self
            .query(&sql.is_releasing)
            .bind(entry.id)
            .fetch_optional(&mut *tx)
            .await
            .map_err(store_error)?;
        if releasing.is_none() {
            return Ok(Release::Refused);
        }
        let partly = if let Some(key) = entry.key.as_deref() {
            let released = self
                .query(&sql.release_key)
                .bind(signed_shard(lease.shard))
                .bind(key.to_owned())
                .bind(i64::from(limit))
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            released.rows_affected() >= u64::from(limit)
        } else {
            self.query(&sql.release_row)
                .bind(entry.id)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            false
        };
        if !partly {
            self.query(&sql.remove_parked)
                .bind(entry.id)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)?;
        self.counting().released();
        Ok(if partly {
            Release::Partly
        } else {
            Release::Done
        })
    }
}

/// Shards, positions and floors as the parameters of a statement.
fn columns(positions: &[ShardPosition]) -> (Vec<i16>, Vec<i64>, Vec<i64>) {
    let shards = positions.iter().map(|at| signed_shard(at.shard));
    let from = positions.iter().map(|at| at.from);
    let floors = positions.iter().map(|at| at.floor);
    (shards.collect(), from.collect(), floors.collect())
}

fn read_rows(found: &[PgRow]) -> Result<Vec<OutboxRow>, StoreError> {
    found
        .iter()
        .map(|row| Ok(raw_row!(row)?.into_row()))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(store_error)
}

pub(super) fn read_parked(found: &[PgRow]) -> Result<Vec<ParkedEntry>, StoreError> {
    found
        .iter()
        .map(|row| Ok(raw_parked!(row)?.into_entry()))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(store_error)
}

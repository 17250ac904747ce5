//! Reading and marking rows on SQLite.

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::outbox::{
    ConfirmedRow, Except, KeyPosition, OutboxRow, ParkReason, ParkedEntry, PendingWork,
    PublishedRow, RelayId, Release, ShardLease, ShardPosition,
};
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::SqliteOutbox;
use crate::error::store_error;
use crate::row::{raw_parked, raw_row, signed};

impl SqliteOutbox {
    pub(super) async fn fetch_from(
        &self,
        shards: Vec<ShardPosition>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut rows = Vec::new();
        let mut connection = self.connection().await?;
        for ShardPosition { shard, from, floor } in shards {
            let found = sqlx::query(self.sql().fetch.sql())
                .bind(i64::from(shard))
                .bind(from)
                .bind(i64::from(limit))
                .bind(floor)
                .fetch_all(&mut *connection)
                .await
                .map_err(store_error)?;
            read_rows(&found, &mut rows)?;
        }
        Ok(rows)
    }

    pub(super) async fn fetch_under(
        &self,
        shards: Vec<ShardPosition>,
        except: Except,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut rows = Vec::new();
        let names: Vec<_> = except.keys.iter().map(Text::as_str).collect();
        let names = serde_json::Value::from(names).to_string();
        let mut connection = self.connection().await?;
        for ShardPosition { shard, from, floor } in shards {
            let found = sqlx::query(self.sql().fetch_below.sql())
                .bind(i64::from(shard))
                .bind(from)
                .bind(i64::from(limit))
                .bind(json_of(&except.rows))
                .bind(&names)
                .bind(floor)
                .fetch_all(&mut *connection)
                .await
                .map_err(store_error)?;
            read_rows(&found, &mut rows)?;
        }
        Ok(rows)
    }

    pub(super) async fn fetch_of_keys(
        &self,
        keys: Vec<KeyPosition>,
        except: Vec<i64>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let keys: Vec<_> = keys
            .iter()
            .map(|it| serde_json::json!([it.shard, it.key.as_str(), it.from, it.below]))
            .collect();
        let mut connection = self.connection().await?;
        let found = sqlx::query(self.sql().fetch_keys.sql())
            .bind(serde_json::Value::Array(keys).to_string())
            .bind(i64::from(limit))
            .bind(json_of(&except))
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        let mut rows = Vec::with_capacity(found.len());
        read_rows(&found, &mut rows)?;
        Ok(rows)
    }

    /// The id above the last one of a committed transaction. SQLite has one writer at a time: a
    /// transaction that runs, or begins later, takes higher ids. What a rolled back transaction took is
    /// not counted.
    pub(super) async fn settled_id(&self) -> Result<i64, StoreError> {
        let mut connection = self.connection().await?;
        let last: Option<i64> = sqlx::query_scalar(self.sql().last_id.sql())
            .fetch_optional(&mut *connection)
            .await
            .map_err(store_error)?;
        Ok(last.map_or(i64::MIN, |id| id.saturating_add(1)))
    }

    pub(super) async fn fetch_scheduled(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
        except: Vec<i64>,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut rows = Vec::new();
        if shards.is_empty() {
            return Ok(rows);
        }
        let now = now.as_microsecond();
        let mut tx = self.begin().await?;
        // From here on they cannot be cancelled.
        sqlx::query(self.sql().claim_due.sql())
            .bind(now)
            .bind(i64::from(limit))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        let found = sqlx::query(self.sql().fetch_due.sql())
            .bind(now)
            .bind(i64::from(limit))
            .bind(json_of(&except))
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        read_rows(&found, &mut rows)?;
        Ok(rows)
    }

    pub(super) async fn look(
        &self,
        shards: Vec<u16>,
        now: Timestamp,
    ) -> Result<PendingWork, StoreError> {
        if shards.is_empty() {
            return Ok(PendingWork::default());
        }
        let mut connection = self.connection().await?;
        let due = sqlx::query_scalar(self.sql().has_due.sql())
            .bind(now.as_microsecond())
            .fetch_one(&mut *connection)
            .await
            .map_err(store_error)?;
        let releases = sqlx::query(self.sql().releases.sql())
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        Ok(PendingWork::new(due, read_parked(&releases)?))
    }

    pub(super) async fn fetch_published(
        &self,
        shards: Vec<u16>,
        since: Timestamp,
        after: i64,
        limit: u32,
    ) -> Result<Vec<PublishedRow>, StoreError> {
        if shards.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.connection().await?;
        let found = sqlx::query(self.sql().published.sql())
            .bind(since.as_microsecond())
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        let read = |row: &SqliteRow| {
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
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                serde_json::json!([
                    row.id,
                    row.shard,
                    row.epoch,
                    row.stream.as_deref(),
                    row.sequence.map(signed),
                    row.published_at.map(Timestamp::as_microsecond)
                ])
            })
            .collect();
        let mut tx = self.begin().await?;
        let marked = sqlx::query_scalar(self.sql().mark.sql())
            .bind(relay.to_string())
            .bind(now.as_microsecond())
            .bind(serde_json::Value::Array(rows).to_string())
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(marked)
    }

    pub(super) async fn record(
        &self,
        lease: ShardLease,
        id: i64,
        attempts: u32,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let recorded = sqlx::query(self.sql().record_failure.sql())
            .bind(i64::from(lease.shard))
            .bind(lease.epoch)
            .bind(id)
            .bind(i64::from(attempts))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(recorded.rows_affected() == 1)
    }

    pub(super) async fn park_row(
        &self,
        lease: ShardLease,
        id: i64,
        reason: ParkReason,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (sql, shard) = (self.sql(), i64::from(lease.shard));
        let mut tx = self.begin().await?;
        if !self.is_current(&mut tx, lease).await? {
            return Ok(false);
        }
        let parked = sqlx::query(sql.park.sql())
            .bind(shard)
            .bind(lease.epoch)
            .bind(id)
            .bind(i64::from(reason.attempts))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        if parked.rows_affected() == 1 {
            sqlx::query(sql.forget_parked.sql())
                .bind(id)
                .bind(shard)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            sqlx::query(sql.add_parked.sql())
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
        let moved = sqlx::query(self.sql().park_behind.sql())
            .bind(i64::from(lease.shard))
            .bind(lease.epoch)
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
        let (sql, shard) = (self.sql(), i64::from(lease.shard));
        let mut tx = self.begin().await?;
        let releasing: bool = sqlx::query_scalar(sql.is_releasing.sql())
            .bind(shard)
            .bind(lease.epoch)
            .bind(entry.id)
            .fetch_one(&mut *tx)
            .await
            .map_err(store_error)?;
        if !releasing {
            return Ok(Release::Refused);
        }
        let partly = if let Some(key) = entry.key.as_deref() {
            let released = sqlx::query(sql.release_key.sql())
                .bind(shard)
                .bind(key)
                .bind(i64::from(limit))
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            released.rows_affected() >= u64::from(limit)
        } else {
            sqlx::query(sql.release_row.sql())
                .bind(entry.id)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            false
        };
        if !partly {
            sqlx::query(sql.remove_parked.sql())
                .bind(entry.id)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)?;
        Ok(if partly {
            Release::Partly
        } else {
            Release::Done
        })
    }
}

fn read_rows(found: &[SqliteRow], rows: &mut Vec<OutboxRow>) -> Result<(), StoreError> {
    let read =
        |row: &SqliteRow| -> Result<OutboxRow, sqlx::Error> { Ok(raw_row!(row)?.into_row()) };
    for row in found {
        rows.push(read(row).map_err(store_error)?);
    }
    Ok(())
}

pub(super) fn read_parked(found: &[SqliteRow]) -> Result<Vec<ParkedEntry>, StoreError> {
    found
        .iter()
        .map(|row| Ok(raw_parked!(row)?.into_entry()))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(store_error)
}

fn json_of(ids: &[i64]) -> String {
    serde_json::Value::from(ids).to_string()
}

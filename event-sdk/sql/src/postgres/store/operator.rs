//! Parked entries, status and cleaning on PostgreSQL.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{Counted, OutboxStatus, ParkedEntry, WhichParked};
use jiff::Timestamp;
use sqlx::{PgConnection, Row as _};

use super::rows::read_parked;
use super::{PostgresOutbox, SHARDS, signed_shard};
use crate::error::store_error;
use crate::row::signed;

impl PostgresOutbox {
    pub(super) async fn list_parked(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ParkedEntry>, StoreError> {
        let mut tx = self.begin().await?;
        let found = self
            .query(&self.sql().parked)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        read_parked(&found)
    }

    pub(super) async fn retry(&self, which: WhichParked) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let sql = self.sql();
        let query = match which {
            WhichParked::All => self.query(&sql.retry_all),
            WhichParked::Key(key) => self.query(&sql.retry_key).bind(key.to_string()),
            WhichParked::Row(id) => self.query(&sql.retry_row).bind(id),
            _ => return Ok(0),
        };
        let retried = query.execute(&mut *tx).await.map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(retried.rows_affected())
    }

    pub(super) async fn skip(&self, id: i64) -> Result<bool, StoreError> {
        let sql = self.sql();
        let mut tx = self.begin().await?;
        let Some((_, key)) = self.find_parked(&mut tx, id).await? else {
            return Ok(false);
        };
        let deleted = self
            .query(&sql.delete_row)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        if deleted.rows_affected() == 0 {
            let row = self
                .query(&sql.has_row)
                .bind(id)
                .fetch_optional(&mut *tx)
                .await
                .map_err(store_error)?;
            if row.is_some() {
                // It was released, and is on its way.
                return Ok(false);
            }
        }
        let then = if key.is_some() {
            &sql.retry_row
        } else {
            &sql.remove_parked
        };
        self.query(then)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(true)
    }

    pub(super) async fn purge(&self, id: i64, limit: u32) -> Result<u64, StoreError> {
        let sql = self.sql();
        let mut tx = self.begin().await?;
        let Some((shard, key)) = self.find_parked(&mut tx, id).await? else {
            return Ok(0);
        };
        let query = match key {
            Some(key) => self
                .query(&sql.purge_key)
                .bind(shard)
                .bind(key)
                .bind(i64::from(limit)),
            None => self.query(&sql.delete_row).bind(id),
        };
        let purged = query.execute(&mut *tx).await.map_err(store_error)?;
        let purged = purged.rows_affected();
        if purged < u64::from(limit) {
            self.query(&sql.remove_parked)
                .bind(id)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)?;
        Ok(purged)
    }

    async fn find_parked(
        &self,
        connection: &mut PgConnection,
        id: i64,
    ) -> Result<Option<(i64, Option<String>)>, StoreError> {
        let found = self
            .query(&self.sql().find_parked)
            .bind(id)
            .fetch_optional(connection)
            .await
            .map_err(store_error)?;
        let read = |row: sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
        found
            .map(read)
            .transpose()
            .map_err(|error: sqlx::Error| store_error(error))
    }

    pub(super) async fn read_status(&self, now: Timestamp) -> Result<OutboxStatus, StoreError> {
        // Before the read, which sees all rows below it.
        let settled = self.settled_id().await?;
        let begun = self.counting().begin(Instant::now());
        let mut tx = self.begin().await?;
        let since = now - OutboxStatus::RATE_WINDOW;
        let shards: Vec<_> = (0..SHARDS).map(signed_shard).collect();
        let row = self
            .query(&self.sql().status)
            .bind(signed(Counted::LIMIT + 1))
            .bind(since.as_microsecond())
            .bind(shards)
            .bind(begun.floors.clone())
            .fetch_one(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        let counted = |index: usize| -> Result<Counted, StoreError> {
            let rows: i64 = row.try_get(index).map_err(store_error)?;
            Ok(Counted::new(u64::try_from(rows).unwrap_or(0)))
        };
        let oldest: Option<i64> = row.try_get(4).map_err(store_error)?;
        let relays: i64 = row.try_get(6).map_err(store_error)?;
        let first: Vec<Option<i64>> = row.try_get(7).map_err(store_error)?;
        self.counting()
            .found(&begun, &first, settled, Instant::now());
        let mut status = OutboxStatus::default();
        status.depth = counted(0)?;
        status.scheduled = counted(1)?;
        status.parked_rows = counted(2)?;
        status.parked_keys = counted(3)?;
        status.oldest_age = oldest.map(|at| {
            let age = now.as_microsecond().saturating_sub(at);
            Duration::from_micros(u64::try_from(age).unwrap_or(0))
        });
        status.published_lately = counted(5)?;
        status.relays = u32::try_from(relays).unwrap_or(u32::MAX);
        Ok(status)
    }

    pub(super) async fn delete_published(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let cleaned = || {
            self.0
                .cleaned
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let begun = Instant::now();
        let from = cleaned().from(begun);
        let mut tx = self.begin().await?;
        let deleted = self
            .query(&self.sql().clean)
            .bind(before.as_microsecond())
            .bind(i64::from(limit))
            .bind(from)
            .fetch_one(&mut *tx)
            .await
            .map_err(store_error)?;
        self.query(&self.sql().clean_relays)
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        let rows: i64 = deleted.try_get(0).map_err(store_error)?;
        let last = deleted.try_get(1).map_err(store_error)?;
        cleaned().deleted(from, last, begun.elapsed(), Instant::now());
        Ok(u64::try_from(rows).unwrap_or(0))
    }
}

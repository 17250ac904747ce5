//! Leases of relays on SQLite.

use std::time::Duration;

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{Membership, RelayId, ShardLease};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::SqliteOutbox;
use crate::error::store_error;
use crate::row::micros;

impl SqliteOutbox {
    pub(super) async fn renew_leases(
        &self,
        relay: RelayId,
        ttl: Duration,
    ) -> Result<Membership, StoreError> {
        let (sql, relay, ttl) = (self.sql(), relay.to_string(), micros(ttl));
        let mut tx = self.begin().await?;
        for statement in [&sql.register, &sql.renew] {
            sqlx::query(statement.sql())
                .bind(&relay)
                .bind(ttl)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        let owned = sqlx::query(sql.owned.sql())
            .bind(&relay)
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        let relays: i64 = sqlx::query_scalar(sql.relays.sql())
            .fetch_one(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        let relays = u32::try_from(relays).unwrap_or(1);
        Ok(Membership::new(leases(&owned)?, relays))
    }

    pub(super) async fn claim_shards(
        &self,
        relay: RelayId,
        ttl: Duration,
        at_most: u16,
    ) -> Result<Vec<ShardLease>, StoreError> {
        let mut tx = self.begin().await?;
        let claimed = sqlx::query(self.sql().claim.sql())
            .bind(relay.to_string())
            .bind(micros(ttl))
            .bind(i64::from(at_most))
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        leases(&claimed)
    }

    pub(super) async fn release_shards(
        &self,
        relay: RelayId,
        shards: Vec<ShardLease>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for lease in shards {
            sqlx::query(self.sql().release.sql())
                .bind(relay.to_string())
                .bind(i64::from(lease.shard))
                .bind(lease.epoch)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)
    }

    pub(super) async fn leave_all(&self, relay: RelayId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for statement in [&self.sql().release_all, &self.sql().unregister] {
            sqlx::query(statement.sql())
                .bind(relay.to_string())
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)
    }

    pub(super) async fn claim_cleaner(
        &self,
        relay: RelayId,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let claimed = sqlx::query(self.sql().claim_cleaning.sql())
            .bind(relay.to_string())
            .bind(micros(ttl))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(claimed.rows_affected() == 1)
    }
}

fn leases(rows: &[SqliteRow]) -> Result<Vec<ShardLease>, StoreError> {
    let lease = |row: &SqliteRow| {
        let shard: i64 = row.try_get(0)?;
        Ok(ShardLease {
            shard: u16::try_from(shard).unwrap_or(u16::MAX),
            epoch: row.try_get(1)?,
        })
    };
    rows.iter()
        .map(lease)
        .collect::<Result<_, sqlx::Error>>()
        .map_err(store_error)
}

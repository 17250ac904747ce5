//! Leases of relays on PostgreSQL.

use std::time::Duration;

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{Membership, RelayId, ShardLease};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::{PostgresOutbox, signed_shard};
use crate::error::store_error;
use crate::row::micros;

impl PostgresOutbox {
    pub(super) async fn renew_leases(
        &self,
        relay: RelayId,
        ttl: Duration,
    ) -> Result<Membership, StoreError> {
        let (relay, ttl) = (relay.to_string(), micros(ttl));
        let mut tx = self.begin().await?;
        self.query(&self.sql().register)
            .bind(&relay)
            .bind(ttl)
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        let owned = self
            .query(&self.sql().renew)
            .bind(&relay)
            .bind(ttl)
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        let relays = self
            .query(&self.sql().relays)
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get::<i64, _>(0))
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
        let claimed = self
            .query(&self.sql().claim)
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
        leases: Vec<ShardLease>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let shards: Vec<_> = leases
            .iter()
            .map(|lease| signed_shard(lease.shard))
            .collect();
        let epochs: Vec<_> = leases.iter().map(|lease| lease.epoch).collect();
        self.query(&self.sql().release)
            .bind(relay.to_string())
            .bind(shards)
            .bind(epochs)
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn leave_all(&self, relay: RelayId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        self.query(&self.sql().leave)
            .bind(relay.to_string())
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn claim_cleaner(
        &self,
        relay: RelayId,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let claimed = self
            .query(&self.sql().claim_cleaning)
            .bind(relay.to_string())
            .bind(micros(ttl))
            .execute(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        Ok(claimed.rows_affected() == 1)
    }
}

/// The leases of rows with a shard and an epoch; without the right to clean, whose shard is negative.
fn leases(rows: &[PgRow]) -> Result<Vec<ShardLease>, StoreError> {
    let mut leases = Vec::with_capacity(rows.len());
    for row in rows {
        let shard: i64 = row.try_get(0).map_err(store_error)?;
        let epoch = row.try_get(1).map_err(store_error)?;
        if let Ok(shard) = u16::try_from(shard) {
            leases.push(ShardLease { shard, epoch });
        }
    }
    Ok(leases)
}

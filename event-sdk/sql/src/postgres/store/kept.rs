//! Places of published rows in their streams, on PostgreSQL.

use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::outbox::KeptRow;
use jiff::Timestamp;

use super::{PostgresOutbox, signed_shards};
use crate::error::store_error;
use crate::row::{kept_row, micros};

impl PostgresOutbox {
    pub(super) async fn newest_of_streams(
        &self,
        shards: Vec<u16>,
        within: Duration,
    ) -> Result<Vec<KeptRow>, StoreError> {
        let mut tx = self.begin().await?;
        let found = self
            .query(&self.sql().newest_published)
            .bind(micros(within))
            .bind(signed_shards(&shards))
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        let rows = found.iter().map(|row| kept_row!(row));
        rows.collect::<Result<_, sqlx::Error>>()
            .map_err(store_error)
    }

    pub(super) async fn kept_before(
        &self,
        shards: Vec<u16>,
        stream: Text,
        since: Timestamp,
        before: (Timestamp, i64),
        limit: u32,
    ) -> Result<Vec<KeptRow>, StoreError> {
        let mut tx = self.begin().await?;
        let found = self
            .query(&self.sql().published_before)
            .bind(stream.as_str().to_owned())
            .bind(since.as_microsecond())
            .bind(before.0.as_microsecond())
            .bind(before.1)
            .bind(i64::from(limit))
            .bind(signed_shards(&shards))
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        tx.commit().await.map_err(store_error)?;
        let rows = found.iter().map(|row| kept_row!(row));
        rows.collect::<Result<_, sqlx::Error>>()
            .map_err(store_error)
    }
}

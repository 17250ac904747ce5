//! Places of published rows in their streams, on SQLite.

use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::outbox::KeptRow;
use jiff::Timestamp;

use super::SqliteOutbox;
use crate::error::store_error;
use crate::row::{kept_row, micros};

impl SqliteOutbox {
    pub(super) async fn newest_of_streams(
        &self,
        shards: Vec<u16>,
        within: Duration,
    ) -> Result<Vec<KeptRow>, StoreError> {
        if shards.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.connection().await?;
        let found = sqlx::query(self.sql().newest_published.sql())
            .bind(micros(within))
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
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
        if shards.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.connection().await?;
        let found = sqlx::query(self.sql().published_before.sql())
            .bind(stream.as_str().to_owned())
            .bind(since.as_microsecond())
            .bind(before.0.as_microsecond())
            .bind(before.1)
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await
            .map_err(store_error)?;
        let rows = found.iter().map(|row| kept_row!(row));
        rows.collect::<Result<_, sqlx::Error>>()
            .map_err(store_error)
    }
}

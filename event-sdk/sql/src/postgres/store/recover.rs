//! The rows of an outbox for a recovery, on PostgreSQL.

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{StoreFuture, headers_to_json};
use event_sdk_store::recover::{AdoptedMessage, OutboxEntry, RecoverableOutbox, RowAt};
use jiff::Timestamp;
use sqlx::Row as _;

use super::PostgresOutbox;
use crate::error::store_error;
use crate::row::{raw_entry, signed};

impl RecoverableOutbox for PostgresOutbox {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn relays(&self) -> StoreFuture<'_, u32> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            let found = self.query(&self.sql().relays).fetch_one(&mut *tx).await;
            let relays: i64 = found.and_then(|row| row.try_get(0)).map_err(store_error)?;
            tx.commit().await.map_err(store_error)?;
            Ok(u32::try_from(relays).unwrap_or(u32::MAX))
        })
    }

    fn entries(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<OutboxEntry>> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            let found = self
                .query(&self.sql().entries)
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut *tx)
                .await
                .map_err(store_error)?;
            tx.commit().await.map_err(store_error)?;
            found
                .iter()
                .map(|row| raw_entry!(row))
                .collect::<Result<_, sqlx::Error>>()
                .map_err(store_error)
        })
    }

    fn publish_again(&self, rows: Vec<RowAt>) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut tx = self.begin().await?;
            let (ids, streams, sequences) = columns(&rows);
            let ready = self
                .query(&self.sql().publish_again)
                .bind(ids)
                .bind(streams)
                .bind(sequences)
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            tx.commit().await.map_err(store_error)?;
            Ok(ready.rows_affected())
        })
    }

    fn mark_found(&self, rows: Vec<RowAt>, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let sql = self.sql();
            let mut tx = self.begin().await?;
            let (ids, streams, sequences) = columns(&rows);
            let marked = self
                .query(&sql.mark_found)
                .bind(&ids)
                .bind(streams)
                .bind(sequences)
                .bind(now.as_microsecond())
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            for statement in [&sql.forget_found, &sql.release_found] {
                self.query(statement)
                    .bind(&ids)
                    .execute(&mut *tx)
                    .await
                    .map_err(store_error)?;
            }
            tx.commit().await.map_err(store_error)?;
            Ok(marked.rows_affected())
        })
    }

    fn adopt(&self, messages: Vec<AdoptedMessage>) -> StoreFuture<'_, ()> {
        Box::pin(self.insert_published(messages))
    }
}

impl PostgresOutbox {
    async fn insert_published(&self, messages: Vec<AdoptedMessage>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for adopted in messages {
            let message = adopted.message;
            self.query(&self.sql().adopt)
                .bind(message.key.as_deref().map(str::to_owned))
                .bind(message.subject.as_str().to_owned())
                .bind(message.message_id.as_str().to_owned())
                .bind(headers_to_json(&message.headers))
                .bind(message.body.to_vec())
                .bind(message.created_at.as_microsecond())
                .bind(adopted.stored_at.as_microsecond())
                .bind(adopted.stream.as_str().to_owned())
                .bind(signed(adopted.sequence))
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)
    }
}

/// Rows as the parameters of a statement.
fn columns(rows: &[RowAt]) -> (Vec<i64>, Vec<String>, Vec<Option<i64>>) {
    (
        rows.iter().map(|row| row.id).collect(),
        rows.iter().map(|row| row.stream.to_string()).collect(),
        rows.iter().map(|row| row.sequence.map(signed)).collect(),
    )
}

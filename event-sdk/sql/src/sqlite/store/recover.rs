//! The rows of an outbox for a recovery, on SQLite.

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{StoreFuture, headers_to_json};
use event_sdk_store::recover::{AdoptedMessage, OutboxEntry, RecoverableOutbox, RowAt};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::SqliteOutbox;
use crate::error::store_error;
use crate::row::{raw_entry, signed};

impl RecoverableOutbox for SqliteOutbox {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn relays(&self) -> StoreFuture<'_, u32> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let relays: i64 = sqlx::query_scalar(self.sql().relays.sql())
                .fetch_one(&mut *connection)
                .await
                .map_err(store_error)?;
            Ok(u32::try_from(relays).unwrap_or(u32::MAX))
        })
    }

    fn entries(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<OutboxEntry>> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let found = sqlx::query(self.sql().entries.sql())
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&mut *connection)
                .await
                .map_err(store_error)?;
            found
                .iter()
                .map(|row| raw_entry!(row))
                .collect::<Result<_, sqlx::Error>>()
                .map_err(store_error)
        })
    }

    fn publish_again(&self, rows: Vec<RowAt>) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let mut connection = self.connection().await?;
            let ready = sqlx::query(self.sql().publish_again.sql())
                .bind(json_of(&rows))
                .execute(&mut *connection)
                .await
                .map_err(store_error)?;
            Ok(ready.rows_affected())
        })
    }

    fn mark_found(&self, rows: Vec<RowAt>, now: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let (sql, rows) = (self.sql(), json_of(&rows));
            let mut tx = self.begin().await?;
            let marked = sqlx::query(sql.mark_found.sql())
                .bind(&rows)
                .bind(now.as_microsecond())
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
            for statement in [&sql.forget_found, &sql.release_found] {
                sqlx::query(statement.sql())
                    .bind(&rows)
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

impl SqliteOutbox {
    async fn insert_published(&self, messages: Vec<AdoptedMessage>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for adopted in messages {
            let message = adopted.message;
            sqlx::query(self.sql().adopt.sql())
                .bind(message.key.as_deref())
                .bind(message.subject.as_str())
                .bind(message.message_id.as_str())
                .bind(headers_to_json(&message.headers))
                .bind(&message.body[..])
                .bind(message.created_at.as_microsecond())
                .bind(adopted.stored_at.as_microsecond())
                .bind(adopted.stream.as_str())
                .bind(signed(adopted.sequence))
                .execute(&mut *tx)
                .await
                .map_err(store_error)?;
        }
        tx.commit().await.map_err(store_error)
    }
}

fn json_of(rows: &[RowAt]) -> String {
    let rows = rows.iter();
    let rows = rows.map(|row| json!([row.id, row.stream.as_str(), row.sequence.map(signed)]));
    Value::Array(rows.collect()).to_string()
}

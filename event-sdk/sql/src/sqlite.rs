//! The outbox on SQLite: one shard, one writer at a time.
//!
//! - `sql`: all statements;
//! - `migrations`: the tables;
//! - `store`: the tables as a relay uses them;
//! - `turn`: the order of the processes that write.

mod inbox;
mod inbox_migrations;
mod migrations;
mod schema;
mod sql;
mod store;
mod turn;

use std::sync::Arc;

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{OutboxMessage, OutboxStore, headers_to_json};
use event_sdk_store::recover::RecoverableOutbox;
use sqlx::{Connection as _, Pool, Sqlite, SqliteConnection, Transaction};

use crate::database::{Backend, SqlFuture, Store};
use crate::error::store_error;
use crate::migrations::{SchemaDifference, SchemaVersion};
use crate::tables::Tables;
use sql::Sql;
use store::SqliteOutbox;
use turn::Turn;

impl Store for Sqlite {}

/// Begins a transaction that waits for other writers here, instead of failing at its first write.
///
/// SQLite rolls a transaction back by itself when the disk is full, and sqlx goes on counting it: the
/// connection can begin none any more. Such connections are closed.
pub(crate) async fn begin(pool: &Pool<Sqlite>) -> Result<Transaction<'static, Sqlite>, StoreError> {
    begin_raw(pool).await.map_err(store_error)
}

/// The same, with the error of sqlx.
async fn begin_raw(pool: &Pool<Sqlite>) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    let mut attempts = pool.options().get_max_connections();
    loop {
        let turn = Turn::wait(pool).await;
        let begun = pool.begin_with("begin immediate").await;
        drop(turn);
        match begun {
            Err(sqlx::Error::InvalidSavePointStatement) if attempts > 0 => {
                attempts -= 1;
                let connection = pool.acquire().await?;
                if connection.is_in_transaction() {
                    // It has no transaction to lose.
                    drop(connection.close().await);
                }
            }
            begun => return begun,
        }
    }
}

impl Backend for Sqlite {
    type Statements = Sql;

    fn statements(tables: &Tables) -> Sql {
        Sql::new(tables)
    }

    fn begin(pool: &Pool<Self>) -> SqlFuture<'_, Transaction<'static, Self>> {
        Box::pin(begin(pool))
    }

    fn insert<'a>(
        connection: &'a mut SqliteConnection,
        sql: &'a Sql,
        message: OutboxMessage,
        _named: bool,
    ) -> SqlFuture<'a, ()> {
        Box::pin(async move {
            // A prepared statement belongs to the connection in this process.
            sqlx::query(sql.insert.sql())
                .bind(message.key.as_deref())
                .bind(message.subject.as_str())
                .bind(message.message_id.as_str())
                .bind(headers_to_json(&message.headers))
                .bind(&message.body[..])
                .bind(message.created_at.as_microsecond())
                .bind(message.not_before.map(jiff::Timestamp::as_microsecond))
                .bind(message.cancel_key.as_deref())
                .execute(connection)
                .await
                .map_err(store_error)?;
            Ok(())
        })
    }

    fn cancel<'a>(
        connection: &'a mut SqliteConnection,
        sql: &'a Sql,
        cancel_key: String,
        _named: bool,
    ) -> SqlFuture<'a, u64> {
        Box::pin(async move {
            let cancelled = sqlx::query(sql.cancel.sql())
                .bind(cancel_key)
                .execute(connection)
                .await
                .map_err(store_error)?;
            Ok(cancelled.rows_affected())
        })
    }

    fn outbox_store(pool: Pool<Self>, tables: &Tables, _named: bool) -> Arc<dyn OutboxStore> {
        Arc::new(SqliteOutbox::new(pool, tables))
    }

    fn recoverable_outbox(
        pool: Pool<Self>,
        tables: &Tables,
        _named: bool,
    ) -> Arc<dyn RecoverableOutbox> {
        Arc::new(SqliteOutbox::new(pool, tables))
    }

    fn migrate<'a>(pool: &'a Pool<Self>, tables: &'a Tables) -> SqlFuture<'a, SchemaVersion> {
        Box::pin(schema::migrate(pool, tables))
    }

    fn check<'a>(pool: &'a Pool<Self>, tables: &'a Tables) -> SqlFuture<'a, SchemaVersion> {
        Box::pin(schema::check(pool, tables))
    }

    fn verify<'a>(
        pool: &'a Pool<Self>,
        tables: &'a Tables,
    ) -> SqlFuture<'a, Vec<SchemaDifference>> {
        Box::pin(schema::verify(pool, tables))
    }
}

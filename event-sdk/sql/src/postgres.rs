//! The outbox on PostgreSQL: 64 shards, any number of writers.
//!
//! No statement needs more than its transaction: no session locks, no LISTEN, and no statements that
//! are prepared by name unless the caller says that nothing pools transactions.
//!
//! - `sql`: all statements;
//! - `migrations`: the tables;
//! - `schema`: creates and checks them;
//! - `store`: the tables as a relay uses them;
//! - `begin`: begins a transaction, and leaves none open if it is dropped meanwhile.

mod begin;
mod inbox;
mod inbox_migrations;
mod migrations;
mod schema;
mod sql;
mod store;

use std::sync::Arc;

use event_sdk_store::outbox::{OutboxMessage, OutboxStore, headers_to_json};
use event_sdk_store::recover::RecoverableOutbox;
use event_sdk_store::{StoreError, StoreErrorKind};
use sqlx::{PgConnection, Pool, Postgres, Transaction};

use crate::database::{Backend, SqlFuture, Store};
use crate::error::store_error;
use crate::migrations::{SchemaDifference, SchemaVersion};
use crate::tables::Tables;
use sql::Sql;
use store::PostgresOutbox;

impl Store for Postgres {}

impl Backend for Postgres {
    type Statements = Sql;

    fn statements(tables: &Tables) -> Sql {
        Sql::new(tables)
    }

    fn begin(pool: &Pool<Self>) -> SqlFuture<'_, Transaction<'static, Self>> {
        Box::pin(async move { begin::begin(pool).await.map_err(store_error) })
    }

    fn insert<'a>(
        connection: &'a mut PgConnection,
        sql: &'a Sql,
        message: OutboxMessage,
        named: bool,
    ) -> SqlFuture<'a, ()> {
        Box::pin(async move {
            check_texts(&message)?;
            sqlx::query(sql.insert.sql())
                .bind(message.key.as_deref())
                .bind(message.subject.as_str())
                .bind(message.message_id.as_str())
                .bind(headers_to_json(&message.headers))
                .bind(&message.body[..])
                .bind(message.created_at.as_microsecond())
                .bind(message.not_before.map(jiff::Timestamp::as_microsecond))
                .bind(message.cancel_key.as_deref())
                .persistent(named)
                .execute(connection)
                .await
                .map_err(store_error)?;
            Ok(())
        })
    }

    fn cancel<'a>(
        connection: &'a mut PgConnection,
        sql: &'a Sql,
        cancel_key: String,
        named: bool,
    ) -> SqlFuture<'a, u64> {
        Box::pin(async move {
            let cancelled = sqlx::query(sql.cancel.sql())
                .bind(cancel_key)
                .persistent(named)
                .execute(connection)
                .await
                .map_err(store_error)?;
            Ok(cancelled.rows_affected())
        })
    }

    fn outbox_store(pool: Pool<Self>, tables: &Tables, named: bool) -> Arc<dyn OutboxStore> {
        Arc::new(PostgresOutbox::new(pool, tables, named))
    }

    fn recoverable_outbox(
        pool: Pool<Self>,
        tables: &Tables,
        named: bool,
    ) -> Arc<dyn RecoverableOutbox> {
        Arc::new(PostgresOutbox::new(pool, tables, named))
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

/// Refuses a text with U+0000 before the database does: its error would name neither row nor column, and
/// end the transaction.
fn check_texts(message: &OutboxMessage) -> Result<(), StoreError> {
    let texts = [
        ("key", message.key.as_deref()),
        ("message id", Some(message.message_id.as_str())),
        ("cancel key", message.cancel_key.as_deref()),
    ];
    let refused = texts
        .iter()
        .find(|(_, text)| text.is_some_and(|text| text.contains('\0')));
    match refused {
        None => Ok(()),
        Some((name, _)) => Err(StoreError::new(
            StoreErrorKind::InvalidText,
            format!(
                "the {name} of the event {:?} contains U+0000, which PostgreSQL cannot store: remove the character",
                message.message_id.as_str()
            ),
        )),
    }
}

//! The inbox and the dead letters on SQLite.
//!
//! Transactions begin with `BEGIN IMMEDIATE`, so that a transaction which has read does not fail with
//! "database is locked" when it writes.

use std::time::Duration;

use serde_json::json;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Pool, Row as _, Sqlite, Transaction, query};
use uuid::Uuid;

use crate::inbox::database::{FoundRecord, InboxSql, NewRecord, PlacedRecord, Sql, WhichLetters};
use crate::inbox::on_database::{inbox_rows_of, inbox_statements_on};
use crate::inbox::statements::{Dialect, InboxStatements, InboxTables};
use crate::letter_row::LetterRow;

const DIALECT: Dialect = Dialect {
    batch: "(SELECT unhex(value ->> 0) AS event_id, value ->> 1 AS redrive, value ->> 2 AS stream, \
            value ->> 3 AS sequence FROM json_each($3)) AS batch WHERE true",
    is_listed: "event_id IN (SELECT unhex(value) FROM json_each($2))",
    // Nobody else writes at the same time, and only an effect that was rolled back leaves a dead one.
    is_own: "outcome = 'done'",
    // `BEGIN IMMEDIATE` excludes every other writer.
    for_share: "",
    skip_locked: "",
};

impl InboxSql for Sqlite {
    fn inbox_statements(tables: &InboxTables) -> InboxStatements {
        InboxStatements::new(tables, DIALECT)
    }

    async fn begin_write(pool: &Pool<Self>) -> Sql<Transaction<'static, Self>> {
        super::begin_raw(pool).await
    }

    async fn begin_effect(
        pool: &Pool<Self>,
        _idle: Option<Duration>,
    ) -> Sql<Transaction<'static, Self>> {
        // A process that is frozen within a transaction blocks every other writer: no statement of
        // another process can end it.
        super::begin_raw(pool).await
    }

    async fn begin_take_over(pool: &Pool<Self>) -> Sql<Transaction<'static, Self>> {
        super::begin_raw(pool).await
    }

    async fn begin_read(pool: &Pool<Self>) -> Sql<Transaction<'static, Self>> {
        pool.begin().await
    }

    async fn record_all(
        conn: &mut SqliteConnection,
        sql: &InboxStatements,
        records: &[NewRecord],
    ) -> Sql<Vec<Uuid>> {
        let Some(first) = records.first() else {
            return Ok(Vec::new());
        };
        let rows = records.iter().map(|record| {
            let id = record.event.simple().to_string();
            json!([id, record.redrive, record.stream, record.sequence])
        });
        let rows = serde_json::Value::Array(rows.collect());
        let new = query(sql.record_all.sql())
            .bind(&first.consumer)
            .bind(first.now)
            .bind(rows.to_string())
            .fetch_all(conn);
        new.await?.iter().map(|row| row.try_get(0)).collect()
    }

    async fn find(
        conn: &mut SqliteConnection,
        sql: &InboxStatements,
        consumer: &str,
        ids: &[Uuid],
    ) -> Sql<Vec<FoundRecord>> {
        let ids: Vec<_> = ids.iter().map(|id| id.simple().to_string()).collect();
        let found = query(sql.find.sql())
            .bind(consumer)
            .bind(json!(ids).to_string())
            .fetch_all(conn);
        found.await?.iter().map(found_record).collect()
    }

    inbox_statements_on!(SqliteConnection, SqliteRow, query);
}

inbox_rows_of!(SqliteRow);

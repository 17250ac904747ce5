//! The hand-written SQL on SQLite.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk_sql::{Outbox, Sqlite};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use super::{BenchDatabase, EFFECT, Home, Marks, Ready};
use crate::raw::RawEvent;
use crate::setting::key_of;

const TABLES: &str = "
    create table bench_outbox (
        id integer primary key autoincrement,
        key text not null, subject text not null, message_id text not null,
        body blob not null, created_at integer not null,
        published_at integer, stream text, sequence integer) strict;
    create index bench_outbox_ready on bench_outbox (id) where published_at is null;
    create index bench_outbox_key on bench_outbox (key, id) where published_at is null;
    create index bench_outbox_published on bench_outbox (published_at)
        where published_at is not null;
    create table bench_invoices (
        number integer primary key autoincrement,
        order_id integer not null, customer text not null) strict";

impl BenchDatabase for Sqlite {
    const TITLE: &'static str = "SQLite";

    async fn open() -> Home<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("bench.sqlite"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_mins(1));
        let pool = SqlitePoolOptions::new()
            .max_connections(70)
            .acquire_timeout(Duration::from_mins(1))
            .connect_with(options)
            .await
            .unwrap();
        let outbox = Outbox::<Self>::new(pool.clone(), EventBus::memory());
        outbox.migrate().await.unwrap();
        sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
        Home {
            pool,
            _home: Box::new(folder),
        }
    }

    async fn clear(pool: &SqlitePool) {
        let clear =
            "delete from bench_outbox; delete from bench_invoices; delete from event_outbox;
            delete from event_inbox; delete from event_inbox_source; delete from event_inbox_owner";
        sqlx::raw_sql(clear).execute(pool).await.unwrap();
        let checkpoint = "pragma wal_checkpoint(truncate)";
        sqlx::raw_sql(checkpoint).execute(pool).await.unwrap();
    }

    async fn fill(pool: &SqlitePool, prefix: &str, rows: u32, keys: u64) {
        for table in ["event_outbox", "bench_outbox"] {
            let fill = format!(
                "with recursive series (n) as (
                    select 1 union all select n + 1 from series where n < $3)
                insert into {table} (key, subject, message_id, body, created_at)
                select 'k' || (n % $2), $1 || '.orders.order.placed.k' || (n % $2),
                    lower(hex(randomblob(16))), cast(printf('%.300c', '{{') as blob), 0
                from series"
            );
            sqlx::query(sqlx::AssertSqlSafe(fill))
                .bind(prefix)
                .bind(i64::try_from(keys).unwrap())
                .bind(i64::from(rows))
                .execute(pool)
                .await
                .unwrap();
        }
    }

    async fn insert_raw(pool: &SqlitePool, event: &RawEvent) {
        let mut tx = pool.begin_with("begin immediate").await.unwrap();
        sqlx::query(
            "insert into bench_outbox (key, subject, message_id, body, created_at)
            values ($1, $2, $3, $4, $5)",
        )
        .bind(&event.key)
        .bind(&event.subject)
        .bind(&event.message_id)
        .bind(&event.body)
        .bind(event.created_at)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }

    async fn ready(pool: &SqlitePool, after: i64, limit: i64) -> Vec<Ready> {
        let rows = sqlx::query(
            "select id, key, subject, message_id, body from bench_outbox
            where published_at is null and id > $1 order by id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await
        .unwrap();
        let ready = |row: &sqlx::sqlite::SqliteRow| Ready {
            id: row.get(0),
            key: row.get(1),
            subject: row.get(2),
            message_id: row.get(3),
            body: row.get(4),
        };
        rows.iter().map(ready).collect()
    }

    async fn mark(pool: &SqlitePool, stream: &str, marks: Marks) {
        let now = jiff::Timestamp::now().as_microsecond();
        let mut tx = pool.begin_with("begin immediate").await.unwrap();
        for (id, sequence) in marks {
            sqlx::query(
                "update bench_outbox set published_at = $1, stream = $2, sequence = $3
                where id = $4",
            )
            .bind(now)
            .bind(stream)
            .bind(sequence)
            .bind(id)
            .execute(&mut *tx)
            .await
            .unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn has_unpublished(pool: &SqlitePool) -> bool {
        sqlx::query(super::UNPUBLISHED)
            .fetch_optional(pool)
            .await
            .unwrap()
            .is_some()
    }

    async fn effect(
        connection: &mut SqliteConnection,
        order: i64,
        customer: String,
    ) -> Result<(), sqlx::Error> {
        let insert = sqlx::query(EFFECT).bind(order).bind(customer);
        insert.execute(connection).await.map(drop)
    }

    async fn bare_effects(pool: &SqlitePool, orders: std::ops::Range<u64>) {
        let mut tx = pool.begin_with("begin immediate").await.unwrap();
        for order in orders {
            let number = i64::try_from(order).unwrap();
            Self::effect(&mut tx, number, key_of(order)).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

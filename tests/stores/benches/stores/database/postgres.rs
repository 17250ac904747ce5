//! The hand-written SQL on PostgreSQL.

use event_sdk::EventBus;
use event_sdk_sql::{Outbox, Postgres};
use event_sdk_test_servers::postgres::Postgres as Server;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool, Row as _};

use super::{BenchDatabase, EFFECT, Home, Marks, Ready};
use crate::raw::RawEvent;
use crate::setting::key_of;

const TABLES: &str = "
    create table bench_outbox (
        id bigint generated always as identity primary key,
        key text not null, subject text not null, message_id text not null,
        body bytea not null, created_at bigint not null,
        published_at bigint, stream text, sequence bigint);
    create index bench_outbox_ready on bench_outbox (id) where published_at is null;
    create index bench_outbox_key on bench_outbox (key, id) where published_at is null;
    create index bench_outbox_published on bench_outbox (published_at)
        where published_at is not null;
    create table bench_invoices (
        number bigint generated always as identity primary key,
        order_id bigint not null, customer text not null)";

impl BenchDatabase for Postgres {
    const TITLE: &'static str = "PostgreSQL";

    async fn open() -> Home<Self> {
        let server = Server::options().durable().start().await.unwrap();
        let database = server.database().await.unwrap();
        let pool = PgPoolOptions::new()
            .min_connections(70)
            .max_connections(70)
            .acquire_timeout(std::time::Duration::from_mins(1))
            .connect(&database.url())
            .await
            .unwrap();
        let outbox = Outbox::<Self>::new(pool.clone(), EventBus::memory());
        outbox.migrate().await.unwrap();
        sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
        Home {
            pool,
            _home: Box::new((database, server)),
        }
    }

    async fn clear(pool: &PgPool) {
        let clear = "truncate bench_outbox, bench_invoices, event_outbox, event_outbox_parked,
            event_inbox, event_inbox_source, event_inbox_owner; vacuum analyze event_outbox_shards";
        for statement in clear.split(';') {
            let statement = sqlx::AssertSqlSafe(statement);
            sqlx::raw_sql(statement).execute(pool).await.unwrap();
        }
    }

    async fn fill(pool: &PgPool, prefix: &str, rows: u32, keys: u64) {
        for table in ["event_outbox", "bench_outbox"] {
            let fill = format!(
                "insert into {table} (key, subject, message_id, body, created_at)
                select 'k' || (n % $2), $1 || '.orders.order.placed.k' || (n % $2),
                    gen_random_uuid()::text, decode(repeat('7b', 300), 'hex'), 0
                from generate_series(1, $3) as n"
            );
            sqlx::query(sqlx::AssertSqlSafe(fill))
                .bind(prefix)
                .bind(i64::try_from(keys).unwrap())
                .bind(i64::from(rows))
                .execute(pool)
                .await
                .unwrap();
            let analyze = format!("vacuum analyze {table}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(analyze))
                .execute(pool)
                .await
                .unwrap();
        }
    }

    async fn insert_raw(pool: &PgPool, event: &RawEvent) {
        let mut tx = pool.begin().await.unwrap();
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

    async fn ready(pool: &PgPool, after: i64, limit: i64) -> Vec<Ready> {
        let rows = sqlx::query(
            "select id, key, subject, message_id, body from bench_outbox
            where published_at is null and id > $1 order by id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await
        .unwrap();
        let ready = |row: &sqlx::postgres::PgRow| Ready {
            id: row.get(0),
            key: row.get(1),
            subject: row.get(2),
            message_id: row.get(3),
            body: row.get(4),
        };
        rows.iter().map(ready).collect()
    }

    async fn mark(pool: &PgPool, stream: &str, marks: Marks) {
        let (ids, sequences): (Vec<_>, Vec<_>) = marks.into_iter().unzip();
        sqlx::query(
            "update bench_outbox set published_at = $1, stream = $2, sequence = v.sequence
            from unnest($3::bigint[], $4::bigint[]) as v (id, sequence)
            where bench_outbox.id = v.id",
        )
        .bind(jiff::Timestamp::now().as_microsecond())
        .bind(stream)
        .bind(ids)
        .bind(sequences)
        .execute(pool)
        .await
        .unwrap();
    }

    async fn has_unpublished(pool: &PgPool) -> bool {
        sqlx::query(super::UNPUBLISHED)
            .fetch_optional(pool)
            .await
            .unwrap()
            .is_some()
    }

    async fn effect(
        connection: &mut PgConnection,
        order: i64,
        customer: String,
    ) -> Result<(), sqlx::Error> {
        let insert = sqlx::query(EFFECT).bind(order).bind(customer);
        insert.execute(connection).await.map(drop)
    }

    async fn bare_effects(pool: &PgPool, orders: std::ops::Range<u64>) {
        let mut tx = pool.begin().await.unwrap();
        for order in orders {
            let number = i64::try_from(order).unwrap();
            Self::effect(&mut tx, number, key_of(order)).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

//! RustStream: the startup republish of `ruststream-sqlx`, through the JetStream publisher of
//! `ruststream-nats`.

use std::time::{Duration, Instant};

use event_sdk_test_servers::postgres::Database;
use ruststream::OutgoingMessage;
use ruststream_nats::prelude::{AppInfo, JetStreamPublish, NatsBroker, RustStream};
use ruststream_sqlx::Outbox;
use ruststream_sqlx::outbox;
use sqlx::{PgConnection, PgPool, SqliteConnection, SqlitePool};

use super::ours::sqlite;
use super::setting::{SUBJECT, Setting};

/// A row. Its name is the subject, so that all rows have the same one.
#[derive(Outbox, sqlx::FromRow)]
#[outbox(table = "outbox")]
struct Record {
    #[field(id)]
    id: i64,
    #[field(name)]
    name: String,
    #[field(payload)]
    payload: Vec<u8>,
}

const INSERT: &str = "insert into outbox (name, payload) values ($1, $2) returning id";

impl outbox::Publish<sqlx::Postgres> for Record {
    async fn publish(
        connection: &mut PgConnection,
        message: &OutgoingMessage<'_>,
    ) -> sqlx::Result<i64> {
        let insert = sqlx::query_scalar(INSERT).bind(message.name());
        insert.bind(message.payload()).fetch_one(connection).await
    }
}

impl outbox::Publish<sqlx::Sqlite> for Record {
    async fn publish(
        connection: &mut SqliteConnection,
        message: &OutgoingMessage<'_>,
    ) -> sqlx::Result<i64> {
        let insert = sqlx::query_scalar(INSERT).bind(message.name());
        insert.bind(message.payload()).fetch_one(connection).await
    }
}

/// Starts an app, which publishes all rows before its start ends.
macro_rules! republish {
    ($setting:expr, $pool:expr) => {{
        let tracking = outbox! { pool: $pool.clone(), "peers.orders.order.placed" => Record };
        let begun = Instant::now();
        let broker = NatsBroker::new($setting.url());
        let app = RustStream::new(AppInfo::new("bench", "0.1.0"))
            .publish_layer(tracking.publish_layer())
            .with_broker(broker, |broker| {
                broker.after_startup(JetStreamPublish::default(), tracking.republish());
            });
        let app = app.start().await.expect("it starts");
        let took = begun.elapsed();
        app.shutdown().await.expect("it stops");
        took
    }};
}

pub(crate) struct Postgres {
    pool: PgPool,
    _database: Database,
}

impl Postgres {
    pub(crate) async fn new(setting: &Setting) -> Self {
        let database = setting.database().await;
        let pool = PgPool::connect(&database.url()).await.expect("it connects");
        let table = "create table outbox (id bigint generated always as identity primary key,
            name text not null, payload bytea not null)";
        let made = sqlx::raw_sql(table).execute(&pool).await;
        made.expect("the table");
        Self {
            pool,
            _database: database,
        }
    }

    pub(crate) async fn round(&self, setting: &Setting, rows: u32) -> Duration {
        setting.begin().await;
        let clear = sqlx::raw_sql("truncate outbox");
        clear.execute(&self.pool).await.expect("it is empty");
        let fill = "insert into outbox (name, payload)
            select $1, decode(repeat('7b', 300), 'hex') from generate_series(1, $2)";
        let fill = sqlx::query(fill).bind(SUBJECT).bind(i64::from(rows));
        fill.execute(&self.pool).await.expect("the rows");
        let took = republish!(setting, self.pool);
        setting.end(rows).await;
        took
    }
}

pub(crate) struct Sqlite {
    pool: SqlitePool,
    _folder: tempfile::TempDir,
}

impl Sqlite {
    pub(crate) async fn new() -> Self {
        let (pool, folder) = sqlite().await;
        let table = "create table outbox (id integer primary key, name text not null,
            payload blob not null)";
        let made = sqlx::raw_sql(table).execute(&pool).await;
        made.expect("the table");
        Self {
            pool,
            _folder: folder,
        }
    }

    pub(crate) async fn round(&self, setting: &Setting, rows: u32) -> Duration {
        setting.begin().await;
        let clear = sqlx::raw_sql("delete from outbox");
        clear.execute(&self.pool).await.expect("it is empty");
        let fill = "with recursive series (n) as (
                select 1 union all select n + 1 from series where n < $2)
            insert into outbox (name, payload)
            select $1, cast(printf('%.300c', '{') as blob) from series";
        let fill = sqlx::query(fill).bind(SUBJECT).bind(i64::from(rows));
        fill.execute(&self.pool).await.expect("the rows");
        let took = republish!(setting, self.pool);
        setting.end(rows).await;
        took
    }
}

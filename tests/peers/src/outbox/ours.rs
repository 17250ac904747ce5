//! Our relay, on both databases.

use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk_sql::Outbox;
use event_sdk_test_servers::postgres::Database;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use super::setting::{PREFIX, SUBJECT, Setting};
use super::{BATCH, IN_FLIGHT, KEYS};

fn bus(setting: &Setting) -> EventBus {
    EventBus::builder()
        .source("bench")
        .prefix(PREFIX)
        .stream(StreamSpec::new("PEERS").subject(">"))
        .transport(setting.ours.clone())
        .expect("the bus is right")
}

/// Runs the relay until all rows are published and marked.
macro_rules! relay {
    ($setting:expr, $pool:expr, $rows:expr) => {{
        let outbox = Outbox::new($pool.clone(), bus($setting)).named_statements();
        let relay = outbox.relay().batch(BATCH).max_in_flight(IN_FLIGHT);
        let begun = Instant::now();
        let mut took = Duration::ZERO;
        let unpublished = "select id from event_outbox
            where state = 0 and not_before is null order by shard, id limit 1";
        let done = async {
            while $setting.messages().await < u64::from($rows) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            while sqlx::query(unpublished)
                .fetch_optional($pool)
                .await
                .expect("a row")
                .is_some()
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            took = begun.elapsed();
        };
        let report = relay.run_until(done).await.expect("it runs");
        assert_eq!(report.published, u64::from($rows));
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
        let outbox = Outbox::<sqlx::Postgres>::new(pool.clone(), EventBus::memory());
        outbox.migrate().await.expect("the tables");
        Self {
            pool,
            _database: database,
        }
    }

    pub(crate) async fn round(&self, setting: &Setting, rows: u32) -> Duration {
        setting.begin().await;
        let pool = &self.pool;
        for statement in [
            "truncate event_outbox",
            "vacuum analyze event_outbox_shards",
        ] {
            let done = sqlx::raw_sql(statement).execute(pool).await;
            done.expect("it is empty");
        }
        let fill = "insert into event_outbox (key, subject, message_id, body, created_at)
            select 'k' || (n % $2), $1 || '.k' || (n % $2), gen_random_uuid()::text,
                decode(repeat('7b', 300), 'hex'), 0
            from generate_series(1, $3) as n";
        let filled = sqlx::query(fill)
            .bind(SUBJECT)
            .bind(i64::from(KEYS))
            .bind(i64::from(rows))
            .execute(pool)
            .await;
        filled.expect("the rows");
        let vacuum = sqlx::raw_sql("vacuum analyze event_outbox");
        vacuum.execute(pool).await.expect("statistics");
        let took = relay!(setting, pool, rows);
        setting.end(rows).await;
        took
    }
}

pub(crate) struct Sqlite {
    pool: SqlitePool,
    _folder: tempfile::TempDir,
}

/// A pool on a new database.
pub(crate) async fn sqlite() -> (SqlitePool, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("bench.sqlite"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_mins(1));
    let pool = SqlitePool::connect_with(options).await;
    (pool.expect("it connects"), folder)
}

impl Sqlite {
    pub(crate) async fn new() -> Self {
        let (pool, folder) = sqlite().await;
        let outbox = Outbox::<sqlx::Sqlite>::new(pool.clone(), EventBus::memory());
        outbox.migrate().await.expect("the tables");
        Self {
            pool,
            _folder: folder,
        }
    }

    pub(crate) async fn round(&self, setting: &Setting, rows: u32) -> Duration {
        setting.begin().await;
        let pool = &self.pool;
        let clear = "delete from event_outbox; pragma wal_checkpoint(truncate)";
        let cleared = sqlx::raw_sql(clear).execute(pool).await;
        cleared.expect("it is empty");
        let fill = "with recursive series (n) as (
                select 1 union all select n + 1 from series where n < $3)
            insert into event_outbox (key, subject, message_id, body, created_at)
            select 'k' || (n % $2), $1 || '.k' || (n % $2), lower(hex(randomblob(16))),
                cast(printf('%.300c', '{') as blob), 0
            from series";
        let filled = sqlx::query(fill)
            .bind(SUBJECT)
            .bind(i64::from(KEYS))
            .bind(i64::from(rows))
            .execute(pool)
            .await;
        filled.expect("the rows");
        let took = relay!(setting, pool, rows);
        setting.end(rows).await;
        took
    }
}

//! `Troubles`: the table of the effects on a database, and statements that fail as its troubles do.

use std::future::Future;
use std::time::Duration;

use event_sdk_sql::{InboxDatabase, Postgres, Sqlite};
use event_sdk_store_conformance::Trouble;
use sqlx::{PgConnection, PgPool, Pool, Row as _, SqliteConnection, SqlitePool};

type Sql<T> = Result<T, sqlx::Error>;

/// What the inbox suite does on a database.
pub(crate) trait Troubles: InboxDatabase {
    /// Creates the table of the effects, and those that troubles need.
    fn create_tables(direct: &Pool<Self>) -> impl Future<Output = Sql<()>> + Send;

    fn effects(direct: &Pool<Self>) -> impl Future<Output = Sql<Vec<String>>> + Send;

    fn write(
        connection: &mut Self::Connection,
        name: String,
    ) -> impl Future<Output = Sql<()>> + Send;

    /// Makes a statement on the connection fail as in this trouble; `Ok` if that cannot be.
    fn fail_by(
        connection: &mut Self::Connection,
        direct: &Pool<Self>,
        trouble: Trouble,
    ) -> impl Future<Output = Sql<()>> + Send;
}

const WRITE: &str = "insert into suite_effects (name) values ($1)";
const EFFECTS: &str = "select name from suite_effects order by number";

impl Troubles for Sqlite {
    async fn create_tables(direct: &SqlitePool) -> Sql<()> {
        let create = "create table suite_effects (number integer primary key, name text not null)";
        sqlx::raw_sql(create).execute(direct).await.map(drop)
    }

    async fn effects(direct: &SqlitePool) -> Sql<Vec<String>> {
        let rows = sqlx::query(EFFECTS).fetch_all(direct).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    async fn write(connection: &mut SqliteConnection, name: String) -> Sql<()> {
        let write = sqlx::query(WRITE).bind(name);
        write.execute(connection).await.map(drop)
    }

    async fn fail_by(
        _connection: &mut SqliteConnection,
        direct: &SqlitePool,
        trouble: Trouble,
    ) -> Sql<()> {
        if trouble != Trouble::Busy {
            return Ok(());
        }
        // The effect has the database: another connection that does not wait is told so.
        let mut other = direct.acquire().await?;
        let at_once = "pragma busy_timeout = 0; begin immediate";
        let refused = sqlx::raw_sql(at_once).execute(&mut *other).await;
        other.close().await?;
        refused.map(drop)
    }
}

impl Troubles for Postgres {
    async fn create_tables(direct: &PgPool) -> Sql<()> {
        let create = "create table suite_effects (
                number bigint generated always as identity, name text not null);
            create table suite_first (); create table suite_second ()";
        sqlx::raw_sql(create).execute(direct).await.map(drop)
    }

    async fn effects(direct: &PgPool) -> Sql<Vec<String>> {
        let rows = sqlx::query(EFFECTS).fetch_all(direct).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }

    async fn write(connection: &mut PgConnection, name: String) -> Sql<()> {
        // Without a name: a proxy gives each transaction another connection.
        let write = sqlx::query(WRITE).bind(name).persistent(false);
        write.execute(connection).await.map(drop)
    }

    async fn fail_by(connection: &mut PgConnection, direct: &PgPool, trouble: Trouble) -> Sql<()> {
        let statement = match trouble {
            Trouble::Busy => {
                let _held = hold_first(direct).await?;
                let nowait = "lock table suite_first in exclusive mode nowait";
                return sqlx::raw_sql(nowait).execute(connection).await.map(drop);
            }
            Trouble::LockTimeout => {
                let _held = hold_first(direct).await?;
                let within = "set local lock_timeout = '10ms';
                    lock table suite_first in exclusive mode";
                return sqlx::raw_sql(within).execute(connection).await.map(drop);
            }
            Trouble::Deadlock => return deadlock(connection, direct).await,
            Trouble::SerializationFailure => {
                "do $$ begin raise exception 'as in a conflict' using errcode = '40001'; end $$"
            }
            Trouble::LostConnection => "select pg_terminate_backend(pg_backend_pid())",
            _ => return Ok(()),
        };
        sqlx::raw_sql(statement).execute(connection).await.map(drop)
    }
}

/// Another transaction that holds a lock until it is dropped.
async fn hold_first(direct: &PgPool) -> Sql<sqlx::PgTransaction<'static>> {
    let mut other = direct.begin().await?;
    let lock = "lock table suite_first in exclusive mode";
    sqlx::raw_sql(lock).execute(&mut *other).await?;
    Ok(other)
}

/// Another transaction has the second table and waits for the first one, which this one has. The
/// database looks for deadlocks when this one has waited for a millisecond, so that it is the victim.
async fn deadlock(connection: &mut PgConnection, direct: &PgPool) -> Sql<()> {
    let first = "lock table suite_first in exclusive mode";
    let second = "lock table suite_second in exclusive mode";
    sqlx::raw_sql(first).execute(&mut *connection).await?;
    let mut other = direct.begin().await?;
    sqlx::raw_sql(second).execute(&mut *other).await?;
    let waits = tokio::spawn(async move {
        let got = sqlx::raw_sql(first).execute(&mut *other).await;
        got.map(drop)
    });
    let waiting = "select count(*) from pg_locks
        where not granted and relation = 'suite_first'::regclass";
    for _ in 0..6_000 {
        let found: i64 = sqlx::query(waiting).fetch_one(direct).await?.try_get(0)?;
        if found > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let victim = "set local deadlock_timeout = '1ms';
        lock table suite_second in exclusive mode";
    let ended = sqlx::raw_sql(victim).execute(connection).await;
    // It gets the lock when this transaction is rolled back.
    drop(waits);
    ended.map(drop)
}

//! `ServiceDatabase`: plain SQL on SQLite and PostgreSQL, for the service and for the counts of tests.

use std::future::Future;

use event_sdk_sql::{InboxDatabase, Postgres, Sqlite};
use sqlx::{AssertSqlSafe, Pool, Row as _};
use uuid::Uuid;

use crate::outboxes::sqlite_pool;

/// The tables of the service. Nothing in them refuses a second effect of an event: tests count.
const TABLES: &str = "
create table orders (number bigint primary key, event_id uuid not null);
create table effects (event_id uuid not null, number bigint not null);
create index effects_event on effects (event_id);
create table accounts (account bigint primary key, version bigint not null);
";

/// A database of the service.
pub trait ServiceDatabase: InboxDatabase {
    /// A pool on the database of this URL.
    fn connect(url: &str) -> impl Future<Output = Result<Pool<Self>, sqlx::Error>> + Send;

    /// Runs statements without results.
    fn execute(
        connection: &mut Self::Connection,
        sql: String,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The number that a statement returns.
    fn number(
        connection: &mut Self::Connection,
        sql: String,
    ) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;

    /// The texts that a statement returns.
    fn texts(
        connection: &mut Self::Connection,
        sql: String,
    ) -> impl Future<Output = Result<Vec<String>, sqlx::Error>> + Send;

    /// The id of an event as a literal of SQL.
    fn id(event: Uuid) -> String;

    /// Creates the tables of the service.
    fn create_tables(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        Self::execute(connection, TABLES.to_owned())
    }
}

macro_rules! service_database {
    ($database:ty, $connect:expr, $id:expr) => {
        impl ServiceDatabase for $database {
            async fn connect(url: &str) -> Result<Pool<Self>, sqlx::Error> {
                $connect(url).await
            }

            async fn execute(
                connection: &mut <Self as sqlx::Database>::Connection,
                sql: String,
            ) -> Result<(), sqlx::Error> {
                let statements = sqlx::raw_sql(AssertSqlSafe(sql));
                statements.execute(connection).await.map(drop)
            }

            async fn number(
                connection: &mut <Self as sqlx::Database>::Connection,
                sql: String,
            ) -> Result<i64, sqlx::Error> {
                let row = sqlx::query(AssertSqlSafe(sql)).persistent(false);
                row.fetch_one(connection).await?.try_get(0)
            }

            async fn texts(
                connection: &mut <Self as sqlx::Database>::Connection,
                sql: String,
            ) -> Result<Vec<String>, sqlx::Error> {
                let rows = sqlx::query(AssertSqlSafe(sql)).persistent(false);
                let rows = rows.fetch_all(connection).await?;
                rows.iter().map(|row| row.try_get(0)).collect()
            }

            fn id(event: Uuid) -> String {
                $id(event)
            }
        }
    };
}

service_database!(Sqlite, sqlite, sqlite_id);
service_database!(Postgres, Pool::<Postgres>::connect, postgres_id);

fn sqlite_id(event: Uuid) -> String {
    format!("x'{}'", event.simple())
}

fn postgres_id(event: Uuid) -> String {
    format!("'{event}'::uuid")
}

async fn sqlite(url: &str) -> Result<Pool<Sqlite>, sqlx::Error> {
    sqlite_pool(url.trim_start_matches("sqlite:").as_ref()).await
}

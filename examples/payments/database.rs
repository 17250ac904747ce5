//! The databases, one for each service: what SQLite and PostgreSQL have in common.
//!
//! sqlx has a type of its own for the values and rows of each database, so generic code needs a bound for
//! each of them. The statements of the services need few values: [`Connection`] has them all.

mod postgres;
mod sqlite;

use std::error::Error as StdError;
use std::time::Duration;

use event_sdk_sql::{InboxDatabase, class_of};
use sqlx::{Pool, Transaction};

use crate::worker::Kept;

pub(crate) use postgres::{ADDRESS, ADDRESS_FILE, Schemas};
pub(crate) use sqlite::{Files, Home};

/// A database system.
pub(crate) trait Db: InboxDatabase + sqlx::Database<Connection: Connection> {
    /// Begins a transaction that writes.
    fn begin_writing(
        pool: &Pool<Self>,
    ) -> impl Future<Output = sqlx::Result<Transaction<'static, Self>>> + Send;
}

/// The databases of all services.
pub(crate) trait Databases: Clone + Into<Kept> + Send + Sync {
    type Db: Db;

    /// Opens the database of a service, and creates it and its tables if they are missing.
    async fn open(
        &self,
        service: &'static str,
        tables: &[&'static str],
    ) -> anyhow::Result<Pool<Self::Db>>;
}

/// Runs statements, in a transaction or without.
pub(crate) trait Connection: Send {
    type Row: Row;

    fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Row>>> + Send;

    /// The only column of the only row.
    fn number(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> impl Future<Output = sqlx::Result<i64>> + Send {
        async move {
            let rows = self.rows(sql, values).await?;
            rows.first().ok_or(sqlx::Error::RowNotFound)?.number(0)
        }
    }
}

/// A row of a result, by column from 0.
pub(crate) trait Row {
    fn number(&self, column: usize) -> sqlx::Result<i64>;
    fn text(&self, column: usize) -> sqlx::Result<&str>;
}

/// A value of a statement: `$1`, `$2`, and so on.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    Number(i64),
    Text(&'a str),
    Bool(bool),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

/// Implements [`Connection`] and [`Row`] for the types of a database.
macro_rules! statements_on {
    ($db:ty, $connection:ty, $row:ty) => {
        impl crate::database::Connection for $connection {
            type Row = $row;

            async fn execute(
                &mut self,
                sql: &'static str,
                values: &[crate::database::Value<'_>],
            ) -> sqlx::Result<()> {
                query(sql, values).execute(self).await.map(drop)
            }

            async fn rows(
                &mut self,
                sql: &'static str,
                values: &[crate::database::Value<'_>],
            ) -> sqlx::Result<Vec<$row>> {
                query(sql, values).fetch_all(self).await
            }
        }

        impl crate::database::Row for $row {
            fn number(&self, column: usize) -> sqlx::Result<i64> {
                sqlx::Row::try_get(self, column)
            }

            fn text(&self, column: usize) -> sqlx::Result<&str> {
                sqlx::Row::try_get(self, column)
            }
        }

        fn query(
            sql: &'static str,
            values: &[crate::database::Value<'_>],
        ) -> sqlx::query::Query<'static, $db, <$db as sqlx::Database>::Arguments> {
            use crate::database::Value;
            values
                .iter()
                .fold(sqlx::query(sql), |query, value| match *value {
                    Value::Number(number) => query.bind(number),
                    Value::Text(text) => query.bind(text.to_owned()),
                    Value::Bool(yes) => query.bind(yes),
                })
        }
    };
}
use statements_on;

/// Runs a statement on a connection of a pool.
pub(crate) async fn execute<D: Db>(
    pool: &Pool<D>,
    sql: &'static str,
    values: &[Value<'_>],
) -> sqlx::Result<()> {
    pool.acquire().await?.execute(sql, values).await
}

/// The rows of a statement on a connection of a pool.
pub(crate) async fn rows<D: Db>(
    pool: &Pool<D>,
    sql: &'static str,
) -> sqlx::Result<Vec<<D::Connection as Connection>::Row>> {
    pool.acquire().await?.rows(sql, &[]).await
}

/// The only value of a statement on a connection of a pool.
pub(crate) async fn number<D: Db>(
    pool: &Pool<D>,
    sql: &'static str,
    values: &[Value<'_>],
) -> sqlx::Result<i64> {
    pool.acquire().await?.number(sql, values).await
}

/// Repeats something until it is done or has failed for another reason than that the database is busy or
/// away.
pub(crate) async fn patiently<T>(
    mut work: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    const PAUSE: Duration = Duration::from_millis(50);
    let is_outage = |error: &(dyn StdError + 'static)| class_of(error).is_some();
    loop {
        match work().await {
            Err(error) if error.chain().any(is_outage) => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
}

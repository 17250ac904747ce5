//! The databases: one for each service, in a file of its own.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Pool, Sqlite, SqliteConnection};
use tempfile::TempDir;

/// The database system of the services.
pub(crate) type Db = Sqlite;

/// A connection, in a transaction.
pub(crate) type Connection = SqliteConnection;

/// Where the databases of all services are, for as long as it exists.
pub(crate) struct Home {
    folder: TempDir,
}

/// How the databases are opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Databases {
    folder: PathBuf,
}

impl Home {
    /// Makes a place without databases.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { folder })
    }

    pub(crate) fn databases(&self) -> Databases {
        let folder = self.folder.path().to_owned();
        Databases { folder }
    }
}

impl Databases {
    /// Opens the database of a service, and creates it and its tables if they are missing.
    pub(crate) async fn open(
        &self,
        service: &str,
        tables: &[&'static str],
    ) -> anyhow::Result<Pool<Db>> {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.join(format!("{service}.db")))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A killed process loses nothing; `Full` loses nothing in a power failure either.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await
            .with_context(|| format!("the database of {service}"))?;
        for sql in tables {
            let created = sqlx::raw_sql(*sql).execute(&pool).await;
            created.with_context(|| format!("the tables of {service}"))?;
        }
        Ok(pool)
    }
}

/// Begins a transaction that writes.
pub(crate) async fn begin(pool: &Pool<Db>) -> sqlx::Result<sqlx::Transaction<'static, Db>> {
    pool.begin_with("begin immediate").await
}

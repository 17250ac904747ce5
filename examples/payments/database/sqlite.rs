//! SQLite: a file for each service.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Pool, Sqlite, SqliteConnection, Transaction};
use tempfile::TempDir;

use super::{Databases, Db, statements_on};

/// Where the databases of all services are, for as long as it exists.
pub(crate) struct Home {
    folder: TempDir,
}

/// The files of a [`Home`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Files {
    folder: PathBuf,
}

impl Home {
    /// Makes a place without databases.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { folder })
    }

    pub(crate) fn files(&self) -> Files {
        let folder = self.folder.path().to_owned();
        Files { folder }
    }
}

impl Databases for Files {
    type Db = Sqlite;

    async fn open(
        &self,
        service: &'static str,
        tables: &[&'static str],
    ) -> anyhow::Result<Pool<Sqlite>> {
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

impl Db for Sqlite {
    async fn begin_writing(pool: &Pool<Self>) -> sqlx::Result<Transaction<'static, Self>> {
        pool.begin_with("begin immediate").await
    }
}

statements_on!(Sqlite, SqliteConnection, SqliteRow);

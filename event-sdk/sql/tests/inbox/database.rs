//! The database of these tests: a file of SQLite for each test.

use std::sync::Arc;
use std::time::Duration;

pub(crate) use event_sdk_sql::Sqlite as Db;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
use tempfile::TempDir;

pub(crate) const CREATE_INVOICES: &str = "create table invoices (
    number integer primary key autoincrement,
    order_id integer unique not null,
    customer text not null
)";

/// A database of its own. A clone is the same; the file is removed at the end.
#[derive(Clone)]
pub(crate) struct Database {
    folder: Arc<TempDir>,
}

impl Database {
    #[expect(
        clippy::unused_async,
        reason = "that of PostgreSQL waits for its server"
    )]
    pub(crate) async fn new() -> Self {
        Self {
            folder: Arc::new(tempfile::tempdir().unwrap()),
        }
    }

    /// A pool for the test itself.
    pub(crate) async fn direct(&self) -> SqlitePool {
        self.pool(5, Duration::from_secs(5)).await
    }

    /// A pool of a service, with the longest time that it waits for a connection or a lock.
    pub(crate) async fn pool(&self, connections: u32, patience: Duration) -> SqlitePool {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(patience)
            .connect_with(self.options(patience))
            .await
            .unwrap()
    }

    /// How to connect, with the longest time to wait for a lock.
    pub(crate) fn options(&self, patience: Duration) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(self.folder.path().join("billing.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(patience)
    }
}

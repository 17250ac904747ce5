//! `OnSqlite` and `OnPostgres`: outboxes of the conformance suite, with a database for each case.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk_sql::{Outbox, Postgres, Sqlite, Store, Tx};
use event_sdk_store::outbox::{OutboxMessage, OutboxStore, StoreFuture};
use event_sdk_store_conformance::{Harness, HarnessError, Need, TestedOutbox, Writing};
use event_sdk_test_servers::postgres::{Pooler, Postgres as Server};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use tempfile::TempDir;

/// Outboxes on SQLite, each in a file of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnSqlite;

/// Outboxes on the PostgreSQL of this test program, each in a database of its own.
#[derive(Debug)]
pub struct OnPostgres {
    server: &'static Server,
    pooler: Option<Pooler>,
}

/// An outbox of a database, with the writer of the suite.
#[derive(Debug)]
pub struct SqlOutbox<DB: Store> {
    outbox: Outbox<DB>,
    /// Removed after the pool is closed.
    _folder: Option<TempDir>,
}

/// A pool on a file, which is made if it is missing. Writers wait for each other for up to a minute.
///
/// # Errors
///
/// If the file cannot be opened.
pub async fn sqlite_pool(file: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_mins(1));
    SqlitePoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_mins(1))
        .connect_with(options)
        .await
}

impl OnPostgres {
    /// Connected with the server itself.
    ///
    /// # Errors
    ///
    /// If the server cannot be started.
    pub async fn directly() -> Result<Self, HarnessError> {
        Ok(Self {
            server: Server::shared().await?,
            pooler: None,
        })
    }

    /// Behind a pooler that gives each transaction another connection.
    ///
    /// # Errors
    ///
    /// If the server or the pooler cannot be started.
    pub async fn pooled() -> Result<Self, HarnessError> {
        let server = Server::shared().await?;
        Ok(Self {
            server,
            pooler: Some(Pooler::start(server).await?),
        })
    }

    /// The address of a database of its own, and that without the pooler.
    pub(crate) async fn database(&self) -> Result<(String, String), HarnessError> {
        let database = self.server.database().await?;
        let url = match &self.pooler {
            Some(pooler) => pooler.url(&database),
            None => database.url(),
        };
        Ok((url, database.url()))
    }

    /// How many transactions went through the pooler.
    #[must_use]
    pub fn pooled_transactions(&self) -> u64 {
        self.pooler.as_ref().map_or(0, Pooler::transactions)
    }
}

impl Harness for OnSqlite {
    async fn start(&self) -> Result<Box<dyn TestedOutbox>, HarnessError> {
        let folder = tempfile::tempdir()?;
        let pool = sqlite_pool(&folder.path().join("outbox.sqlite")).await?;
        let outbox = Outbox::<Sqlite>::new(pool, EventBus::memory());
        outbox.migrate().await?;
        Ok(Box::new(SqlOutbox {
            outbox,
            _folder: Some(folder),
        }))
    }

    fn has(&self, _need: Need) -> bool {
        false
    }
}

impl Harness for OnPostgres {
    async fn start(&self) -> Result<Box<dyn TestedOutbox>, HarnessError> {
        let (url, _) = self.database().await?;
        let outbox = Outbox::<Postgres>::new(PgPool::connect(&url).await?, EventBus::memory());
        outbox.migrate().await?;
        Ok(Box::new(SqlOutbox {
            outbox,
            _folder: None,
        }))
    }

    fn has(&self, _need: Need) -> bool {
        true
    }
}

impl<DB: Store> TestedOutbox for SqlOutbox<DB> {
    fn store(&self) -> Arc<dyn OutboxStore> {
        Arc::clone(self.outbox.store())
    }

    fn begin(&self) -> StoreFuture<'_, Box<dyn Writing>> {
        Box::pin(async move {
            let tx = self.outbox.begin().await?;
            Ok(Box::new(SqlWriting(tx)) as Box<dyn Writing>)
        })
    }
}

struct SqlWriting<DB: Store>(Tx<DB>);

impl<DB: Store> Writing for SqlWriting<DB> {
    fn insert(&mut self, message: OutboxMessage) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let outbox = self.0.outbox().clone();
            outbox.enqueue_message(&mut self.0, message).await?;
            Ok(())
        })
    }

    fn cancel(&mut self, cancel_key: String) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let outbox = self.0.outbox().clone();
            outbox.cancel(&mut self.0, cancel_key).await
        })
    }

    fn commit(self: Box<Self>) -> StoreFuture<'static, ()> {
        Box::pin(self.0.commit())
    }

    fn rollback(self: Box<Self>) -> StoreFuture<'static, ()> {
        Box::pin(self.0.rollback())
    }
}

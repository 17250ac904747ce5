//! Test support: databases, numbers of the environment, waits.

use std::fmt::Display;
use std::time::{Duration, Instant};

use event_sdk::transport::nats::Nats;
use event_sdk::{BusBuilder, EventBus};
use event_sdk_sql::{Outbox, Postgres, Sqlite};
use event_sdk_test_servers::{Postgres as PostgresServer, Server};
use event_sdk_test_stores::service::ServiceDatabase;
use sqlx::Pool;
use tempfile::TempDir;

/// How long one wait may take: machines are loaded.
const PATIENCE: Duration = Duration::from_mins(3);

/// A database of a test, with the tables of outbox, inbox and service.
pub(crate) struct Database<DB: ServiceDatabase> {
    pub(crate) url: String,
    pub(crate) pool: Pool<DB>,
    /// Removed after the pool is closed.
    _folder: Option<TempDir>,
}

pub(crate) async fn sqlite() -> Database<Sqlite> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("service.db").display());
    Database::new(url, Some(folder)).await
}

pub(crate) async fn postgres() -> Database<Postgres> {
    let server = within("a database server", PostgresServer::shared()).await;
    let database = within("a database", server.unwrap().database()).await;
    Database::new(database.unwrap().url(), None).await
}

impl<DB: ServiceDatabase> Database<DB> {
    async fn new(url: String, folder: Option<TempDir>) -> Self {
        let pool = within("a pool", DB::connect(&url)).await.unwrap();
        let migrating = Outbox::<DB>::new(pool.clone(), EventBus::memory());
        within("the tables", migrating.migrate()).await.unwrap();
        let mut connection = pool.acquire().await.unwrap();
        DB::create_tables(&mut connection).await.unwrap();
        Self {
            url,
            pool,
            _folder: folder,
        }
    }

    /// The number that a statement returns.
    pub(crate) async fn number(&self, sql: impl Into<String>) -> i64 {
        let mut connection = self.pool.acquire().await.unwrap();
        DB::number(&mut connection, sql.into()).await.unwrap()
    }

    /// How many rows of a table a condition selects.
    pub(crate) async fn count(&self, table: &str, condition: impl Display) -> i64 {
        let count = format!("select count(*) from {table} where {condition}");
        self.number(count).await
    }

    /// The texts that a statement returns.
    pub(crate) async fn texts(&self, sql: impl Into<String>) -> Vec<String> {
        let mut connection = self.pool.acquire().await.unwrap();
        DB::texts(&mut connection, sql.into()).await.unwrap()
    }
}

/// A bus on the server.
pub(crate) async fn connect(server: &Server, builder: BusBuilder) -> EventBus {
    let nats = within("a connection", Nats::connect(Nats::options(server.url()))).await;
    builder.transport(nats.unwrap()).unwrap()
}

/// A number of the environment, for the long form.
pub(crate) fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => otherwise,
    }
}

/// Random numbers, whose seed is printed.
pub(crate) fn random(name: &str) -> fastrand::Rng {
    let seed = match number(name, 0) {
        0 => fastrand::u64(1..),
        seed => seed,
    };
    println!("{name}={seed}");
    fastrand::Rng::with_seed(seed)
}

pub(crate) fn within<T>(
    what: &str,
    future: impl IntoFuture<Output = T>,
) -> impl Future<Output = T> {
    let future = tokio::time::timeout(PATIENCE, Box::pin(future.into_future()));
    async move {
        future
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }
}

/// Asks until it is so.
pub(crate) async fn eventually(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !ask().await {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

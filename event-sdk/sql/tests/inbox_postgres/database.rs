//! The database of these tests: a database of PostgreSQL for each test, which the service reaches through
//! a proxy that gives each transaction another connection.

use std::sync::Arc;
use std::time::Duration;

pub(crate) use event_sdk_sql::Postgres as Db;
use event_sdk_test_servers::postgres::{self, Pooler, Postgres as Server};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

pub(crate) const CREATE_INVOICES: &str = "create table invoices (
    number bigint generated always as identity primary key,
    order_id bigint unique not null,
    customer text not null
)";

/// A database of its own. A clone is the same.
#[derive(Clone)]
pub(crate) struct Database {
    database: Arc<postgres::Database>,
    pooler: Arc<Pooler>,
}

impl Database {
    pub(crate) async fn new() -> Self {
        Self::on(Server::shared().await.unwrap()).await
    }

    /// A database on this server, behind a proxy of its own.
    pub(crate) async fn on(server: &Server) -> Self {
        Self {
            database: Arc::new(server.database().await.unwrap()),
            pooler: Arc::new(Pooler::start(server).await.unwrap()),
        }
    }

    /// A pool for the test itself, without the proxy.
    pub(crate) async fn direct(&self) -> PgPool {
        connect(&self.database.url(), 5, Duration::from_secs(30)).await
    }

    /// Makes a user of this name without privileges, and returns the name of the user on the server, and
    /// a pool of the user, without the proxy.
    pub(crate) async fn user(&self, name: &str) -> (String, PgPool) {
        let name = format!("{name}_{}", self.database.name());
        let create = format!("create role {name} login");
        sqlx::raw_sql(sqlx::AssertSqlSafe(create))
            .execute(&self.direct().await)
            .await
            .unwrap();
        let url = self.database.url();
        let url = url.replace("//postgres@", &format!("//{name}@"));
        let pool = connect(&url, 5, Duration::from_secs(30)).await;
        (name, pool)
    }

    /// A pool of a service, with the longest time that it waits for a connection.
    pub(crate) async fn pool(&self, connections: u32, patience: Duration) -> PgPool {
        connect(&self.pooler.url(&self.database), connections, patience).await
    }
}

async fn connect(url: &str, connections: u32, patience: Duration) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(patience)
        .connect(url)
        .await
        .unwrap()
}

//! `Home`: a database that a test saves and restores as an operator does: a copy of the file of SQLite, a
//! template of PostgreSQL.

use std::future::Future;
use std::path::PathBuf;

use event_sdk_sql::{EffectTx, InboxDatabase, Postgres, Sqlite, Store};
use event_sdk_test_servers::postgres::{Database, Postgres as Server};
use event_sdk_test_stores::sqlite_pool;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Pool, SqlitePool};
use tempfile::TempDir;

/// Makes a unit test of each scenario on both databases.
macro_rules! on_both {
    ($($scenario:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario::<crate::home::OnSqlite>().await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario::<crate::home::OnPostgres>().await;
            })+
        }
    };
}
pub(crate) use on_both;

pub(crate) trait Home: Sized + Send + Sync + 'static {
    type Db: Store + InboxDatabase;

    /// An empty database.
    async fn new() -> Self;

    fn pool(&self) -> &Pool<Self::Db>;

    /// Saves a backup, in place of an earlier one. Pools from before are closed.
    async fn save(&mut self);

    /// Restores the backup. Pools from before are closed.
    async fn restore(&mut self);

    /// Creates the table of the effects.
    async fn create_invoices(&self);

    /// The effect: fails if the order has an invoice.
    fn write_invoice(
        tx: &mut EffectTx<Self::Db>,
        order: u32,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The orders that have an invoice.
    async fn invoices(&self) -> Vec<u32>;

    /// Executes a statement.
    async fn execute(&self, sql: &'static str);
}

const CREATE: &str = "create table invoices (order_id integer primary key)";
const INSERT: &str = "insert into invoices (order_id) values ($1)";
const SELECT: &str = "select order_id from invoices order by order_id";

pub(crate) struct OnSqlite {
    folder: TempDir,
    pool: SqlitePool,
}

impl OnSqlite {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Home for OnSqlite {
    type Db = Sqlite;

    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pool = sqlite_pool(&folder.path().join("shop.db")).await.unwrap();
        Self { folder, pool }
    }

    fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    async fn save(&mut self) {
        self.pool.close().await;
        std::fs::copy(self.file("shop.db"), self.file("backup.db")).unwrap();
        self.pool = sqlite_pool(&self.file("shop.db")).await.unwrap();
    }

    async fn restore(&mut self) {
        self.pool.close().await;
        for rest in ["shop.db-wal", "shop.db-shm"] {
            let _ = std::fs::remove_file(self.file(rest));
        }
        std::fs::copy(self.file("backup.db"), self.file("shop.db")).unwrap();
        self.pool = sqlite_pool(&self.file("shop.db")).await.unwrap();
    }

    async fn create_invoices(&self) {
        self.execute(CREATE).await;
    }

    async fn write_invoice(tx: &mut EffectTx<Sqlite>, order: u32) -> Result<(), sqlx::Error> {
        let insert = sqlx::query(INSERT).bind(order).execute(&mut **tx);
        insert.await.map(drop)
    }

    async fn invoices(&self) -> Vec<u32> {
        let orders = sqlx::query_scalar(SELECT).fetch_all(&self.pool);
        orders.await.unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }
}

pub(crate) struct OnPostgres {
    database: Database,
    pool: PgPool,
}

impl OnPostgres {
    async fn connect(database: &Database) -> PgPool {
        PgPool::connect(&database.url()).await.unwrap()
    }

    /// Makes the database `to` a copy of `from`, to which nobody is connected.
    async fn copy(&self, from: &str, to: &str) {
        let url = self.database.url();
        let (server, _) = url.rsplit_once('/').unwrap();
        let mut session = PgConnection::connect(&format!("{server}/postgres"))
            .await
            .unwrap();
        for sql in [
            format!("drop database if exists \"{to}\""),
            format!("create database \"{to}\" template \"{from}\""),
        ] {
            let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut session);
            done.await.unwrap();
        }
        session.close().await.unwrap();
    }

    fn names(&self) -> (String, String) {
        let name = self.database.name().to_owned();
        let backup = format!("{name}_backup");
        (name, backup)
    }
}

impl Home for OnPostgres {
    type Db = Postgres;

    async fn new() -> Self {
        let server = Server::shared().await.unwrap();
        let database = server.database().await.unwrap();
        let pool = Self::connect(&database).await;
        Self { database, pool }
    }

    fn pool(&self) -> &PgPool {
        &self.pool
    }

    async fn save(&mut self) {
        self.pool.close().await;
        let (name, backup) = self.names();
        self.copy(&name, &backup).await;
        self.pool = Self::connect(&self.database).await;
    }

    async fn restore(&mut self) {
        self.pool.close().await;
        let (name, backup) = self.names();
        self.copy(&backup, &name).await;
        self.pool = Self::connect(&self.database).await;
    }

    async fn create_invoices(&self) {
        self.execute(CREATE).await;
    }

    async fn write_invoice(tx: &mut EffectTx<Postgres>, order: u32) -> Result<(), sqlx::Error> {
        let order = i32::try_from(order).unwrap();
        let insert = sqlx::query(INSERT).bind(order).execute(&mut **tx);
        insert.await.map(drop)
    }

    async fn invoices(&self) -> Vec<u32> {
        let orders = sqlx::query_scalar(SELECT).fetch_all(&self.pool);
        let orders: Vec<i32> = orders.await.unwrap();
        let orders = orders
            .into_iter()
            .map(|order| u32::try_from(order).unwrap());
        orders.collect()
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }
}

//! `Store`: what SQLite and PostgreSQL have in common, and `AsConnection`: what a caller may pass as a
//! transaction.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use event_sdk_store::StoreError;
use event_sdk_store::outbox::{OutboxMessage, OutboxStore};
use event_sdk_store::recover::RecoverableOutbox;
use sqlx::{Pool, Transaction};

use crate::migrations::{SchemaDifference, SchemaVersion};
use crate::tables::Tables;

/// The future of an operation on a connection.
pub(crate) type SqlFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A database that has an outbox: [`Sqlite`](crate::Sqlite) and [`Postgres`](crate::Postgres).
///
/// The trait is sealed: other databases implement
/// [`OutboxStore`](event_sdk_store::outbox::OutboxStore).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no outbox",
    label = "expected `Sqlite` or `Postgres`",
    note = "PostgreSQL needs the feature `postgres` of event-sdk-sql, SQLite the feature `sqlite`"
)]
pub trait Store: sqlx::Database<Connection: Sized> + Backend {}

/// What a database does for an outbox. Not for callers.
#[doc(hidden)]
pub trait Backend: sqlx::Database {
    /// The statements with their names.
    type Statements: std::fmt::Debug + Send + Sync + 'static;

    fn statements(tables: &Tables) -> Self::Statements;

    /// Begins a transaction that will write.
    fn begin(pool: &Pool<Self>) -> SqlFuture<'_, Transaction<'static, Self>>;

    fn insert<'a>(
        connection: &'a mut Self::Connection,
        statements: &'a Self::Statements,
        message: OutboxMessage,
        named: bool,
    ) -> SqlFuture<'a, ()>;

    /// Deletes the rows of a cancel key that are not on their way. Returns their number.
    fn cancel<'a>(
        connection: &'a mut Self::Connection,
        statements: &'a Self::Statements,
        cancel_key: String,
        named: bool,
    ) -> SqlFuture<'a, u64>;

    fn outbox_store(pool: Pool<Self>, tables: &Tables, named: bool) -> Arc<dyn OutboxStore>;

    fn recoverable_outbox(
        pool: Pool<Self>,
        tables: &Tables,
        named: bool,
    ) -> Arc<dyn RecoverableOutbox>;

    fn migrate<'a>(pool: &'a Pool<Self>, tables: &'a Tables) -> SqlFuture<'a, SchemaVersion>;

    fn check<'a>(pool: &'a Pool<Self>, tables: &'a Tables) -> SqlFuture<'a, SchemaVersion>;

    fn verify<'a>(pool: &'a Pool<Self>, tables: &'a Tables)
    -> SqlFuture<'a, Vec<SchemaDifference>>;
}

/// What a caller may pass as a connection in a transaction: a [`Tx`](crate::Tx), a transaction of
/// sqlx, a connection, or a connection of a pool.
///
/// A connection without a transaction works too: each row is then committed separately. But behind
/// a proxy that gives each transaction another connection, a transaction is needed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a connection to `{DB}`",
    label = "expected a transaction or a connection of `{DB}`",
    note = "begin a transaction, by `outbox.begin()` or `pool.begin()`, and pass it: the event is stored if it commits"
)]
pub trait AsConnection<DB: sqlx::Database>: Send {
    /// The connection.
    fn as_connection(&mut self) -> &mut DB::Connection;
}

impl<DB: sqlx::Database> AsConnection<DB> for Transaction<'_, DB> {
    fn as_connection(&mut self) -> &mut DB::Connection {
        self
    }
}

impl<DB: sqlx::Database> AsConnection<DB> for sqlx::pool::PoolConnection<DB> {
    fn as_connection(&mut self) -> &mut DB::Connection {
        self
    }
}

#[cfg(feature = "sqlite")]
impl AsConnection<sqlx::Sqlite> for sqlx::SqliteConnection {
    fn as_connection(&mut self) -> &mut Self {
        self
    }
}

#[cfg(feature = "postgres")]
impl AsConnection<sqlx::Postgres> for sqlx::PgConnection {
    fn as_connection(&mut self) -> &mut Self {
        self
    }
}

//! `Outbox`: stores events in the caller's transaction, for a relay to publish.

mod enqueue;
mod operator;
mod tx;

use std::fmt;
use std::sync::Arc;

use event_sdk::{Event, EventBus, IntoPublishable};
use event_sdk_store::outbox::{OutboxMessage, OutboxStore};
use event_sdk_store::recover::RecoverableOutbox;
use event_sdk_store::{Relay, StoreError, Wake};
use sqlx::Pool;

use crate::database::{AsConnection, Store};
use crate::migrations::{SchemaDifference, SchemaVersion};
use crate::tables::Tables;
pub use enqueue::{Enqueue, Enqueued};
pub use tx::Tx;

/// An outbox: events are stored in the caller's transaction, and a [relay](Self::relay) publishes
/// them. The event and the other writes of the transaction are committed together, or neither is.
///
/// Clones are cheap and are the same outbox.
///
/// **Order.** Events of one key are published in the order of their inserts. This is also the order
/// in which the transactions commit, provided that two transactions never write events of the same
/// key at the same time: for example, each first locks the database row that the key identifies, or
/// there is only one writer.
///
/// **A proxy that pools transactions**, such as `PgBouncer`, may give each transaction another
/// connection. The statements of the SDK work behind such a proxy: none depends on state outside of
/// its transaction, and none is prepared by name. For your own statements, call sqlx's
/// `persistent(false)`. Without such a proxy, [`named_statements`](Self::named_statements) saves a
/// round trip for each insert.
pub struct Outbox<DB: Store> {
    inner: Arc<Inner<DB>>,
}

pub(crate) struct Inner<DB: Store> {
    pub(crate) pool: Pool<DB>,
    pub(crate) bus: EventBus,
    pub(crate) tables: Tables,
    pub(crate) statements: DB::Statements,
    pub(crate) named: bool,
    pub(crate) wake: Wake,
    pub(crate) store: Arc<dyn OutboxStore>,
}

impl<DB: Store> Outbox<DB> {
    /// An outbox with the default [`Tables`]. Events are encoded by `bus`, and relays publish with it.
    pub fn new(pool: Pool<DB>, bus: EventBus) -> Self {
        Self::with_tables(pool, bus, Tables::new())
    }

    /// An outbox with other names of schema and tables.
    pub fn with_tables(pool: Pool<DB>, bus: EventBus, tables: Tables) -> Self {
        Self::build(pool, bus, tables, false)
    }

    fn build(pool: Pool<DB>, bus: EventBus, tables: Tables, named: bool) -> Self {
        Self {
            inner: Arc::new(Inner {
                statements: DB::statements(&tables),
                store: DB::outbox_store(pool.clone(), &tables, named),
                wake: Wake::new(),
                pool,
                bus,
                tables,
                named,
            }),
        }
    }

    /// Prepares statements by name, once for each connection. With PostgreSQL, this saves a round
    /// trip for each insert. It does not work behind a proxy that gives each transaction another
    /// connection.
    ///
    /// Call this before you clone the outbox: a clone that was made before does not wake the relays
    /// of this value.
    #[must_use]
    pub fn named_statements(self) -> Self {
        let inner = self.inner;
        Self::build(
            inner.pool.clone(),
            inner.bus.clone(),
            inner.tables.clone(),
            true,
        )
    }

    /// Begins a transaction that wakes the relays of this process as soon as it has committed.
    ///
    /// On SQLite, the transaction takes the write lock at once (`BEGIN IMMEDIATE`). So it waits for
    /// other writers here, and never fails because of them later.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// The errors of an unavailable database: [`Busy`](crate::StoreErrorKind::Busy),
    /// [`Unavailable`](crate::StoreErrorKind::Unavailable), [`Full`](crate::StoreErrorKind::Full).
    pub async fn begin(&self) -> Result<Tx<DB>, StoreError> {
        let transaction = DB::begin(&self.inner.pool).await?;
        Ok(Tx::new(transaction, self.clone()))
    }

    /// Stores an event in the caller's transaction. Await the result. The event is published after
    /// the commit, or never if the transaction is rolled back.
    ///
    /// `connection` is a [`Tx`], a transaction or a connection of sqlx. The codec of the bus makes
    /// the envelope now, so id, time and correlation are fixed by this call. Options:
    /// [`caused_by`](Enqueue::caused_by), [`not_before`](Enqueue::not_before) and others.
    pub fn enqueue<'c, E: Event>(
        &self,
        connection: &'c mut impl AsConnection<DB>,
        event: impl IntoPublishable<E>,
    ) -> Enqueue<'c, DB, E> {
        let event = event.into_publishable();
        Enqueue::event(self.clone(), connection.as_connection(), event)
    }

    /// Stores a message that is not an event of this program, such as a message copied from another
    /// outbox.
    pub fn enqueue_message<'c>(
        &self,
        connection: &'c mut impl AsConnection<DB>,
        message: OutboxMessage,
    ) -> Enqueue<'c, DB, NoEvent> {
        Enqueue::message(self.clone(), connection.as_connection(), message)
    }

    /// Removes the events with this [cancel key](Enqueue::cancel_key) whose time has not come, in
    /// the caller's transaction. Returns the number of removed events: zero if there is no such
    /// event, or if a relay has already taken it to publish it.
    ///
    /// If the future is dropped, roll the caller's transaction back; otherwise the call is
    /// cancel-safe.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error).
    pub async fn cancel(
        &self,
        connection: &mut impl AsConnection<DB>,
        cancel_key: impl Into<String>,
    ) -> Result<u64, StoreError> {
        let inner = &self.inner;
        let connection = connection.as_connection();
        DB::cancel(
            connection,
            &inner.statements,
            cancel_key.into(),
            inner.named,
        )
        .await
    }

    /// Returns a relay of this outbox, which publishes the rows. Run at least one relay in a
    /// process of the service.
    pub fn relay(&self) -> Relay {
        let inner = &self.inner;
        Relay::new(
            Arc::clone(&inner.store),
            inner.bus.clone(),
            inner.wake.clone(),
        )
    }

    /// Creates the tables, or brings older tables up to date. Run this as a deployment step, before
    /// the programs that need the tables start. Programs of the previous version go on working with
    /// the new tables.
    ///
    /// Repeating the call does nothing. Several processes may call it at the same time.
    ///
    /// Cancel-safe: each version is committed as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](crate::StoreErrorKind::PermissionDenied) without the privilege to create
    /// tables, [`SchemaNewer`](crate::StoreErrorKind::SchemaNewer) for tables of a version that
    /// this program does not know and cannot work with, and the errors of an unavailable database.
    pub async fn migrate(&self) -> Result<SchemaVersion, StoreError> {
        DB::migrate(&self.inner.pool, &self.inner.tables).await
    }

    /// Checks that this program can work with the tables. A relay makes this check when it starts.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`SchemaMissing`](crate::StoreErrorKind::SchemaMissing),
    /// [`SchemaOlder`](crate::StoreErrorKind::SchemaOlder),
    /// [`SchemaNewer`](crate::StoreErrorKind::SchemaNewer), and the errors of an unavailable
    /// database.
    pub async fn check(&self) -> Result<SchemaVersion, StoreError> {
        DB::check(&self.inner.pool, &self.inner.tables).await
    }

    /// Compares the tables with those that the migrations create: columns, indexes, constraints,
    /// triggers, the rows of the shards and, on PostgreSQL, rules and the function
    /// `event_outbox_enqueue`. Differences come from changes by hand, or from migrations that did
    /// not run. On PostgreSQL, the call creates a schema and removes it again, so it needs the
    /// privilege to create schemas. Call it as the owner of the tables: other users may not see all
    /// columns, and need `select` on the table of the shards. The rows of the shards are compared only
    /// if this table and its column `shard` exist as the migrations create them.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// The same as for [`check`](Self::check), and
    /// [`PermissionDenied`](crate::StoreErrorKind::PermissionDenied), which says what is missing.
    pub async fn verify(&self) -> Result<Vec<SchemaDifference>, StoreError> {
        DB::verify(&self.inner.pool, &self.inner.tables).await
    }

    /// Returns the tables of this outbox, as a relay uses them.
    pub fn store(&self) -> &Arc<dyn OutboxStore> {
        &self.inner.store
    }

    /// Returns the tables of this outbox, for a [`Recover`](event_sdk_store::recover::Recover)
    /// after a restore.
    pub fn recoverable(&self) -> Arc<dyn RecoverableOutbox> {
        let inner = &self.inner;
        DB::recoverable_outbox(inner.pool.clone(), &inner.tables, inner.named)
    }

    /// Returns the value that wakes the relays of this process. Use it after your own SQL has
    /// inserted rows.
    pub fn wake(&self) -> &Wake {
        &self.inner.wake
    }

    /// The pool.
    pub fn pool(&self) -> &Pool<DB> {
        &self.inner.pool
    }

    /// The bus that encodes the events.
    pub fn bus(&self) -> &EventBus {
        &self.inner.bus
    }

    /// The names of schema and tables.
    pub fn tables(&self) -> &Tables {
        &self.inner.tables
    }

    pub(crate) fn inner(&self) -> &Inner<DB> {
        &self.inner
    }
}

/// The type parameter of [`Enqueue`] for a message that is not an event of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEvent {}

impl<DB: Store> Clone for Outbox<DB> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<DB: Store> fmt::Debug for Outbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("tables", &self.inner.tables)
            .field("bus", &self.inner.bus)
            .finish_non_exhaustive()
    }
}

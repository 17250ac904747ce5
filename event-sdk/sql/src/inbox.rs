//! `Inbox`: effects that happen exactly once, because each is in one transaction with the record of
//! its event.

mod batch;
mod begin;
mod check;
pub(crate) mod database;
mod effect;
mod give_up;
pub(crate) mod on_database;
mod owner;
mod publish;
mod reason;
mod recover;
mod retention;
pub(crate) mod statements;
mod tx;

pub use batch::BatchEffects;
pub(crate) use check::unusable;
pub use database::InboxDatabase;
pub use effect::{Effect, EffectOf, Effects};
pub(crate) use give_up::{statement_failed, unstored};
pub use publish::PublishInEffect;
pub use tx::{Committed, EffectTx};

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer;
use event_sdk_store::StoreError;
#[cfg(doc)]
use event_sdk_store::StoreErrorKind;
use event_sdk_store::inbox::{InboxCleaner, InboxStatus, InboxStore};
use event_sdk_store::recover::RecoverableInbox;
use sqlx::Pool;
use uuid::Uuid;

use self::statements::{InboxStatements, InboxTables};
use crate::classify::failure as failed;
use crate::{SchemaVersion, Tables};

/// The inbox of a database. It records which events its consumers have handled, in one transaction
/// with the effects, and which events they have given up. Clones are the same inbox.
///
/// ```no_run
/// # use event_sdk::consumer::Failure;
/// # use event_sdk::EventBus;
/// # use event_sdk_sql::{EffectOf, Inbox, EffectTx};
/// # use sqlx::{Sqlite, SqlitePool};
/// # use event_sdk::Event;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { order: i64 }
/// # struct Billing;
/// # impl EffectOf<OrderPlaced, Sqlite> for Billing {
/// #     async fn apply(&self, _: OrderPlaced, _: &mut EffectTx<Sqlite>) -> Result<(), Failure> { Ok(()) }
/// # }
/// # async fn example(bus: EventBus, pool: SqlitePool) -> Result<(), Box<dyn std::error::Error>> {
/// let inbox = Inbox::new(pool);
/// bus.consumer::<OrderPlaced>("billing")
///     .handled_by(inbox.effects(Billing))
///     .dead_letters(inbox.dead_letters())
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// **Handlers** are [`effects`](Self::effects) by type, [`effect`](Self::effect) by closure, or
/// [`batches`](Self::batches): one transaction for many events.
///
/// **The record** has the consumer, the id of the event, the number of its redrive, and the
/// outcome: done or dead. If an event whose record is done is delivered again, the event is
/// acknowledged without an effect. An event whose record is dead is handled again only after a
/// redrive. The consumer records that an event is dead before its letter is stored; with
/// [`dead_letters`](Self::dead_letters), one transaction writes both.
///
/// **Retention.** A [cleaner](Self::cleaner) deletes the record of an event if it is older than the
/// [retention](InboxBuilder::retention) and the consumer has acknowledged the event. An event that
/// the server may deliver again keeps its record. After its record was deleted, an event may be
/// delivered again by a redrive, a replay or a reset of the consumer. Because such an event may have
/// been handled before, the inbox refuses it, and it becomes a dead letter of the class `rejected`.
/// [`accept_older`](InboxBuilder::accept_older) changes this. The page
/// [inbox](https://github.com/event-sdk/event-sdk/blob/main/docs/inbox.md#retention) has the exact
/// conditions.
///
/// **Owners.** If a consumer has one owner
/// ([`single_active`](event_sdk::consumer::Consumer::single_active)), each effect locks the epoch
/// of the owner, which a takeover raises. If an owner was replaced and has not noticed it yet, its
/// effects are refused.
pub struct Inbox<DB: InboxDatabase> {
    inner: Arc<Inner<DB>>,
}

pub(crate) struct Inner<DB: InboxDatabase> {
    me: Weak<Self>,
    pub(crate) id: Uuid,
    pub(crate) pool: Pool<DB>,
    pub(crate) sql: InboxStatements,
    tables: Tables,
    name: String,
    retention: Duration,
    accept_older: bool,
    outbox: Option<crate::Outbox<DB>>,
    tokens: AtomicU64,
    known: Mutex<Known>,
}

/// What this process has found in the tables or written there.
#[derive(Default)]
struct Known {
    sources: HashSet<(String, String)>,
    epochs: HashMap<(String, u32), u64>,
    /// Whether this program can work with the version of the tables.
    version_fits: bool,
}

impl<DB: InboxDatabase> Inner<DB> {
    fn next_token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<DB: InboxDatabase> Inbox<DB> {
    /// The inbox in the tables with the default names.
    #[must_use]
    pub fn new(pool: Pool<DB>) -> Self {
        InboxBuilder::new(pool).build()
    }

    /// Begins an inbox with options.
    pub fn builder(pool: Pool<DB>) -> InboxBuilder<DB> {
        InboxBuilder::new(pool)
    }

    /// Returns a handler that runs the effects of a type that implements [`EffectOf`]. Pass it to
    /// [`handled_by`](event_sdk::consumer::Consumer::handled_by), which needs an effect for each
    /// event of the set, or to [`on_handler`](event_sdk::consumer::Consumer::on_handler).
    pub fn effects<H>(&self, effects: H) -> Effects<H, DB> {
        Effects::new(self.clone(), effects)
    }

    /// Returns a handler that passes the transaction to a closure, and the closure commits it. Pass
    /// the handler to [`on_handler`](event_sdk::consumer::Consumer::on_handler):
    ///
    /// ```
    /// # use event_sdk::EventBus;
    /// # use event_sdk_sql::{Inbox, EffectTx};
    /// # use sqlx::{Sqlite, SqlitePool};
    /// # use event_sdk::Event;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Event, Serialize, Deserialize)]
    /// # #[event(domain = "orders")]
    /// # struct OrderPlaced { order: i64 }
    /// # fn example(bus: EventBus, inbox: Inbox<Sqlite>) {
    /// let consumer = bus.consumer::<OrderPlaced>("billing").on_handler(inbox.effect(
    ///     |placed: OrderPlaced, mut tx: EffectTx<Sqlite>| async move {
    ///         sqlx::query("insert into invoices (order_id) values ($1)")
    ///             .bind(placed.order)
    ///             .execute(&mut *tx)
    ///             .await?;
    ///         tx.commit().await
    ///     },
    /// ));
    /// # }
    /// ```
    ///
    /// The event is acknowledged only if the closure returns the [`Committed`] of its own
    /// transaction. An error after the commit does not undo the effect: the event is delivered
    /// again, and its record says that it is done.
    pub fn effect<E, F, Fut>(&self, effect: F) -> Effect<E, F, DB>
    where
        F: Fn(E, EffectTx<DB>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Committed, consumer::Failure>> + Send,
    {
        Effect::new(self.clone(), effect)
    }

    /// Returns a handler of batches, for
    /// [`batches_handled_by`](event_sdk::consumer::Consumer::batches_handled_by). It writes the
    /// effects of all events of a batch, and their records, in one transaction.
    ///
    /// The records are written in one statement. If an effect fails, everything is rolled back, and
    /// the batch is divided until each event that fails is alone. Later events of the same key wait
    /// for the failed event.
    pub fn batches<H>(&self, effects: H) -> BatchEffects<H, DB> {
        BatchEffects::new(self.clone(), effects)
    }

    /// Returns a cleaner, which deletes records that are older than the retention. Run one cleaner
    /// for each database, for example in a task of a process that runs consumers. `bus` is the bus
    /// of the consumers.
    #[must_use]
    pub fn cleaner(&self, bus: &EventBus) -> InboxCleaner {
        InboxCleaner::new(self.store(), bus, self.inner.retention)
    }

    /// Returns the inbox in the form that a consumer asks before it gives an event up. If you write
    /// a handler that wraps handlers of the inbox, return this value from its
    /// [`Handle::inbox`](consumer::Handle::inbox).
    #[must_use]
    pub fn as_consumer_inbox(&self) -> Arc<dyn consumer::Inbox> {
        Arc::clone(&self.inner) as Arc<dyn consumer::Inbox>
    }

    /// Returns the inbox as its [cleaner](Self::cleaner) uses it.
    #[must_use]
    pub fn store(&self) -> Arc<dyn InboxStore> {
        Arc::clone(&self.inner) as Arc<dyn InboxStore>
    }

    /// Returns the records of the inbox, for a [`Recover`](event_sdk_store::recover::Recover) after
    /// a restore.
    #[must_use]
    pub fn recoverable(&self) -> Arc<dyn RecoverableInbox> {
        Arc::clone(&self.inner) as Arc<dyn RecoverableInbox>
    }

    /// Creates the tables of inbox, outbox and dead letters, or brings older tables up to date.
    /// [`Outbox::migrate`](crate::Outbox::migrate) with the same [`Tables`] does the same.
    ///
    /// # Errors
    ///
    /// The errors of [`Outbox::migrate`](crate::Outbox::migrate).
    pub async fn migrate(&self) -> Result<SchemaVersion, StoreError> {
        DB::migrate(&self.inner.pool, &self.inner.tables).await
    }

    /// Checks that this program can work with the tables. A consumer with this inbox, or with its
    /// [dead letters](Self::dead_letters), makes this check when it starts; a cleaner, before its
    /// first round.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`SchemaMissing`](StoreErrorKind::SchemaMissing),
    /// [`SchemaOlder`](StoreErrorKind::SchemaOlder), [`SchemaNewer`](StoreErrorKind::SchemaNewer),
    /// [`PermissionDenied`](StoreErrorKind::PermissionDenied), and the errors of an unavailable
    /// database.
    pub async fn check(&self) -> Result<SchemaVersion, StoreError> {
        self.inner.check_tables().await
    }

    /// Counts the records of a consumer. The call reads all these records.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] of a kind that is an [outage](StoreErrorKind::is_outage), of
    /// [`SchemaMissing`](StoreErrorKind::SchemaMissing),
    /// [`SchemaOlder`](StoreErrorKind::SchemaOlder), [`SchemaNewer`](StoreErrorKind::SchemaNewer),
    /// [`PermissionDenied`](StoreErrorKind::PermissionDenied), or of
    /// [`Other`](StoreErrorKind::Other).
    pub async fn status(&self, consumer: &str) -> Result<InboxStatus, StoreError> {
        let inner = &self.inner;
        inner.inbox_status(consumer.to_owned().into()).await
    }

    /// Forgets the owners of a consumer. Call this after its coordination bucket was deleted and
    /// created again: epochs in a new bucket begin at one, and the inbox refuses epochs below the
    /// recorded one. Returns how many partitions were forgotten.
    ///
    /// Stop all instances of the consumer first. Otherwise an owner that was replaced could write
    /// after this call.
    ///
    /// Not cancel-safe: if the future is dropped, the owners may or may not be forgotten.
    ///
    /// # Errors
    ///
    /// The same as for [`status`](Self::status).
    pub async fn forget_owners(&self, consumer: &str) -> Result<u64, StoreError> {
        let inner = &self.inner;
        let mut transaction = inner.begin_writing().await?;
        let forgotten = async {
            let owners = DB::forget_epochs(&mut transaction, &inner.sql, consumer).await?;
            transaction.commit().await?;
            Ok(owners)
        };
        let forgotten = forgotten.await.map_err(retention::store_error)?;
        inner.known().epochs.clear();
        Ok(forgotten)
    }

    pub(crate) fn into_inner(self) -> Arc<Inner<DB>> {
        self.inner
    }
}

/// The options of an [`Inbox`]. [`Inbox::builder`] returns it.
#[must_use = "an inbox is made by `build`"]
pub struct InboxBuilder<DB: InboxDatabase> {
    pool: Pool<DB>,
    tables: Tables,
    retention: Duration,
    accept_older: bool,
    outbox: Option<crate::Outbox<DB>>,
}

impl<DB: InboxDatabase> InboxBuilder<DB> {
    /// How long records are kept by default: 30 days.
    pub const RETENTION: Duration = Duration::from_hours(30 * 24);

    fn new(pool: Pool<DB>) -> Self {
        Self {
            pool,
            tables: Tables::new(),
            retention: Self::RETENTION,
            accept_older: false,
            outbox: None,
        }
    }

    /// Sets the schema and the names of the tables. Default: [`Tables::new`].
    pub fn tables(mut self, tables: Tables) -> Self {
        self.tables = tables;
        self
    }

    /// Sets how long records are kept; this is the deduplication window. Default:
    /// [`RETENTION`](Self::RETENTION), 30 days.
    ///
    /// Choose at least the longest time after which you may redrive or replay an event, or reset a
    /// consumer. The tables need about `events per second × seconds of retention × 200 bytes`.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// Accepts events that are redriven, replayed, or delivered after a reset although their records
    /// may have been deleted. An effect may then happen a second time. By default such events are
    /// refused.
    pub fn accept_older(mut self) -> Self {
        self.accept_older = true;
        self
    }

    /// Lets effects publish events ([`EffectTx::publish`]) through this outbox, in their transaction.
    pub fn outbox(mut self, outbox: &crate::Outbox<DB>) -> Self {
        self.outbox = Some(outbox.clone());
        self
    }

    /// Makes the inbox. The database is not accessed before the inbox is used.
    #[must_use]
    pub fn build(self) -> Inbox<DB> {
        let names = InboxTables::of(&self.tables);
        let inner = Arc::new_cyclic(|me| Inner {
            me: Weak::clone(me),
            id: Uuid::new_v4(),
            sql: DB::inbox_statements(&names),
            name: names.inbox.clone(),
            tables: self.tables,
            pool: self.pool,
            retention: self.retention,
            accept_older: self.accept_older,
            outbox: self.outbox,
            tokens: AtomicU64::new(0),
            known: Mutex::default(),
        });
        Inbox { inner }
    }
}

impl<DB: InboxDatabase> Clone for Inbox<DB> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<DB: InboxDatabase> fmt::Debug for Inbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<DB: InboxDatabase> fmt::Debug for Inner<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("name", &self.name)
            .field("retention", &self.retention)
            .field("accept_older", &self.accept_older)
            .finish_non_exhaustive()
    }
}

impl<DB: InboxDatabase> fmt::Debug for InboxBuilder<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxBuilder")
            .field("retention", &self.retention)
            .field("accept_older", &self.accept_older)
            .finish_non_exhaustive()
    }
}

/// The effect returned the proof of another delivery.
#[derive(Debug)]
struct Misplaced;

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proof belongs to another delivery")
    }
}

impl std::error::Error for Misplaced {}

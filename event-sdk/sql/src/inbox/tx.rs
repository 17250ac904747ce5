//! `EffectTx`: the transaction of an effect, which has the record of its event; `Committed`: the
//! proof that the transaction was committed.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use event_sdk::consumer::{Ctx, Failure};
use sqlx::Transaction;
use uuid::Uuid;

use super::database::InboxDatabase;
use super::{Inner, failed};
use crate::AsConnection;

/// The transaction of an effect. It derefs to the connection, on which the effect runs its statements:
///
/// ```ignore
/// sqlx::query("insert into invoices …").execute(&mut **tx).await?;
/// ```
///
/// The transaction contains the record that the event is done, so effect and record are committed
/// together or not at all. Dropping the transaction rolls it back. An effect must not run
/// statements that end the transaction (`COMMIT`, `ROLLBACK`): after them, the commit of the SDK
/// fails.
pub struct EffectTx<DB: InboxDatabase> {
    transaction: Transaction<'static, DB>,
    inner: Arc<Inner<DB>>,
    ctx: Ctx,
    /// The event whose record shows that the transaction is still the same.
    event: Uuid,
    token: u64,
    /// Whether it wrote rows of the outbox.
    pub(super) has_published: bool,
}

impl<DB: InboxDatabase> EffectTx<DB> {
    pub(super) fn new(
        transaction: Transaction<'static, DB>,
        inner: Arc<Inner<DB>>,
        ctx: Ctx,
    ) -> Self {
        let event = ctx.envelope().event_id;
        Self::with_record_of(transaction, inner, ctx, event)
    }

    /// The transaction of a batch, which has the record of this event among others.
    pub(super) fn with_record_of(
        transaction: Transaction<'static, DB>,
        inner: Arc<Inner<DB>>,
        ctx: Ctx,
        event: Uuid,
    ) -> Self {
        let token = inner.next_token();
        Self {
            event,
            transaction,
            inner,
            ctx,
            token,
            has_published: false,
        }
    }

    /// The context of the event: envelope, attempt, redrive.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// Commits the effect together with the record that the event is done.
    ///
    /// Only effects that own their transaction call this. For other effects, the consumer commits.
    ///
    /// Not cancel-safe: if the future is dropped, the effect may or may not be committed. The event
    /// is delivered again, and its record says whether the effect was committed.
    ///
    /// # Errors
    ///
    /// [`Failure`] of class [`Outage`](event_sdk::consumer::FailureClass::Outage) if the database
    /// is unavailable or busy. Otherwise of class
    /// [`Retry`](event_sdk::consumer::FailureClass::Retry): the commit was refused, an earlier
    /// statement failed, or a statement has ended the transaction.
    pub async fn commit(mut self) -> Result<Committed, Failure> {
        let (inner, token) = (Arc::clone(&self.inner), self.token);
        let consumer = self.ctx.consumer().to_owned();
        let own = DB::has_own_record(&mut self.transaction, &inner.sql, &consumer, self.event);
        if !own.await.map_err(failed)? {
            return Err(Failure::retry(Ended)
                .because("the effect ended its transaction itself; leave the commit to the SDK"));
        }
        self.transaction.commit().await.map_err(failed)?;
        if self.has_published {
            inner.wake_relays();
        }
        Ok(Committed { token })
    }

    pub(super) fn token(&self) -> u64 {
        self.token
    }

    pub(super) fn inner(&self) -> &Arc<Inner<DB>> {
        &self.inner
    }

    /// The transaction goes on with another event of its batch.
    pub(super) fn go_on_with(&mut self, ctx: Ctx) {
        self.ctx = ctx;
    }

    /// Undoes everything. An error leaves that to the database.
    pub(super) async fn roll_back(self) {
        let _ = self.transaction.rollback().await;
    }
}

impl<DB: InboxDatabase> Deref for EffectTx<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.transaction
    }
}

impl<DB: InboxDatabase> DerefMut for EffectTx<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.transaction
    }
}

impl<DB: InboxDatabase> fmt::Debug for EffectTx<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EffectTx")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

/// The proof that the effect of one delivery is committed, with the record of its event. Only
/// [`EffectTx::commit`] creates this proof, and it is valid for its own delivery only.
#[must_use = "return it from the effect: the event is acknowledged by it"]
#[derive(Debug)]
pub struct Committed {
    token: u64,
}

impl Committed {
    pub(super) fn token(&self) -> u64 {
        self.token
    }
}

/// The record is not in the transaction any more.
#[derive(Debug)]
struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the transaction has no record of the event any more")
    }
}

impl std::error::Error for Ended {}

impl<DB: InboxDatabase> AsConnection<DB> for EffectTx<DB> {
    fn as_connection(&mut self) -> &mut DB::Connection {
        self
    }
}

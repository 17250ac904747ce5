//! `Tx`: a transaction that knows its outbox, and wakes the relays when it has committed.

use std::fmt;
use std::ops::{Deref, DerefMut};

use event_sdk::{Event, IntoPublishable};
use event_sdk_store::StoreError;
use sqlx::Transaction;

use super::Outbox;
use super::enqueue::Enqueue;
use crate::database::{AsConnection, Store};
use crate::error::store_error;

/// A transaction with an outbox. [`Outbox::begin`] returns it.
///
/// It dereferences to the connection: `sqlx::query(…).execute(&mut *tx)`, or `&mut **tx` if you have a
/// reference to it.
///
/// Dropping the value rolls the transaction back.
pub struct Tx<DB: Store> {
    transaction: Transaction<'static, DB>,
    outbox: Outbox<DB>,
}

impl<DB: Store> Tx<DB> {
    pub(crate) fn new(transaction: Transaction<'static, DB>, outbox: Outbox<DB>) -> Self {
        Self {
            transaction,
            outbox,
        }
    }

    /// Stores an event in the outbox. Await the result. The event is published after the commit.
    pub fn publish<E: Event>(&mut self, event: impl IntoPublishable<E>) -> Enqueue<'_, DB, E> {
        let outbox = self.outbox.clone();
        outbox.enqueue(&mut self.transaction, event)
    }

    /// The outbox.
    pub fn outbox(&self) -> &Outbox<DB> {
        &self.outbox
    }

    /// Commits, and wakes the relays of this process.
    ///
    /// Not cancel-safe: if the future is dropped, the transaction may or may not be committed.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error). If the connection is lost, the transaction
    /// may or may not be committed.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(store_error)?;
        self.outbox.wake().committed();
        Ok(())
    }

    /// Rolls the transaction back. If the value is only dropped, the rollback follows later.
    ///
    /// # Errors
    ///
    /// The errors of the [database](crate::store_error).
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.transaction.rollback().await.map_err(store_error)
    }
}

impl<DB: Store> AsConnection<DB> for Tx<DB> {
    fn as_connection(&mut self) -> &mut DB::Connection {
        self
    }
}

impl<DB: Store> Deref for Tx<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.transaction
    }
}

impl<DB: Store> DerefMut for Tx<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.transaction
    }
}

impl<DB: Store> fmt::Debug for Tx<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx")
            .field("outbox", &self.outbox)
            .finish_non_exhaustive()
    }
}

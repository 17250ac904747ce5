//! `Harness`, `TestedOutbox` and `Writing`: implemented by an author of a store to start it for the
//! suite, and to write rows.

use std::future::Future;
use std::sync::Arc;

use event_sdk_store::outbox::{OutboxMessage, OutboxStore, StoreFuture};

use crate::need::Need;

/// Why a harness could not start an outbox.
pub type HarnessError = Box<dyn std::error::Error + Send + Sync>;

/// Starts the outboxes under test.
///
/// Each case starts its own outbox, whose tables exist and are empty. Cases run at the same time,
/// so outboxes of one database need different names.
pub trait Harness: Send + Sync + 'static {
    /// Creates an empty outbox.
    ///
    /// # Errors
    ///
    /// Any error; the case fails with its message.
    fn start(&self) -> impl Future<Output = Result<Box<dyn TestedOutbox>, HarnessError>> + Send;

    /// Whether the store has this. If the store lacks what a case needs, the case is replaced by a
    /// check that the store really lacks it.
    fn has(&self, need: Need) -> bool;
}

/// An outbox under test. It is dropped at the end of its case.
pub trait TestedOutbox: Send + Sync + 'static {
    /// The outbox, as a relay uses it.
    fn store(&self) -> Arc<dyn OutboxStore>;

    /// Begins a transaction of a writer.
    fn begin(&self) -> StoreFuture<'_, Box<dyn Writing>>;
}

/// A transaction of a writer. It rolls back when it is dropped.
pub trait Writing: Send {
    /// Inserts a row with this message.
    fn insert(&mut self, message: OutboxMessage) -> StoreFuture<'_, ()>;

    /// Cancels the scheduled rows that have this cancel key. Returns their number.
    fn cancel(&mut self, cancel_key: String) -> StoreFuture<'_, u64>;

    /// Commits.
    fn commit(self: Box<Self>) -> StoreFuture<'static, ()>;

    /// Rolls back.
    fn rollback(self: Box<Self>) -> StoreFuture<'static, ()>;
}

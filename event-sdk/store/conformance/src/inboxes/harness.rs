//! `InboxHarness` and `TestedInbox`: implemented by an author of an inbox to start it for the suite.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::{Consumer, Inbox};
use event_sdk::dead_letters::{DeadLetter, DeadLetterStore};
use event_sdk_store::inbox::InboxStore;
use event_sdk_store::outbox::StoreFuture;

use super::effect::{EffectDue, SuiteEffect};
use crate::HarnessError;
use crate::need::Need;

/// Starts the inboxes under test.
///
/// Each case starts its own inbox, whose tables exist and are empty. Cases run at the same time, so
/// inboxes of one database need different names.
pub trait InboxHarness: Send + Sync + 'static {
    /// Creates an empty inbox with a retention of at most a millisecond. The inbox refuses an event
    /// whose record a cleaner may have deleted.
    ///
    /// # Errors
    ///
    /// Any error; the case fails with its message.
    fn start(&self) -> impl Future<Output = Result<Box<dyn TestedInbox>, HarnessError>> + Send;

    /// Whether the inbox has this. If the inbox lacks what a case needs, the case is replaced by a
    /// check that the inbox really lacks it.
    fn has(&self, need: Need) -> bool;
}

/// An inbox under test, and in its database a table into which the effects of the suite write. The
/// value is dropped at the end of its case.
pub trait TestedInbox: Send + Sync + 'static {
    /// The inbox, as a consumer asks it before it gives an event up.
    fn inbox(&self) -> Arc<dyn Inbox>;

    /// The inbox, as its cleaner uses it.
    fn store(&self) -> Arc<dyn InboxStore>;

    /// The dead letters in the database of the inbox; `None` if it keeps none.
    fn dead_letters(&self) -> Option<Arc<dyn DeadLetterStore>>;

    /// The letters of [`dead_letters`](Self::dead_letters), the oldest first.
    fn letters(&self) -> StoreFuture<'_, Vec<DeadLetter>>;

    /// Lets a consumer handle each event by this effect, each in a transaction of its own.
    fn handle(&self, consumer: Consumer<EffectDue>, effect: SuiteEffect) -> Consumer<EffectDue>;

    /// Lets a consumer handle its events in batches, with all effects of a batch in one transaction.
    fn handle_batches(
        &self,
        consumer: Consumer<EffectDue>,
        max: usize,
        within: Duration,
        effect: SuiteEffect,
    ) -> Consumer<EffectDue>;

    /// The names that committed effects have written, in the order in which they wrote them.
    fn effects(&self) -> StoreFuture<'_, Vec<String>>;
}

//! `Cut`: the tables of a recovery, of which the recovering program is killed at one of its operations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_sql::recover::{
    AdoptedMessage, InboxEntry, OutboxEntry, RecordPlace, Recover, RecoverPlan, RecoverReport,
    RecoverableInbox, RecoverableOutbox, RowAt,
};
use event_sdk_sql::{InboxSource, InboxStore};
use event_sdk_store::inbox::InboxStatus;
use event_sdk_store::outbox::StoreFuture;
use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

/// Kills the program before its operation of this number, counted from zero over both stores: the future
/// of the operation never completes, and the task that waits for the kill drops everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Killer(Arc<Counter>);

#[derive(Debug, Default)]
struct Counter {
    left: AtomicUsize,
    reached: Notify,
}

impl Killer {
    pub(crate) fn at(operation: usize) -> Self {
        let killer = Self::default();
        killer.0.left.store(operation, Ordering::Relaxed);
        killer
    }

    async fn pass(&self) {
        let left = self.0.left.load(Ordering::Relaxed);
        if left == 0 {
            self.0.reached.notify_one();
            std::future::pending::<()>().await;
        }
        self.0.left.store(left - 1, Ordering::Relaxed);
    }

    /// Carries the plan out; `None` if it was killed.
    pub(crate) async fn carry_out(
        &self,
        recover: &Recover,
        plan: &RecoverPlan,
    ) -> Option<RecoverReport> {
        tokio::select! {
            biased;
            () = self.0.reached.notified() => None,
            report = recover.carry_out(plan) => Some(report.unwrap()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Cut<T: ?Sized> {
    pub(crate) killer: Killer,
    pub(crate) inner: Arc<T>,
}

impl<T: ?Sized> Cut<T> {
    fn cut<'a, R>(&'a self, operation: StoreFuture<'a, R>) -> StoreFuture<'a, R>
    where
        R: Send + 'a,
        T: Sync + Send,
    {
        Box::pin(async move {
            self.killer.pass().await;
            operation.await
        })
    }
}

impl RecoverableOutbox for Cut<dyn RecoverableOutbox> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn relays(&self) -> StoreFuture<'_, u32> {
        self.inner.relays()
    }

    fn entries(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<OutboxEntry>> {
        // Small pages and batches are those of a large outbox.
        self.inner.entries(after, limit.min(7))
    }

    fn publish_again(&self, rows: Vec<RowAt>) -> StoreFuture<'_, u64> {
        self.cut(self.inner.publish_again(rows))
    }

    fn mark_found(&self, rows: Vec<RowAt>, now: Timestamp) -> StoreFuture<'_, u64> {
        self.cut(self.inner.mark_found(rows, now))
    }

    fn adopt(&self, messages: Vec<AdoptedMessage>) -> StoreFuture<'_, ()> {
        self.cut(self.inner.adopt(messages))
    }
}

impl InboxStore for Cut<dyn RecoverableInbox> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn sources(&self) -> StoreFuture<'_, Vec<InboxSource>> {
        self.inner.sources()
    }

    fn claim_cleaning(
        &self,
        source: InboxSource,
        cleaner: Uuid,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreFuture<'_, bool> {
        self.inner.claim_cleaning(source, cleaner, now, ttl)
    }

    fn raise_floor(
        &self,
        source: InboxSource,
        acknowledged: u64,
        before: Timestamp,
    ) -> StoreFuture<'_, u64> {
        self.inner.raise_floor(source, acknowledged, before)
    }

    fn clean(&self, source: InboxSource, before: Timestamp, limit: u32) -> StoreFuture<'_, u64> {
        self.inner.clean(source, before, limit)
    }

    fn inbox_status(&self, consumer: Text) -> StoreFuture<'_, InboxStatus> {
        self.inner.inbox_status(consumer)
    }
}

impl RecoverableInbox for Cut<dyn RecoverableInbox> {
    fn records(&self, consumer: Text, after: Uuid, limit: u32) -> StoreFuture<'_, Vec<InboxEntry>> {
        self.inner.records(consumer, after, limit.min(7))
    }

    fn place_records(&self, source: InboxSource, places: Vec<RecordPlace>) -> StoreFuture<'_, u64> {
        self.cut(self.inner.place_records(source, places))
    }

    fn lower_floor(&self, source: InboxSource) -> StoreFuture<'_, bool> {
        self.cut(self.inner.lower_floor(source))
    }
}

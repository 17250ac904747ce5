//! `FakeOutbox`: an outbox that answers what a test tells it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk_store::StoreError;
use event_sdk_store::outbox::{
    ConfirmedRow, Except, KeptRow, KeyPosition, Membership, OutboxRow, OutboxStatus, OutboxStore,
    ParkReason, ParkedEntry, PendingWork, PublishedRow, RelayId, Release, ShardLease,
    ShardPosition, StoreFuture, WhichParked,
};
use jiff::Timestamp;

/// An outbox that answers what a test tells it, for the operations of commands.
#[derive(Debug, Default)]
pub(crate) struct FakeOutbox {
    pub(crate) status: OutboxStatus,
    pub(crate) parked: Vec<ParkedEntry>,
    /// The answers of deletions, in their order; then nothing is left.
    pub(crate) purges: Mutex<VecDeque<Result<u64, StoreError>>>,
}

/// Operations that no command calls.
macro_rules! not_called {
    ($($name:ident($($of:ty),*) -> $answer:ty;)*) => {$(
        fn $name(&self, $(_: $of),*) -> StoreFuture<'_, $answer> {
            Box::pin(async { unreachable!("no command calls `{}`", stringify!($name)) })
        }
    )*};
}

impl OutboxStore for FakeOutbox {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn shards(&self) -> u16 {
        1
    }

    fn parked(&self, after: i64, _: u32) -> StoreFuture<'_, Vec<ParkedEntry>> {
        let entries = self.parked.iter().filter(move |entry| entry.id > after);
        let entries = entries.cloned().collect();
        Box::pin(async { Ok(entries) })
    }

    fn purge_parked(&self, _: i64, _: u32) -> StoreFuture<'_, u64> {
        let next = self.purges.lock().unwrap().pop_front();
        Box::pin(async { next.unwrap_or(Ok(0)) })
    }

    fn status(&self, _: Timestamp) -> StoreFuture<'_, OutboxStatus> {
        Box::pin(async { Ok(self.status.clone()) })
    }

    not_called! {
        check_schema() -> ();
        renew(RelayId, Duration) -> Membership;
        claim(RelayId, Duration, u16) -> Vec<ShardLease>;
        release(RelayId, Vec<ShardLease>) -> ();
        leave(RelayId) -> ();
        claim_cleaning(RelayId, Duration) -> bool;
        fetch(Vec<ShardPosition>, u32) -> Vec<OutboxRow>;
        fetch_below(Vec<ShardPosition>, Except, u32) -> Vec<OutboxRow>;
        fetch_keys(Vec<KeyPosition>, Vec<i64>, u32) -> Vec<OutboxRow>;
        fetch_due(Vec<u16>, Timestamp, Vec<i64>, u32) -> Vec<OutboxRow>;
        pending_work(Vec<u16>, Timestamp) -> PendingWork;
        mark_published(RelayId, Vec<ConfirmedRow>, Timestamp) -> Vec<i64>;
        record_failure(ShardLease, i64, u32) -> bool;
        park(ShardLease, i64, ParkReason, Timestamp) -> bool;
        park_behind(ShardLease, String, u32) -> u64;
        release_parked(ShardLease, ParkedEntry, u32) -> Release;
        retry_parked(WhichParked) -> u64;
        skip_parked(i64) -> bool;
        published_since(Vec<u16>, Timestamp, i64, u32) -> Vec<PublishedRow>;
        newest_published(Vec<u16>, Duration) -> Vec<KeptRow>;
        published_before(Vec<u16>, Text, Timestamp, (Timestamp, i64), u32) -> Vec<KeptRow>;
        clean(Timestamp, u32) -> u64;
    }
}

/// A parked entry with this reason.
pub(crate) fn parked(id: i64, error: &str) -> ParkedEntry {
    let reason = ParkReason::new("reject", error, 1);
    ParkedEntry::new(id, 0, None, reason, "2026-05-01T08:00:00Z".parse().unwrap())
}

//! `InboxStore` and `InboxSource`: the operations by which a database's inbox is cleaned, and its
//! status is read.

use std::fmt;
use std::time::Duration;

use event_sdk::text::Text;
use jiff::Timestamp;
use uuid::Uuid;

use crate::outbox::StoreFuture;

/// The records of one consumer for events of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxSource {
    /// The consumer.
    pub consumer: Text,
    /// The stream; `None` for events of a transport without streams.
    pub stream: Option<Text>,
    /// The sequence up to which records may have been deleted. An event at or below the floor that
    /// has no record is refused, since it may have been handled.
    pub floor: u64,
}

impl InboxSource {
    /// The records of this consumer for events of this stream, with this floor.
    #[must_use]
    pub const fn new(consumer: Text, stream: Option<Text>, floor: u64) -> Self {
        Self {
            consumer,
            stream,
            floor,
        }
    }
}

/// How many records an inbox has for one consumer, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct InboxStatus {
    /// The number of events that are done.
    pub done: u64,
    /// The number of events that are dead.
    pub dead: u64,
    /// When the oldest record was written.
    pub oldest: Option<Timestamp>,
}

impl InboxStatus {
    /// A status with these numbers of events and the time of the oldest record.
    #[must_use]
    pub const fn new(done: u64, dead: u64, oldest: Option<Timestamp>) -> Self {
        Self { done, dead, oldest }
    }
}

/// The records of an inbox, for the [`InboxCleaner`](super::InboxCleaner).
///
/// Every operation is one short transaction. An operation is not cancel-safe unless its docs say
/// so: after the future is dropped, it may still have been carried out. Repeating an operation is
/// harmless.
pub trait InboxStore: fmt::Debug + Send + Sync + 'static {
    /// A name of the inbox, for logs and errors.
    fn name(&self) -> &str;

    /// The sources that have records, or had them before. This call changes nothing.
    fn sources(&self) -> StoreFuture<'_, Vec<InboxSource>>;

    /// Claims or renews the right to clean the records of a source, from `now` on for `ttl`. Only
    /// one cleaner at a time has this right. Returns whether this cleaner has it.
    fn claim_cleaning(
        &self,
        source: InboxSource,
        cleaner: Uuid,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreFuture<'_, bool>;

    /// Raises the floor of a source to the highest sequence of its records that were written before
    /// `before`, but not above `acknowledged`. Returns the floor. This call never lowers it.
    ///
    /// The floor is committed before any record is deleted, so that a reader who finds no record
    /// finds the floor that covers it.
    fn raise_floor(
        &self,
        source: InboxSource,
        acknowledged: u64,
        before: Timestamp,
    ) -> StoreFuture<'_, u64>;

    /// Deletes at most `limit` records of a source, the oldest first: those that were written
    /// before `before` and lie at or below the floor of the source. Records of dead events whose
    /// letters are in the same database stay, and so do records of redriven events that are done.
    /// Returns the number of deleted records.
    fn clean(&self, source: InboxSource, before: Timestamp, limit: u32) -> StoreFuture<'_, u64>;

    /// Counts the records of a consumer. This call changes nothing.
    fn inbox_status(&self, consumer: Text) -> StoreFuture<'_, InboxStatus>;
}

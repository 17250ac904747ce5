//! `InboxStore` and `InboxSource`: how the inbox of a database is cleaned, and what it tells of itself.

use std::fmt;
use std::time::Duration;

use event_sdk::text::Text;
use jiff::Timestamp;
use uuid::Uuid;

use crate::outbox::StoreFuture;

/// The records of an inbox that have their events in one stream, of one consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxSource {
    /// The consumer.
    pub consumer: Text,
    /// The stream; `None` for events of a transport without streams.
    pub stream: Option<Text>,
    /// Records of events up to this sequence may have been deleted. An event up to it that has no
    /// record is refused, since it may have been handled.
    pub floor: u64,
}

impl InboxSource {
    /// The records of a consumer with events in this stream.
    #[must_use]
    pub const fn new(consumer: Text, stream: Option<Text>, floor: u64) -> Self {
        Self {
            consumer,
            stream,
            floor,
        }
    }
}

/// What an inbox has of one consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct InboxStatus {
    /// Events that are done.
    pub done: u64,
    /// Events that are dead.
    pub dead: u64,
    /// When the oldest record was written.
    pub oldest: Option<Timestamp>,
}

impl InboxStatus {
    /// Numbers of records, and the time of the oldest one.
    #[must_use]
    pub const fn new(done: u64, dead: u64, oldest: Option<Timestamp>) -> Self {
        Self { done, dead, oldest }
    }
}

/// The records of an inbox, for the [`InboxCleaner`](super::InboxCleaner).
///
/// Every operation is one short transaction. Not cancel-safe unless its docs say so: after dropping
/// the future it may have been carried out; repeating it is harmless.
pub trait InboxStore: fmt::Debug + Send + Sync + 'static {
    /// A name of the inbox, for logs and errors.
    fn name(&self) -> &str;

    /// The consumers and streams of which there are or were records. It changes nothing.
    fn sources(&self) -> StoreFuture<'_, Vec<InboxSource>>;

    /// Claims or renews the right to clean the records of a source from `now` on for `ttl`; one cleaner
    /// at a time has it. Returns whether this one has it.
    fn claim_cleaning(
        &self,
        source: InboxSource,
        cleaner: Uuid,
        now: Timestamp,
        ttl: Duration,
    ) -> StoreFuture<'_, bool>;

    /// Raises the floor of a source to the highest sequence, at most `acknowledged`, of a record that
    /// was written before `before`. Returns the floor. It never falls.
    ///
    /// It is committed before anything is deleted, so that whoever finds no record finds the floor.
    fn raise_floor(
        &self,
        source: InboxSource,
        acknowledged: u64,
        before: Timestamp,
    ) -> StoreFuture<'_, u64>;

    /// Deletes records of a source that were written before `before`, up to its floor, at most
    /// `limit`, the oldest first. Records of dead events whose letters are open stay. Returns the
    /// number of deleted records.
    fn clean(&self, source: InboxSource, before: Timestamp, limit: u32) -> StoreFuture<'_, u64>;

    /// Counts the records of a consumer. It changes nothing.
    fn inbox_status(&self, consumer: Text) -> StoreFuture<'_, InboxStatus>;
}

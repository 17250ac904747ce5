//! `Recover`: compares outbox, inbox and consumers with the streams after a database or a server
//! was restored from a backup, and repairs the divergences.

mod carry_out;
mod divergence;
mod error;
mod judge;
mod known;
mod plan;
mod position;
mod repair;
mod reset;
mod scan;
mod store;
mod unknown;

pub use divergence::{
    ConsumerAhead, DatabaseOlder, Divergence, FloorBeyondStream, InboxOlder, LostInStream,
    MovedRows, RecordsMisplaced, ResetUnfinished, RestoredApart, StreamMissing,
};
pub use error::RecoverError;
pub use plan::{RecoverPlan, RecoverReport};
pub use repair::Repair;
pub use store::{
    AdoptedMessage, InboxEntry, OutboxEntry, PublishedAt, RecordPlace, RecoverableInbox,
    RecoverableOutbox, RowAt,
};
pub use unknown::{Unknown, UnknownReason};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::text::Text;
use event_sdk::{EventBus, Pattern};
use jiff::Timestamp;

/// Compares an outbox, inboxes and consumers with the streams, after a database or a server was
/// restored from a backup.
///
/// Stop the relays and the consumers, and then [plan](Self::plan): the plan lists the divergences
/// and their repairs. [`carry_out`](Self::carry_out) makes the repairs of the plan. The order of a
/// restore is in `docs/recover.md`.
///
/// A plan reads all rows of the outbox, all records of the consumers, and the streams from the first
/// message (or from [`since`](Self::since)) to the end, and changes nothing. Messages are recognized by
/// their event ids.
///
/// It uses the bus and its transport to read the state of streams and consumers and the history,
/// and for a reset to delete and create a durable.
pub struct Recover {
    bus: EventBus,
    outbox: Option<Arc<dyn RecoverableOutbox>>,
    owned: Vec<Pattern>,
    inboxes: Vec<Arc<dyn RecoverableInbox>>,
    /// The durables of consumers with several of them.
    durables: BTreeMap<Text, Vec<Text>>,
    /// Stream and durable of consumers without an inbox.
    plain: BTreeSet<(Text, Text)>,
    /// Consumers with an inbox that keep their letters in a stream.
    letters: Vec<(Text, DeadLetterStream)>,
    since: Option<Timestamp>,
    clock_skew: Duration,
    at_most: usize,
}

impl Recover {
    /// The default for how many rows and records are held in memory at most: 2,000,000, which take
    /// about 300 megabytes.
    pub const AT_MOST: usize = 2_000_000;

    /// The default for the largest difference between the clocks of server and service: 5 seconds.
    pub const CLOCK_SKEW: Duration = Duration::from_secs(5);

    /// Creates a recovery of the streams that this bus reaches.
    #[must_use]
    pub fn new(bus: &EventBus) -> Self {
        Self {
            bus: bus.clone(),
            outbox: None,
            owned: Vec::new(),
            inboxes: Vec::new(),
            durables: BTreeMap::new(),
            plain: BTreeSet::new(),
            letters: Vec::new(),
            since: None,
            clock_skew: Self::CLOCK_SKEW,
            at_most: Self::AT_MOST,
        }
    }

    /// Compares this outbox. Default: none.
    #[must_use]
    pub fn outbox(mut self, outbox: Arc<dyn RecoverableOutbox>) -> Self {
        self.outbox = Some(outbox);
        self
    }

    /// Says that only the outbox publishes to the subjects that match this pattern. The pattern is
    /// for whole subjects, including the prefix. Messages on these subjects that the outbox does
    /// not know are then messages of lost transactions. Without this call, such messages are
    /// reported as [unknown](UnknownReason::OtherPublishers). May be called several times.
    #[must_use]
    pub fn only_publisher_of(mut self, pattern: Pattern) -> Self {
        self.owned.push(pattern);
        self
    }

    /// Compares this inbox and all its consumers. May be called several times.
    #[must_use]
    pub fn inbox(mut self, inbox: Arc<dyn RecoverableInbox>) -> Self {
        self.inboxes.push(inbox);
        self
    }

    /// Names the durables of a consumer with an inbox if they do not have the consumer's name, as
    /// when each partition has its own.
    #[must_use]
    pub fn durables<T: Into<Text>>(
        mut self,
        consumer: impl Into<Text>,
        durables: impl IntoIterator<Item = T>,
    ) -> Self {
        let durables = durables.into_iter().map(Into::into).collect();
        self.durables.insert(consumer.into(), durables);
        self
    }

    /// Compares the position of a durable whose consumer has no inbox. If the repair creates the
    /// durable again, its handlers get events a second time.
    #[must_use]
    pub fn durable(mut self, stream: impl Into<Text>, durable: impl Into<Text>) -> Self {
        self.plain.insert((stream.into(), durable.into()));
        self
    }

    /// Says that a consumer with an inbox keeps its dead letters in this stream, and compares them
    /// with the events that the inbox has recorded as dead. May be called several times.
    #[must_use]
    pub fn dead_letters(
        mut self,
        consumer: impl Into<Text>,
        place: impl Into<DeadLetterStream>,
    ) -> Self {
        self.letters.push((consumer.into(), place.into()));
        self
    }

    /// Compares only messages that were stored at this time or later, and only dead letters of
    /// events that were recorded as dead at this time or later. Choose the time of the backup, or an
    /// earlier one. Default: everything.
    #[must_use]
    pub const fn since(mut self, time: Timestamp) -> Self {
        self.since = Some(time);
        self
    }

    /// Sets the largest difference between the clocks of server and service. A message that was
    /// stored within this time after the oldest row kept by the outbox does not count as a message
    /// of a lost transaction, since its row may have been deleted as too old. Default:
    /// [`CLOCK_SKEW`](Self::CLOCK_SKEW).
    #[must_use]
    pub const fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// Sets how many rows and records are held in memory at most. An outbox or inbox with more is
    /// not compared, and the plan says so. Default: [`AT_MOST`](Self::AT_MOST).
    #[must_use]
    pub const fn at_most(mut self, rows: usize) -> Self {
        self.at_most = rows;
        self
    }
}

impl fmt::Debug for Recover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recover")
            .field("outbox", &self.outbox)
            .field("owned", &self.owned)
            .field("inboxes", &self.inboxes)
            .field("durables", &self.durables)
            .field("plain", &self.plain)
            .field("letters", &self.letters)
            .field("since", &self.since)
            .field("clock_skew", &self.clock_skew)
            .field("at_most", &self.at_most)
            .finish_non_exhaustive()
    }
}

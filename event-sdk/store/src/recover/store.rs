//! `RecoverableOutbox` and `RecoverableInbox`: what a database does for a recovery: it lists what it
//! knows of the streams, and changes it.

use std::fmt;

use event_sdk::text::Text;
use jiff::Timestamp;
use uuid::Uuid;

use crate::inbox::{InboxSource, InboxStore};
use crate::outbox::{OutboxMessage, StoreFuture};

/// The rows of an outbox, for [`Recover`](super::Recover).
///
/// Every operation is one short transaction. Not cancel-safe unless its docs say so: after dropping
/// the future it may have been carried out; repeating it is harmless.
///
/// **Errors.** Every operation may fail with the kinds of an unavailable database
/// ([`StoreErrorKind::is_outage`](crate::StoreErrorKind::is_outage)), `SchemaMissing`,
/// `PermissionDenied` and `Other`.
pub trait RecoverableOutbox: fmt::Debug + Send + Sync + 'static {
    /// A name of the outbox, for logs and errors.
    fn name(&self) -> &str;

    /// The number of relays that are alive. It changes nothing.
    fn relays(&self) -> StoreFuture<'_, u32>;

    /// Rows with an id above `after`, by id, at most `limit`. It changes nothing.
    fn entries(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<OutboxEntry>>;

    /// Makes rows ready that are still published at these places. Returns their number.
    fn publish_again(&self, rows: Vec<RowAt>) -> StoreFuture<'_, u64>;

    /// Marks rows as published at these places, whatever their state is. The time of the mark of rows
    /// that were published before stays. If a row has failed and holds its key back, the relay brings
    /// the later rows of the key back. Returns the number of rows.
    fn mark_found(&self, rows: Vec<RowAt>, now: Timestamp) -> StoreFuture<'_, u64>;

    /// Inserts rows that are published.
    fn adopt(&self, messages: Vec<AdoptedMessage>) -> StoreFuture<'_, ()>;
}

/// The records of an inbox, for [`Recover`](super::Recover).
///
/// Every operation is one short transaction. Not cancel-safe unless its docs say so: after dropping
/// the future it may have been carried out; repeating it is harmless.
pub trait RecoverableInbox: InboxStore {
    /// Records of a consumer with an event id above `after`, by id, at most `limit`. Begin with the nil
    /// id. It changes nothing.
    fn records(&self, consumer: Text, after: Uuid, limit: u32) -> StoreFuture<'_, Vec<InboxEntry>>;

    /// Sets the sequences of records of a consumer and stream. Returns the number of records.
    fn place_records(&self, source: InboxSource, places: Vec<RecordPlace>) -> StoreFuture<'_, u64>;

    /// Lowers the floor of a source to [`InboxSource::floor`]. Returns whether it was higher.
    fn lower_floor(&self, source: InboxSource) -> StoreFuture<'_, bool>;
}

/// What an outbox knows of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxEntry {
    /// The id of the row.
    pub id: i64,
    /// The message id.
    pub message_id: Text,
    /// Where and when it was published; `None` if it was not.
    pub published: Option<PublishedAt>,
    /// The subject of a row that was not published: the streams that store it are compared, too.
    pub subject: Option<Text>,
}

impl OutboxEntry {
    /// A row without its subject.
    #[must_use]
    pub const fn new(id: i64, message_id: Text, published: Option<PublishedAt>) -> Self {
        Self {
            id,
            message_id,
            published,
            subject: None,
        }
    }

    /// Adds the subject of a row that was not published.
    #[must_use]
    pub fn with_subject(mut self, subject: Text) -> Self {
        self.subject = Some(subject);
        self
    }
}

/// Where and when a row was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedAt {
    /// The stream and the sequence; `None` on a transport without streams.
    pub place: Option<(Text, u64)>,
    /// When it was marked.
    pub at: Timestamp,
}

/// A row and its place in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowAt {
    /// The id of the row.
    pub id: i64,
    /// The stream.
    pub stream: Text,
    /// The sequence there; `None` if it is unknown.
    pub sequence: Option<u64>,
}

/// A message of a stream that an outbox has lost.
#[derive(Debug, Clone)]
pub struct AdoptedMessage {
    /// The message.
    pub message: OutboxMessage,
    /// The stream.
    pub stream: Text,
    /// The sequence there.
    pub sequence: u64,
    /// When the stream stored it: the time of the mark.
    pub stored_at: Timestamp,
}

/// The record of an event in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxEntry {
    /// The id of the event.
    pub event: Uuid,
    /// The stream; `None` for an event of a transport without streams.
    pub stream: Option<Text>,
    /// The sequence there, if it is known.
    pub sequence: Option<u64>,
    /// Whether the event is recorded as dead, so that there is or was a letter of it.
    pub dead: bool,
    /// When the record was written, if it is known.
    pub recorded_at: Option<Timestamp>,
}

impl InboxEntry {
    /// A record of an event that is done.
    #[must_use]
    pub const fn new(event: Uuid, stream: Option<Text>, sequence: Option<u64>) -> Self {
        Self {
            event,
            stream,
            sequence,
            dead: false,
            recorded_at: None,
        }
    }

    /// Sets when the record was written. Without it, the letter of a dead event is compared whatever
    /// [`Recover::since`](super::Recover::since) says.
    #[must_use]
    pub const fn recorded_at(mut self, at: Option<Timestamp>) -> Self {
        self.recorded_at = at;
        self
    }

    /// Sets whether the event is recorded as dead.
    #[must_use]
    pub const fn dead(mut self, dead: bool) -> Self {
        self.dead = dead;
        self
    }
}

/// The sequence that a record is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    /// The id of the event.
    pub event: Uuid,
    /// The sequence of its message; `None` if the stream does not have it.
    pub sequence: Option<u64>,
}

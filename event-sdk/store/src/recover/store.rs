//! `RecoverableOutbox` and `RecoverableInbox`: the operations of a database that a recovery needs:
//! they list its rows and records, and correct them.

use std::fmt;

use event_sdk::text::Text;
use jiff::Timestamp;
use uuid::Uuid;

use crate::inbox::{InboxSource, InboxStore};
use crate::outbox::{OutboxMessage, StoreFuture};

/// The rows of an outbox, for [`Recover`](super::Recover).
///
/// Every operation is one short transaction. An operation is not cancel-safe unless its docs say
/// so: after the future is dropped, it may still have been carried out. Repeating an operation is
/// harmless.
///
/// **Errors.** Every operation may fail with the kinds of an unavailable database
/// ([`StoreErrorKind::is_outage`](crate::StoreErrorKind::is_outage)), `SchemaMissing`,
/// `PermissionDenied` and `Other`.
pub trait RecoverableOutbox: fmt::Debug + Send + Sync + 'static {
    /// A name of the outbox, for logs and errors.
    fn name(&self) -> &str;

    /// Returns the number of relays that are alive. This call changes nothing.
    fn relays(&self) -> StoreFuture<'_, u32>;

    /// Returns at most `limit` rows with an id above `after`, sorted by id. This call changes
    /// nothing.
    fn entries(&self, after: i64, limit: u32) -> StoreFuture<'_, Vec<OutboxEntry>>;

    /// Makes those of these rows ready that are still marked as published at these places. Returns
    /// their number.
    fn publish_again(&self, rows: Vec<RowAt>) -> StoreFuture<'_, u64>;

    /// Marks rows as published at these places, whatever their state is. Rows that were published
    /// before keep the time of their mark. If a row has failed and holds its key back, the relay
    /// makes the later rows of the key ready again. Returns the number of rows.
    fn mark_found(&self, rows: Vec<RowAt>, now: Timestamp) -> StoreFuture<'_, u64>;

    /// Inserts these messages as published rows.
    fn adopt(&self, messages: Vec<AdoptedMessage>) -> StoreFuture<'_, ()>;
}

/// The records of an inbox, for [`Recover`](super::Recover).
///
/// Every operation is one short transaction. An operation is not cancel-safe unless its docs say
/// so: after the future is dropped, it may still have been carried out. Repeating an operation is
/// harmless.
pub trait RecoverableInbox: InboxStore {
    /// Returns at most `limit` records of a consumer with an event id above `after`, sorted by id.
    /// Begin with the nil id. This call changes nothing.
    fn records(&self, consumer: Text, after: Uuid, limit: u32) -> StoreFuture<'_, Vec<InboxEntry>>;

    /// Sets the sequences of records of a consumer and stream. Returns the number of records.
    fn place_records(&self, source: InboxSource, places: Vec<RecordPlace>) -> StoreFuture<'_, u64>;

    /// Lowers the floor of a source to [`InboxSource::floor`]. Returns whether the stored floor was
    /// higher.
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
    /// Where and when the message was published; `None` if it was not published.
    pub published: Option<PublishedAt>,
    /// The subject of a row that was not published; the streams that store this subject are
    /// compared too.
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
    /// When the row was marked as published.
    pub at: Timestamp,
}

/// A row and its place in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowAt {
    /// The id of the row.
    pub id: i64,
    /// The stream.
    pub stream: Text,
    /// The sequence in the stream; `None` if it is unknown.
    pub sequence: Option<u64>,
}

/// A message that a stream has, and whose row the outbox has lost.
#[derive(Debug, Clone)]
pub struct AdoptedMessage {
    /// The message.
    pub message: OutboxMessage,
    /// The stream.
    pub stream: Text,
    /// The sequence in the stream.
    pub sequence: u64,
    /// When the stream stored the message. The new row gets this as the time of its mark.
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
    /// The sequence in the stream, if it is known.
    pub sequence: Option<u64>,
    /// Whether the event is recorded as dead, which means that it has, or had, a letter.
    pub dead: bool,
    /// When the record was written, if it is known.
    pub recorded_at: Option<Timestamp>,
}

impl InboxEntry {
    /// A record of an event that is done, without the time at which it was written.
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

    /// Sets when the record was written. Without this time, the letter of a dead event is compared
    /// whatever [`Recover::since`](super::Recover::since) says.
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

/// A record and the sequence that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    /// The id of the event.
    pub event: Uuid,
    /// The sequence of the event's message; `None` if the stream does not have the message.
    pub sequence: Option<u64>,
}

//! `OutboxRow`, `PublishedRow`, `KeptRow` and `ConfirmedRow`: rows of an outbox in the forms in
//! which the relay reads and marks them.

use std::fmt;

use event_sdk::text::Text;
use jiff::Timestamp;

use super::OutboxMessage;

/// The row from which a shard is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardPosition {
    /// The shard.
    pub shard: u16,
    /// The position: the lowest id that has not been read.
    pub from: i64,
    /// Ids below the floor need not be looked at: their rows were read, and no transaction can
    /// insert a row with such an id any more (see
    /// [`OutboxStore::settled`](super::OutboxStore::settled)). [`i64::MIN`] if no floor is known.
    pub floor: i64,
}

/// The range of ids in which the rows of a key are read.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPosition {
    /// The shard of the key.
    pub shard: u16,
    /// The key.
    pub key: Text,
    /// The lowest id that is read.
    pub from: i64,
    /// Only rows with a lower id are read.
    pub below: i64,
}

impl fmt::Debug for KeyPosition {
    /// Without the key, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPosition")
            .field("shard", &self.shard)
            .field("from", &self.from)
            .field("below", &self.below)
            .finish_non_exhaustive()
    }
}

/// Rows that a read leaves out.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Except {
    /// The ids of rows.
    pub rows: Vec<i64>,
    /// Keys whose rows are all left out.
    pub keys: Vec<Text>,
}

impl fmt::Debug for Except {
    /// Without the keys, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Except")
            .field("rows", &self.rows)
            .field("keys", &self.keys.len())
            .finish()
    }
}

/// A row of an outbox that is not published yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OutboxRow {
    /// The id of the row. Ids grow in the order of the inserts, not of the commits.
    pub id: i64,
    /// The shard.
    pub shard: u16,
    /// The key of the row, if the row takes part in the order of a key; `None` if it has no key or
    /// a `not_before`.
    pub key: Option<Text>,
    /// How often publishing the row has failed because of the row itself; outages do not count.
    pub attempts: u32,
    /// What lies ahead of the row in its key.
    pub ahead: Ahead,
    /// The message, or why the row cannot be read; the reason contains no data of the event.
    pub message: Result<OutboxMessage, String>,
}

impl OutboxRow {
    /// A row without a key, which need not wait for other rows.
    #[must_use]
    pub const fn new(id: i64, shard: u16, message: Result<OutboxMessage, String>) -> Self {
        Self {
            id,
            shard,
            key: None,
            attempts: 0,
            ahead: Ahead::Nothing,
            message,
        }
    }
}

/// What is known about the unpublished rows of the same key with lower ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// No such row lies below the position from which the shard was read, and none is parked.
    Nothing,
    /// Such a row lies below the position from which the shard was read.
    Unpublished,
    /// Such a row is parked.
    Parked,
}

/// A row whose publish was confirmed, and that the relay marks as published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfirmedRow {
    /// The id of the row.
    pub id: i64,
    /// The shard.
    pub shard: u16,
    /// The epoch of the shard's owner when the row was sent.
    pub epoch: i64,
    /// The stream that stored the message; `None` on a transport without streams.
    pub stream: Option<Text>,
    /// The sequence of the message in the stream.
    pub sequence: Option<u64>,
    /// The publish time to store in the row; `None` for the time of the mark. If a row is published
    /// again because its stream has lost the message, the row keeps the time of its first publish.
    pub published_at: Option<Timestamp>,
}

impl ConfirmedRow {
    /// A row without a stream and a sequence.
    #[must_use]
    pub const fn new(id: i64, shard: u16, epoch: i64) -> Self {
        Self {
            id,
            shard,
            epoch,
            stream: None,
            sequence: None,
            published_at: None,
        }
    }
}

/// The place of a published row in its stream, without the content of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptRow {
    /// The id of the row.
    pub id: i64,
    /// The id of its message.
    pub message_id: Text,
    /// The stream that stored the message.
    pub stream: Text,
    /// The sequence of the message in the stream.
    pub sequence: u64,
    /// When the row was marked as published.
    pub published_at: Timestamp,
}

impl KeptRow {
    /// A row with its place in a stream.
    #[must_use]
    pub const fn new(
        id: i64,
        message_id: Text,
        stream: Text,
        sequence: u64,
        published_at: Timestamp,
    ) -> Self {
        Self {
            id,
            message_id,
            stream,
            sequence,
            published_at,
        }
    }
}

/// A row that is kept after its publish.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PublishedRow {
    /// The row.
    pub row: OutboxRow,
    /// The stream that stored the message; `None` on a transport without streams.
    pub stream: Option<Text>,
    /// The sequence of the message in the stream.
    pub sequence: Option<u64>,
    /// When the row was marked as published.
    pub published_at: Timestamp,
}

impl PublishedRow {
    /// A row with its place in a stream.
    #[must_use]
    pub const fn new(
        row: OutboxRow,
        stream: Option<Text>,
        sequence: Option<u64>,
        published_at: Timestamp,
    ) -> Self {
        Self {
            row,
            stream,
            sequence,
            published_at,
        }
    }
}

//! `OutboxRow`, `PublishedRow`, `KeptRow` and `ConfirmedRow`: rows of an outbox as the relay reads
//! and marks them.

use std::fmt;

use event_sdk::text::Text;
use jiff::Timestamp;

use super::OutboxMessage;

/// The row from which a shard is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardPosition {
    /// The shard.
    pub shard: u16,
    /// Rows with this id or a higher one have not been read.
    pub from: i64,
    /// Rows with a lower id need not be looked at: they were read, and none of them can be committed any
    /// more (see [`OutboxStore::settled`](super::OutboxStore::settled)). [`i64::MIN`] if that is not known.
    pub floor: i64,
}

/// The row up to which a key is read.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPosition {
    /// The shard of the key.
    pub shard: u16,
    /// The key.
    pub key: Text,
    /// Rows of the key with this id or a higher one are read.
    pub from: i64,
    /// Rows of the key with a lower id are read.
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
    /// Keys, of which all rows are left out.
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
    /// The key of the row if it takes part in the order of a key: none for a row without a key, and
    /// for one with `not_before`.
    pub key: Option<Text>,
    /// How often publishing it has failed for a reason of the row; an outage does not count.
    pub attempts: u32,
    /// What lies ahead of the row in its key.
    pub ahead: Ahead,
    /// The message, or why the row cannot be read; the reason contains no data of the event.
    pub message: Result<OutboxMessage, String>,
}

impl OutboxRow {
    /// A row without a key and with nothing ahead.
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

/// The unpublished rows of the same key with a lower id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// There is none below the position from which the shard was read, and none is parked.
    Nothing,
    /// There is one below the position from which the shard was read.
    Unpublished,
    /// There is a parked one.
    Parked,
}

/// A row whose publish was confirmed: what the relay marks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfirmedRow {
    /// The id of the row.
    pub id: i64,
    /// The shard.
    pub shard: u16,
    /// The epoch in which it was sent.
    pub epoch: i64,
    /// The stream that stored it; `None` on a transport without streams.
    pub stream: Option<Text>,
    /// Its sequence there.
    pub sequence: Option<u64>,
    /// The time of the publish that is stored in the row; `None` for the time of the mark. If a row
    /// is published again because its stream has lost it, the row keeps the time of its first
    /// publish.
    pub published_at: Option<Timestamp>,
}

impl ConfirmedRow {
    /// A row that no stream stores.
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

/// Where a published row lies in its stream, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptRow {
    /// The id of the row.
    pub id: i64,
    /// The id of its message.
    pub message_id: Text,
    /// The stream that stored it.
    pub stream: Text,
    /// Its sequence there.
    pub sequence: u64,
    /// When it was marked.
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
    /// The stream that stored it; `None` on a transport without streams.
    pub stream: Option<Text>,
    /// Its sequence there.
    pub sequence: Option<u64>,
    /// When it was marked.
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

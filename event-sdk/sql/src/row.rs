//! `RawRow`: a row of an outbox as the database returns it, and what the relay makes of it.

use event_sdk::Subject;
use event_sdk::text::Text;
use event_sdk::transport::MessageId;
use event_sdk_store::outbox::{
    Ahead, OutboxMessage, OutboxRow, ParkReason, ParkedEntry, ParkedState, headers_from_json,
};
use event_sdk_store::recover::{OutboxEntry, PublishedAt};
use jiff::Timestamp;

/// The columns of a row, in the order of the statements; the same types on every database.
///
/// It has no `Debug`, since key, headers and body may be personal.
pub(crate) struct RawRow {
    pub(crate) id: i64,
    pub(crate) shard: i64,
    pub(crate) key: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) ahead: i64,
    pub(crate) subject: String,
    pub(crate) message_id: String,
    pub(crate) headers: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) created_at: i64,
    pub(crate) not_before: Option<i64>,
}

/// Reads the columns of a row of sqlx, beginning with the column `$first`.
macro_rules! raw_row {
    ($row:expr) => {{
        use sqlx::Row as _;
        let row = $row;
        Ok::<_, sqlx::Error>($crate::row::RawRow {
            id: row.try_get(0)?,
            shard: row.try_get(1)?,
            key: row.try_get(2)?,
            attempts: row.try_get(3)?,
            ahead: row.try_get(4)?,
            subject: row.try_get(5)?,
            message_id: row.try_get(6)?,
            headers: row.try_get(7)?,
            body: row.try_get(8)?,
            created_at: row.try_get(9)?,
            not_before: row.try_get(10)?,
        })
    }};
}
pub(crate) use raw_row;

/// Reads what an outbox knows of a message of a row of sqlx.
macro_rules! raw_entry {
    ($row:expr) => {{
        use sqlx::Row as _;
        let row = $row;
        Ok::<_, sqlx::Error>(
            $crate::row::RawEntry {
                id: row.try_get(0)?,
                message_id: row.try_get(1)?,
                state: row.try_get(2)?,
                stream: row.try_get(3)?,
                sequence: row.try_get(4)?,
                published_at: row.try_get(5)?,
                subject: row.try_get(6)?,
            }
            .into_entry(),
        )
    }};
}
pub(crate) use raw_entry;

/// The columns that say what an outbox knows of a message.
#[derive(Debug)]
pub(crate) struct RawEntry {
    pub(crate) id: i64,
    pub(crate) message_id: String,
    pub(crate) state: i64,
    pub(crate) stream: Option<String>,
    pub(crate) sequence: Option<i64>,
    pub(crate) published_at: Option<i64>,
    /// Of a row that is not published.
    pub(crate) subject: Option<String>,
}

impl RawEntry {
    pub(crate) fn into_entry(self) -> OutboxEntry {
        let sequence = self.sequence.and_then(|it| u64::try_from(it).ok());
        let published = (self.state == PUBLISHED).then(|| PublishedAt {
            place: self.stream.map(Text::from).zip(sequence),
            at: (self.published_at)
                .and_then(|at| Timestamp::from_microsecond(at).ok())
                .unwrap_or_default(),
        });
        let entry = OutboxEntry::new(self.id, Text::from(self.message_id), published);
        match self.subject {
            Some(subject) => entry.with_subject(Text::from(subject)),
            None => entry,
        }
    }
}

/// The state of a published row.
const PUBLISHED: i64 = 2;

/// The values of the column `ahead` in the results of statements: an unpublished row of the same key
/// has a lower id.
pub(crate) const AHEAD_UNPUBLISHED: i64 = 1;
/// A row of the same key is parked.
pub(crate) const AHEAD_PARKED: i64 = 2;

impl RawRow {
    /// The row for the relay. A row that cannot be read is one too, with the reason.
    pub(crate) fn into_row(self) -> OutboxRow {
        let (id, ahead, attempts) = (self.id, self.ahead, self.attempts);
        let shard = u16::try_from(self.shard).unwrap_or(u16::MAX);
        // A row with `not_before` takes no part in the order.
        let key = match self.not_before {
            Some(_) => None,
            None => self.key.as_deref().map(Text::copy_of),
        };
        let mut row = OutboxRow::new(id, shard, self.into_message());
        row.key = key;
        row.attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
        row.ahead = match ahead {
            AHEAD_PARKED => Ahead::Parked,
            AHEAD_UNPUBLISHED => Ahead::Unpublished,
            _ => Ahead::Nothing,
        };
        row
    }

    fn into_message(self) -> Result<OutboxMessage, String> {
        let subject = Subject::parse(self.subject).map_err(|why| why.to_string())?;
        let headers = headers_from_json(self.headers.as_deref()).map_err(|why| why.to_string())?;
        let message_id = Text::from(self.message_id);
        MessageId::Text(message_id.clone())
            .check()
            .map_err(|why| why.to_string())?;
        let created_at = Timestamp::from_microsecond(self.created_at)
            .map_err(|_| "`created_at` is no time in microseconds".to_owned())?;
        let mut message = OutboxMessage::new(subject, self.body, message_id, created_at);
        message.headers = headers;
        message.key = self.key.map(Text::from);
        message.not_before = self
            .not_before
            .and_then(|at| Timestamp::from_microsecond(at).ok());
        Ok(message)
    }
}

/// Reads where a published row lies in its stream: id, message id, stream, sequence, time.
macro_rules! kept_row {
    ($row:expr) => {{
        use sqlx::Row as _;
        let row = $row;
        let (message_id, stream): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        let (sequence, published_at): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
        Ok::<_, sqlx::Error>(event_sdk_store::outbox::KeptRow::new(
            row.try_get(0)?,
            message_id.into(),
            stream.into(),
            u64::try_from(sequence).unwrap_or_default(),
            jiff::Timestamp::from_microsecond(published_at).unwrap_or_default(),
        ))
    }};
}
pub(crate) use kept_row;

/// The columns of a parked entry.
///
/// It has no `Debug`, since the key may be personal.
pub(crate) struct RawParked {
    pub(crate) id: i64,
    pub(crate) shard: i64,
    pub(crate) key: Option<String>,
    pub(crate) class: String,
    pub(crate) error: String,
    pub(crate) attempts: i64,
    pub(crate) parked_at: i64,
    pub(crate) state: i64,
    pub(crate) subject: Option<String>,
}

/// Reads the columns of a parked entry of sqlx.
macro_rules! raw_parked {
    ($row:expr) => {{
        use sqlx::Row as _;
        let row = $row;
        Ok::<_, sqlx::Error>($crate::row::RawParked {
            id: row.try_get(0)?,
            shard: row.try_get(1)?,
            key: row.try_get(2)?,
            class: row.try_get(3)?,
            error: row.try_get(4)?,
            attempts: row.try_get(5)?,
            parked_at: row.try_get(6)?,
            state: row.try_get(7)?,
            subject: row.try_get(8)?,
        })
    }};
}
pub(crate) use raw_parked;

impl RawParked {
    pub(crate) fn into_entry(self) -> ParkedEntry {
        let attempts = u32::try_from(self.attempts).unwrap_or(u32::MAX);
        let mut reason = ParkReason::new("retry", &self.error, attempts);
        reason.class = Text::from(self.class);
        let parked_at = Timestamp::from_microsecond(self.parked_at).unwrap_or_default();
        let shard = u16::try_from(self.shard).unwrap_or(u16::MAX);
        let key = self.key.map(Text::from);
        let mut entry = ParkedEntry::new(self.id, shard, key, reason, parked_at);
        entry.subject = self.subject.map(Text::from);
        if self.state == RELEASING {
            entry.state = ParkedState::Releasing;
        }
        entry
    }
}

/// The state of a parked entry in release.
pub(crate) const RELEASING: i64 = 1;

/// A number for a signed column: sequences and counts are far below the limit.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A duration in the unit of the columns, microseconds.
pub(crate) fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

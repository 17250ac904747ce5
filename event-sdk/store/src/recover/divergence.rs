//! `Divergence`: one way in which an outbox, an inbox or a consumer contradicts a stream.

use std::fmt;

use event_sdk::text::Text;
use event_sdk::transport::ConsumerConfig;
use uuid::Uuid;

use super::repair::Repair;
use super::store::{RecordPlace, RowAt};

/// One way in which an outbox, an inbox or a consumer contradicts a stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Divergence {
    /// A stream does not exist, but the outbox or an inbox has rows for it.
    StreamMissing(StreamMissing),
    /// The stream was restored from an older copy: it lacks messages that it had confirmed.
    StreamOlder(LostInStream),
    /// The stream was deleted and created again: it has none of the messages that it had confirmed.
    StreamAnew(LostInStream),
    /// The stream has the messages of rows under other sequences, as after a migration.
    RowsMoved(MovedRows),
    /// The database of the outbox was restored from an older backup: the stream has messages whose
    /// rows are not marked as published, or that have no row.
    DatabaseOlder(DatabaseOlder),
    /// The position of a consumer lies beyond the end of the stream, or beyond the last message
    /// that is the same as before the restore. The consumer would not receive new messages with
    /// sequences up to its position.
    ConsumerAhead(ConsumerAhead),
    /// The database of the inbox was restored from an older backup: the consumer has acknowledged
    /// events of which the inbox has no record.
    InboxOlder(InboxOlder),
    /// Records of the inbox have sequences at which the stream has other messages, or none.
    RecordsMisplaced(RecordsMisplaced),
    /// The floor of the inbox (the sequence up to which its records were deleted) lies beyond the
    /// last message that is the same as before the restore. The inbox would refuse new events with
    /// sequences up to the floor.
    FloorBeyondStream(FloorBeyondStream),
    /// Outbox and inbox were restored from backups of different times.
    RestoredApart(RestoredApart),
    /// A reset of a consumer was begun and not completed.
    ResetUnfinished(ResetUnfinished),
}

/// A stream that does not exist, and how many rows and records refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamMissing {
    /// The stream.
    pub stream: Text,
    /// The number of rows of the outbox that were published to the stream.
    pub rows: u64,
    /// The number of inbox records for events of the stream.
    pub records: u64,
}

/// Rows that a stream had confirmed, but does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostInStream {
    /// The stream.
    pub stream: Text,
    /// The number of rows.
    pub rows: u64,
    /// The lowest sequence of these rows.
    pub lowest: u64,
    /// The highest sequence of these rows.
    pub highest: u64,
    /// The highest sequence below [`lowest`](Self::lowest) at which outbox or inbox agree with the
    /// stream.
    pub agrees_to: Option<u64>,
    /// The last sequence of the stream.
    pub last_sequence: u64,
    pub(super) items: Vec<RowAt>,
}

/// Rows whose messages have other sequences.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedRows {
    /// The stream.
    pub stream: Text,
    /// The number of rows.
    pub rows: u64,
    /// The number of rows whose sequences are lower than those of all rows that were found. The
    /// copy of the stream does not have their messages: they were dropped before the copy was made,
    /// or are lost.
    pub dropped: u64,
    pub(super) items: Vec<RowAt>,
}

/// Messages that the outbox does not know as published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseOlder {
    /// The stream.
    pub stream: Text,
    /// The number of rows that are not marked as published, although the stream has their messages.
    pub unmarked: u64,
    /// The sequences of messages of which the outbox has no row: their transactions are lost.
    pub lost: Vec<u64>,
    pub(super) marks: Vec<RowAt>,
}

/// A consumer whose position is beyond the stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsumerAhead {
    /// The stream.
    pub stream: Text,
    /// The durable.
    pub consumer: Text,
    /// The sequence up to which the consumer has delivered messages.
    pub position: u64,
    /// The last sequence of the stream.
    pub last_sequence: u64,
    /// The sequence at which the durable begins after the repair.
    pub reset_to: u64,
    pub(super) durable: Durable,
}

/// Events that a consumer has acknowledged, but for which the inbox has no record.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InboxOlder {
    /// The inbox.
    pub inbox: Text,
    /// The stream.
    pub stream: Text,
    /// The consumer.
    pub consumer: Text,
    /// The number of events.
    pub missing: u64,
    /// The sequence of the first of these events.
    pub first: u64,
    /// The ack floor of the consumer.
    pub acknowledged: u64,
    pub(super) durables: Vec<Durable>,
}

/// Records at whose sequences the stream does not have their events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordsMisplaced {
    /// The inbox.
    pub inbox: Text,
    /// The stream.
    pub stream: Text,
    /// The consumer.
    pub consumer: Text,
    /// The number of records whose events have another sequence in the stream.
    pub moved: u64,
    /// Events that neither the stream nor the outbox has. The database has their effects, but no
    /// other service will receive these events.
    pub orphans: Vec<Uuid>,
    /// The number of records whose events the stream does not have, including the
    /// [orphans](Self::orphans).
    pub gone: u64,
    pub(super) items: Vec<RecordPlace>,
}

/// A floor of an inbox that is too high for the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FloorBeyondStream {
    /// The inbox.
    pub inbox: Text,
    /// The stream.
    pub stream: Text,
    /// The consumer.
    pub consumer: Text,
    /// The floor.
    pub floor: u64,
    /// The highest floor that the stream allows.
    pub lower_to: u64,
}

/// An outbox and an inbox that know different parts of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestoredApart {
    /// The stream.
    pub stream: Text,
    /// The inbox.
    pub inbox: Text,
    /// The consumer.
    pub consumer: Text,
    /// The highest sequence that the outbox knows as published.
    pub outbox_to: Option<u64>,
    /// The highest sequence of a record of the inbox.
    pub inbox_to: Option<u64>,
    /// The number of events that the inbox has handled, but the outbox does not know as published.
    pub only_in_inbox: u64,
    /// The number of events that the outbox knows as published and the consumer has acknowledged,
    /// but the inbox does not know.
    pub only_in_outbox: u64,
}

/// A reset that was interrupted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResetUnfinished {
    /// The stream.
    pub stream: Text,
    /// The durable.
    pub consumer: Text,
}

/// A durable that may be created again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Durable {
    pub(super) name: Text,
    pub(super) config: ConsumerConfig,
    /// Whether it has settings that would be lost.
    pub(super) foreign: bool,
    /// Whether its stream is a work queue, which allows neither a beginning nor a copy of a consumer.
    pub(super) work_queue: bool,
}

impl Durable {
    /// Why it cannot be made anew from here, and what to do.
    fn by_hand(&self) -> Option<Repair> {
        if self.work_queue {
            Some(Repair::ByHand(WORK_QUEUE))
        } else {
            self.foreign.then_some(Repair::ByHand(FOREIGN))
        }
    }
}

const WORK_QUEUE: &str = "the stream is a work queue, whose consumers begin with the first message; stop the consumer, delete it, and make it again with its settings: it gets what the stream has";

const FOREIGN: &str = "the consumer has settings that this program does not know; delete it, and make it with them, beginning at the sequence";

impl Divergence {
    /// The stream.
    #[must_use]
    pub fn stream(&self) -> &str {
        match self {
            Self::StreamMissing(it) => &it.stream,
            Self::StreamOlder(it) | Self::StreamAnew(it) => &it.stream,
            Self::RowsMoved(it) => &it.stream,
            Self::DatabaseOlder(it) => &it.stream,
            Self::ConsumerAhead(it) => &it.stream,
            Self::InboxOlder(it) => &it.stream,
            Self::RecordsMisplaced(it) => &it.stream,
            Self::FloorBeyondStream(it) => &it.stream,
            Self::RestoredApart(it) => &it.stream,
            Self::ResetUnfinished(it) => &it.stream,
        }
    }

    /// The consumer, if the divergence concerns one.
    #[must_use]
    pub fn consumer(&self) -> Option<&str> {
        match self {
            Self::ConsumerAhead(it) => Some(&it.consumer),
            Self::InboxOlder(it) => Some(&it.consumer),
            Self::RecordsMisplaced(it) => Some(&it.consumer),
            Self::FloorBeyondStream(it) => Some(&it.consumer),
            Self::RestoredApart(it) => Some(&it.consumer),
            Self::ResetUnfinished(it) => Some(&it.consumer),
            _ => None,
        }
    }

    /// The repair of this divergence.
    #[must_use]
    pub fn repair(&self) -> Repair {
        match self {
            Self::StreamMissing(_) => {
                Repair::ByHand("make the stream with `apply`, or correct its name, and plan again")
            }
            Self::StreamOlder(it) | Self::StreamAnew(it) => Repair::PublishAgain { rows: it.rows },
            Self::RowsMoved(it) => Repair::NotePlaces {
                rows: it.rows + it.dropped,
            },
            Self::DatabaseOlder(it) => Repair::MarkAndAdopt {
                mark: it.unmarked,
                adopt: count(it.lost.len()),
            },
            Self::ConsumerAhead(it) => {
                let by_hand = it.durable.by_hand();
                by_hand.unwrap_or(Repair::ResetConsumer { to: it.reset_to })
            }
            Self::InboxOlder(it) => {
                let by_hand = it.durables.iter().find_map(Durable::by_hand);
                by_hand.unwrap_or(Repair::ResetConsumer { to: it.first })
            }
            Self::RecordsMisplaced(it) => Repair::PlaceRecords {
                records: it.moved + it.gone,
            },
            Self::FloorBeyondStream(it) => Repair::LowerFloor { to: it.lower_to },
            Self::RestoredApart(_) => Repair::WithTheOthers,
            Self::ResetUnfinished(_) => Repair::FinishReset,
        }
    }

    /// Whether both name the same kind of divergence at the same place.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.stream() == other.stream()
            && self.consumer() == other.consumer()
            && self.inbox() == other.inbox()
    }

    fn inbox(&self) -> Option<&str> {
        match self {
            Self::InboxOlder(it) => Some(&it.inbox),
            Self::RecordsMisplaced(it) => Some(&it.inbox),
            Self::FloorBeyondStream(it) => Some(&it.inbox),
            Self::RestoredApart(it) => Some(&it.inbox),
            _ => None,
        }
    }
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {}: ", self.stream())?;
        if let Some(consumer) = self.consumer() {
            write!(f, "consumer {consumer}: ")?;
        }
        match self {
            Self::StreamMissing(it) => write!(
                f,
                "it does not exist, and {} rows of the outbox and {} records of inboxes belong to it",
                it.rows, it.records
            ),
            Self::StreamOlder(it) => {
                write!(
                    f,
                    "it was restored from an older copy: it lacks {} messages that it had confirmed as {} to {}, and ends at {}",
                    it.rows, it.lowest, it.highest, it.last_sequence
                )?;
                match it.agrees_to {
                    Some(to) => write!(f, "; up to {to} it is the same"),
                    None => Ok(()),
                }
            }
            Self::StreamAnew(it) => write!(
                f,
                "it was deleted and created again: it lacks all {} messages that it had confirmed as {} to {}, and ends at {}",
                it.rows, it.lowest, it.highest, it.last_sequence
            ),
            Self::RowsMoved(it) => write!(
                f,
                "it has the messages of {} rows under other sequences, and lacks those of {} rows before them",
                it.rows, it.dropped
            ),
            Self::DatabaseOlder(it) => write!(
                f,
                "the database of the outbox is older: {} rows are published and not marked, and {} messages have no row",
                it.unmarked,
                it.lost.len()
            ),
            Self::ConsumerAhead(it) => write!(
                f,
                "its position {} lies beyond what the stream still has, which ends at {}; messages before the position would not be delivered",
                it.position, it.last_sequence
            ),
            Self::InboxOlder(it) => write!(
                f,
                "the inbox {} is older: {} events up to the ack floor {} have no record, the first at {}",
                it.inbox, it.missing, it.acknowledged, it.first
            ),
            Self::RecordsMisplaced(it) => write!(
                f,
                "in the inbox {}, {} records have another sequence than their events, and the events of {} are not in the stream; {} of these are known nowhere else",
                it.inbox,
                it.moved,
                it.gone,
                it.orphans.len()
            ),
            Self::FloorBeyondStream(it) => write!(
                f,
                "the floor {} of the inbox {} lies beyond what the stream still has, which is at most {}",
                it.floor, it.inbox, it.lower_to
            ),
            Self::RestoredApart(it) => write!(
                f,
                "outbox and inbox {} were restored to different times: the outbox knows the stream up to {}, the inbox up to {}; {} events are handled and not published, {} are published and not handled",
                it.inbox,
                shown(it.outbox_to),
                shown(it.inbox_to),
                it.only_in_inbox,
                it.only_in_outbox
            ),
            Self::ResetUnfinished(_) => f.write_str("its reset was begun and not completed"),
        }
    }
}

fn shown(sequence: Option<u64>) -> String {
    sequence.map_or_else(|| "no sequence".to_owned(), |it| it.to_string())
}

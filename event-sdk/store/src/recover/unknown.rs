//! `Unknown`: a question that a recovery cannot decide, and why.

use std::fmt;

use event_sdk::text::Text;

/// A question that a comparison cannot decide.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown {
    /// The stream; `None` if the question concerns all streams.
    pub stream: Option<Text>,
    /// The consumer, if the question concerns one.
    pub consumer: Option<Text>,
    /// Why the question cannot be decided.
    pub reason: UnknownReason,
}

impl Unknown {
    pub(super) const fn of(stream: Option<Text>, reason: UnknownReason) -> Self {
        Self {
            stream,
            consumer: None,
            reason,
        }
    }
}

/// Why a question cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnknownReason {
    /// The stream or the consumer cannot be read: a permission or an ability of the transport is
    /// missing. The value is the error.
    NotReadable(Text),
    /// The stream deletes acknowledged messages (interest or work queue): if it lacks a message,
    /// the message may have been lost or handled.
    DeletesHandled {
        /// The number of rows of the outbox whose messages the stream does not have, or has at
        /// another place.
        rows: u64,
    },
    /// The stream deletes acknowledged messages (interest or work queue): if the inbox is older
    /// than its consumer, the stream no longer has the events whose records are missing.
    AcknowledgedDeleted,
    /// The stream has dropped the messages below [a sequence](Self::DroppedBefore::sequence), and
    /// the inbox has no records of the first messages that the stream still has. So the effects of
    /// dropped events may be lost too.
    DroppedBefore {
        /// The first sequence of the stream, or of the part that was compared.
        sequence: u64,
    },
    /// The stream has lost even the message of the oldest row that the outbox has kept. So it may
    /// also have lost earlier messages, whose rows were deleted.
    KeptTooShort,
    /// The outbox has kept no row of the stream, or of any stream. So it is unknown which messages
    /// are events of this outbox.
    NothingKept,
    /// The stream has messages that the outbox does not know, which may be events of transactions that
    /// its database has lost. Say which subjects this outbox alone publishes:
    /// [`Recover::only_publisher_of`](super::Recover::only_publisher_of).
    OtherPublishers,
    /// The stream has no messages at the sequences of these rows: they were deleted, or a limit of
    /// the stream dropped them.
    Deleted {
        /// The number of rows.
        rows: u64,
    },
    /// The message ids of these rows are not event ids, so the rows could not be assigned to
    /// messages of the stream. (Published rows are assigned by their message ids, if the transport
    /// can read them.)
    NotIdentified {
        /// The number of rows.
        rows: u64,
    },
    /// The durable does not exist, so its position is unknown. Start its service or call `apply` to
    /// create it; then plan again.
    NoConsumer,
    /// Outbox or inbox have more rows than the recovery may hold in memory:
    /// [`Recover::at_most`](super::Recover::at_most).
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The inbox has recorded events as dead, but the dead-letter stream has no letters for them.
    /// The letters were purged, or the stream was restored from an older copy or created again.
    LettersMissing {
        /// The number of events.
        events: u64,
        /// The stream of the events; `None` on a transport without streams. [`Unknown::stream`] is the
        /// dead-letter stream.
        of: Option<Text>,
        /// The sequence of the first of these events in [their stream](Self::LettersMissing::of),
        /// if it is known. If events are delivered again from this sequence on, they get their
        /// letters again.
        first: Option<u64>,
    },
    /// Relays are alive, so some rows may be being published. Stop the relays, and plan again.
    RelaysRunning {
        /// The number of relays.
        relays: u32,
    },
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stream) = &self.stream {
            write!(f, "stream {stream}: ")?;
        }
        if let Some(consumer) = &self.consumer {
            write!(f, "consumer {consumer}: ")?;
        }
        match &self.reason {
            UnknownReason::NotReadable(error) => write!(f, "it cannot be read: {error}"),
            UnknownReason::DeletesHandled { rows } => write!(
                f,
                "it deletes messages that were acknowledged, so whether {rows} rows of the outbox are lost there or were handled is unknown"
            ),
            UnknownReason::AcknowledgedDeleted => f.write_str(
                "the stream deletes messages that were acknowledged, so whether the inbox lacks records of some is unknown",
            ),
            UnknownReason::DroppedBefore { sequence } => write!(
                f,
                "the inbox lacks the records from {sequence} on, and the stream has dropped the messages below; whether the effects of those are lost is unknown"
            ),
            UnknownReason::KeptTooShort => f.write_str(
                "the oldest row that the outbox has kept is lost; whether events before it are lost too is unknown",
            ),
            UnknownReason::NothingKept => f.write_str(
                "the outbox has kept no published row, so which messages are its events is unknown: look whether its unpublished rows are in the stream before relays run",
            ),
            UnknownReason::OtherPublishers => f.write_str(
                "it has messages that the outbox does not know; whether they are events of lost transactions is unknown: say which subjects the outbox alone publishes",
            ),
            UnknownReason::Deleted { rows } => write!(
                f,
                "nothing stands at the sequences of {rows} rows; whether the messages were deleted or lost is unknown"
            ),
            UnknownReason::NotIdentified { rows } => write!(
                f,
                "whether it has {rows} rows is unknown, since their message ids are not event ids"
            ),
            UnknownReason::NoConsumer => {
                f.write_str("it does not exist, so its position is unknown")
            }
            UnknownReason::TooMany { limit } => write!(
                f,
                "there are more than {limit} rows; nothing of them was compared: raise the limit with `at_most`"
            ),
            UnknownReason::LettersMissing { events, of, first } => {
                f.write_str("it has no letter of ")?;
                match of {
                    Some(of) => write!(f, "{events} events of the stream {of}")?,
                    None => write!(f, "{events} events")?,
                }
                f.write_str(
                    " that are recorded as dead, so whether letters were purged or lost is unknown",
                )?;
                match (of, first) {
                    (Some(of), Some(first)) => write!(
                        f,
                        ": if they are lost, make the consumer of {of} anew, beginning at its sequence {first}, and the letters are written again"
                    ),
                    _ => Ok(()),
                }
            }
            UnknownReason::RelaysRunning { relays } => write!(
                f,
                "{relays} relays are alive, so which rows are on their way is unknown: stop them, and plan again"
            ),
        }
    }
}

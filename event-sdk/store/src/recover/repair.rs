//! `Repair`: how a divergence is repaired.

use std::fmt;

/// How a [`Divergence`](super::Divergence) is repaired.
/// [`Recover::carry_out`](super::Recover::carry_out) makes the repair.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// The rows become ready again, and a relay publishes them under their message ids: the rows of
    /// each key in order, and before newer rows of the key.
    PublishAgain {
        /// The number of rows.
        rows: u64,
    },
    /// Rows of the outbox are marked with the sequences that their messages have in the stream, or
    /// with no sequence. Nothing is published.
    NotePlaces {
        /// The number of rows.
        rows: u64,
    },
    /// Rows whose messages the stream has are marked as published. For messages of transactions
    /// that the database has lost, published rows are inserted. Other writes of these transactions
    /// must be repeated by hand: [`DatabaseOlder::lost`](super::DatabaseOlder::lost) has the
    /// sequences of their messages.
    MarkAndAdopt {
        /// The number of rows that are marked.
        mark: u64,
        /// The number of messages for which rows are inserted.
        adopt: u64,
    },
    /// The durable is deleted and created again, to begin at another sequence. Events from this
    /// sequence on are delivered again. An inbox drops the events that were handled; without an
    /// inbox, they are handled again.
    ResetConsumer {
        /// The first sequence that is delivered.
        to: u64,
    },
    /// A reset that was interrupted is completed.
    FinishReset,
    /// Records of the inbox get the sequences that their events have in the stream, or no sequence.
    PlaceRecords {
        /// The number of records.
        records: u64,
    },
    /// The floor of the inbox is lowered.
    LowerFloor {
        /// The new floor.
        to: u64,
    },
    /// The repairs of the other divergences in the plan also remove this one.
    WithTheOthers,
    /// `carry_out` cannot repair it. The text says what to do by hand.
    ByHand(&'static str),
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublishAgain { rows } => write!(f, "publish {rows} rows again"),
            Self::NotePlaces { rows } => write!(f, "note the sequences of {rows} rows"),
            Self::MarkAndAdopt { mark, adopt } => write!(
                f,
                "mark {mark} rows as published, and take {adopt} messages into the outbox as published rows"
            ),
            Self::ResetConsumer { to } => {
                write!(f, "create the consumer again, beginning at sequence {to}")
            }
            Self::FinishReset => f.write_str("complete the reset of the consumer"),
            Self::PlaceRecords { records } => {
                write!(f, "correct the sequences of {records} records")
            }
            Self::LowerFloor { to } => write!(f, "lower the floor to {to}"),
            Self::WithTheOthers => f.write_str("those of the other divergences of the stream"),
            Self::ByHand(what) => write!(f, "by hand: {what}"),
        }
    }
}

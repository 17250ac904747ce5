//! `Repair`: what would remove a divergence.

use std::fmt;

/// How a [`Divergence`](super::Divergence) is repaired.
/// [`Recover::carry_out`](super::Recover::carry_out) makes the repair.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// The rows become ready again, and a relay publishes them under their ids: in order in each key,
    /// and before newer rows of the key.
    PublishAgain {
        /// The number of rows.
        rows: u64,
    },
    /// Rows of the outbox are marked with the sequences that their messages have, or with none. Nothing
    /// is published.
    NotePlaces {
        /// The number of rows.
        rows: u64,
    },
    /// Rows that the stream has already are marked as published, and messages of transactions that
    /// the database has lost become published rows. Other writes of these transactions must be
    /// repeated by hand: [`DatabaseOlder::lost`](super::DatabaseOlder::lost) has the sequences of
    /// their messages.
    MarkAndAdopt {
        /// Rows that are marked.
        mark: u64,
        /// Messages that become rows.
        adopt: u64,
    },
    /// The durable is created again, and begins at this sequence: its events are delivered again from there
    /// on. An inbox drops those that were handled; without one, they are handled again.
    ResetConsumer {
        /// The first sequence that is delivered.
        to: u64,
    },
    /// A reset that was interrupted is completed.
    FinishReset,
    /// Records of the inbox get the sequences that their events have in the stream, or none.
    PlaceRecords {
        /// The number of records.
        records: u64,
    },
    /// The floor of the inbox is lowered to this sequence.
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

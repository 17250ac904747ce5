//! `StreamLoss`: a stream that lost messages which it had confirmed, and what the relay does about it.

use std::fmt;

use event_sdk::text::Text;

/// A stream no longer has some rows that it had confirmed: it went back to an older state, or it is
/// another stream of the same name.
///
/// The relay reports a loss to [`Relay::on_stream_loss`](super::Relay::on_stream_loss), in
/// [`RelayReport::stream_losses`](super::RelayReport::stream_losses), and as a warning in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamLoss {
    /// The stream.
    pub stream: Text,
    /// The highest sequence of a row that the stream had confirmed, but does not have.
    pub confirmed: u64,
    /// The last sequence of the stream; zero if there is no such stream.
    pub last: u64,
    /// The number of rows of this relay's shards that are known to be lost. If the loss is
    /// [older](LossOutcome::LeftOlder) than the repair time, only lost rows within the repair time
    /// are counted.
    pub rows: u64,
    /// What the relay does.
    pub outcome: LossOutcome,
}

/// What a relay does about a [`StreamLoss`].
///
/// In every case, the rows that were confirmed within the duplicate window are published again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossOutcome {
    /// The lost rows are published again, before new ones.
    PublishedAgain,
    /// Nothing is repaired: some lost rows were published more than
    /// [`repair_within`](super::Relay::repair_within) before the newest row of the stream.
    LeftOlder,
    /// Nothing is repaired: the stream has lost more than 200,000 rows, and no more are compared.
    LeftTooMany,
    /// Nothing is repaired: the stream was deleted and created again, or is missing.
    LeftStreamAnew,
    /// Nothing is repaired: the stream drops acknowledged messages, so the relay cannot know which
    /// of the lost messages were handled.
    LeftAcknowledged,
    /// Nothing is repaired: the relay would have to search more than 500,000 messages of the stream
    /// for rows that were moved.
    LeftUnsearched,
}

impl LossOutcome {
    /// Whether the relay publishes the lost rows again. Other losses are repaired by
    /// [`recover`](crate::recover), or by hand.
    #[must_use]
    pub const fn is_repaired(self) -> bool {
        matches!(self, Self::PublishedAgain)
    }
}

impl fmt::Display for LossOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublishedAgain => "they are published again",
            Self::LeftOlder => "some of them are older than `repair_within`, so stop the relays and run `recover`",
            Self::LeftTooMany => "they are too many to be compared here, so stop the relays and run `recover`",
            Self::LeftStreamAnew => "the stream was deleted and created again, or is missing, so create it if it is missing, stop the relays and run `recover`",
            Self::LeftAcknowledged => "the stream drops acknowledged messages, and some of them may have been handled, so compare with the consumers and publish them again by hand",
            Self::LeftUnsearched => "the stream has too many messages to be searched for them here, so stop the relays and run `recover`",
        })
    }
}

impl fmt::Display for StreamLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stream {} ends at sequence {}, and does not have {} rows that it had confirmed, up to sequence {}: {}",
            self.stream, self.last, self.rows, self.confirmed, self.outcome
        )
    }
}

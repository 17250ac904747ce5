//! `RecoverPlan` and `RecoverReport`: what a comparison found, and what a repair did.

use std::fmt;

use event_sdk::text::Text;

use super::divergence::Divergence;
use super::unknown::Unknown;

/// The result of a comparison: the divergences, and the questions that it could not decide.
///
/// [`Recover::carry_out`](super::Recover::carry_out) repairs everything in the plan;
/// [`retain`](Self::retain) removes what should not be repaired. `Display` has a line for each
/// divergence, with the repair.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RecoverPlan {
    /// The divergences, in the order of their repair.
    pub divergences: Vec<Divergence>,
    /// The questions that the comparison could not decide.
    pub unknown: Vec<Unknown>,
}

impl RecoverPlan {
    /// Whether the plan has no divergences and no unknowns.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.divergences.is_empty() && self.unknown.is_empty()
    }

    /// Keeps the divergences that should be repaired.
    pub fn retain(&mut self, keep: impl FnMut(&Divergence) -> bool) {
        self.divergences.retain(keep);
    }

    pub(super) fn has(&self, divergence: &Divergence) -> bool {
        self.divergences.iter().any(|it| it.is_same(divergence))
    }

    /// Sorts the divergences in the order of their repair: consumers before rows, since a consumer
    /// whose stream has grown again does not show that it is ahead.
    pub(super) fn sort(&mut self) {
        self.divergences.sort_by_key(|divergence| match divergence {
            Divergence::StreamMissing(_) | Divergence::RestoredApart(_) => 0,
            Divergence::ResetUnfinished(_) => 1,
            Divergence::ConsumerAhead(_) | Divergence::InboxOlder(_) => 2,
            Divergence::FloorBeyondStream(_) => 3,
            Divergence::RecordsMisplaced(_) => 4,
            Divergence::DatabaseOlder(_) => 5,
            Divergence::RowsMoved(_) => 6,
            Divergence::StreamOlder(_) | Divergence::StreamAnew(_) => 7,
        });
    }
}

impl fmt::Display for RecoverPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("nothing diverges");
        }
        let mut lines = 0;
        let mut line = |f: &mut fmt::Formatter<'_>| -> fmt::Result {
            lines += 1;
            if lines > 1 { writeln!(f) } else { Ok(()) }
        };
        for divergence in &self.divergences {
            line(f)?;
            write!(f, "{divergence}\n    repair: {}", divergence.repair())?;
        }
        for unknown in &self.unknown {
            line(f)?;
            write!(f, "unknown: {unknown}")?;
        }
        Ok(())
    }
}

/// What [`Recover::carry_out`](super::Recover::carry_out) did.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RecoverReport {
    /// Consumers whose durables were created again: the stream, the durable, and the sequence at
    /// which the durable begins.
    pub consumers_reset: Vec<(Text, Text, u64)>,
    /// Resets that were completed: stream and durable.
    pub resets_finished: Vec<(Text, Text)>,
    /// The number of floors that were lowered.
    pub floors_lowered: u64,
    /// The number of records whose sequence was changed or removed.
    pub records_placed: u64,
    /// The number of rows that were marked as published.
    pub marked: u64,
    /// The number of messages for which rows were inserted.
    pub adopted: u64,
    /// The number of rows whose sequence was changed.
    pub places_noted: u64,
    /// The number of rows that were made ready, so that a relay publishes them again.
    pub made_ready: u64,
    /// Divergences of the plan that have to be repaired by hand.
    pub by_hand: Vec<Divergence>,
}

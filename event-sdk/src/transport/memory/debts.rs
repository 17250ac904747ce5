//! What a consumer owes a stream that keeps messages until they are settled.

use std::collections::BTreeSet;

/// What a consumer owes a stream that keeps messages until they are settled, beside
/// what it has not read and what it has delivered.
#[derive(Debug, Default)]
pub(super) struct Debts {
    /// Settled, which the stream does not know yet.
    settled: Vec<u64>,
    /// Never settled, and not delivered again.
    exhausted: BTreeSet<u64>,
}

impl Debts {
    /// A delivery was settled.
    pub(super) fn settled(&mut self, sequence: u64) {
        self.settled.push(sequence);
    }

    /// One that was settled and that the stream is to be told; none twice.
    pub(super) fn next_settled(&mut self) -> Option<u64> {
        self.settled.pop()
    }

    /// A message was delivered as often as it may be.
    pub(super) fn exhausted(&mut self, sequence: u64) {
        self.exhausted.insert(sequence);
    }

    /// The stream has dropped a message.
    pub(super) fn dropped(&mut self, sequence: u64) {
        self.exhausted.remove(&sequence);
    }

    /// What is neither unread nor in anybody's hands, and not settled.
    pub(super) fn left(&self) -> impl Iterator<Item = u64> {
        self.exhausted.iter().copied()
    }
}

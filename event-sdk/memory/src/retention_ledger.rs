//! `RetentionLedger`: which messages of a work queue or interest stream a consumer still has to
//! settle.

use std::collections::{BTreeSet, VecDeque};

use foldhash::HashMap;

use super::slab::Key;

/// What a consumer owes a stream that keeps messages until they are settled, beside
/// what it has not read and what waits to be settled.
#[derive(Debug, Default)]
pub(super) struct RetentionLedger {
    /// Settled, which the stream does not know yet; the oldest first.
    settled: VecDeque<u64>,
    /// Not settled, and not delivered again.
    exhausted: BTreeSet<u64>,
    /// What each subscription took since it asked last, where nothing is acknowledged.
    taken: HashMap<usize, Vec<u64>>,
}

impl RetentionLedger {
    /// A delivery was settled.
    pub(super) fn settled(&mut self, sequence: u64) {
        self.settled.push_back(sequence);
    }

    /// One that was settled and that the stream is to be told; none twice.
    pub(super) fn next_settled(&mut self) -> Option<u64> {
        self.settled.pop_front()
    }

    /// A message was delivered as often as it may be.
    pub(super) fn exhausted(&mut self, sequence: u64) {
        self.exhausted.insert(sequence);
    }

    /// Its last delivery was settled after all. Whether it waited for that.
    pub(super) fn settled_late(&mut self, sequence: u64) -> bool {
        self.exhausted.remove(&sequence)
    }

    /// A subscription took a message, of which it will say nothing.
    pub(super) fn taken(&mut self, by: Key, sequence: u64) {
        self.taken.entry(by.index()).or_default().push(sequence);
    }

    /// A subscription has delivered what it took, but for the last `unread`.
    pub(super) fn handed_out(&mut self, by: Key, unread: usize) {
        if let Some(taken) = self.taken.get_mut(&by.index()) {
            let handed_out = taken.len().saturating_sub(unread);
            self.settled.extend(taken.drain(..handed_out));
        }
    }

    /// A subscription has ended, and given back what it has not delivered.
    pub(super) fn ended(&mut self, subscriber: Key) {
        self.taken.remove(&subscriber.index());
    }

    /// The stream has dropped a message.
    pub(super) fn dropped(&mut self, sequence: u64) {
        self.exhausted.remove(&sequence);
    }

    /// What is neither unread nor waits to be settled.
    pub(super) fn left(&self) -> impl Iterator<Item = u64> {
        let taken = self.taken.values().flatten();
        self.exhausted.iter().chain(taken).copied()
    }
}

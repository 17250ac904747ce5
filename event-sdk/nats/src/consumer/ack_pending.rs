//! Unsettled deliveries of a subscription, for prefetch and draining.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::settle::AckPending;

/// The deliveries of one subscription that may be open, in the order in which
/// they were delivered.
///
/// It is kept for the end, when they are waited for and what is left is put
/// back. Each delivery is looked at once when it is added and once when it goes,
/// however many there are.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    list: VecDeque<Weak<AckPending>>,
    /// How long the list may become before all of it is looked at.
    most: usize,
}

/// How many deliveries there may be before there is a look at those that are
/// not the oldest.
const FEW: usize = 64;

impl Deliveries {
    /// One is delivered.
    pub(super) fn add(&mut self, ack_pending: &Arc<AckPending>) {
        while self.list.front().is_some_and(|first| open(first).is_none()) {
            self.list.pop_front();
        }
        if self.list.len() >= self.most {
            self.list.retain(|ack_pending| open(ack_pending).is_some());
            self.most = FEW.max(self.list.len() * 2);
        }
        self.list.push_back(Arc::downgrade(ack_pending));
    }

    /// Those that the caller has and has not settled.
    pub(super) fn in_hand(&self) -> impl Iterator<Item = Arc<AckPending>> {
        self.list.iter().filter_map(open)
    }
}

/// A delivery, if the caller has it and has not settled it.
pub(super) fn open(ack_pending: &Weak<AckPending>) -> Option<Arc<AckPending>> {
    ack_pending
        .upgrade()
        .filter(|ack_pending| ack_pending.is_open())
}

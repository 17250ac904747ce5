//! Unsettled deliveries of a subscription, by sequence: for redeliveries of what is running, and
//! for draining.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::settle::AckPending;

/// The deliveries of one subscription that may be open.
///
/// It is kept for redeliveries, which do not start a second handling, and for the end, when
/// open deliveries are waited for and what is left is put back. Each delivery is looked at once
/// when it is added and once when it goes, however many there are.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    list: BTreeMap<u64, Weak<AckPending>>,
    /// How long the list may become before all of it is looked at.
    most: usize,
}

/// How many deliveries there may be before there is a look at those that are
/// not the oldest.
const FEW: usize = 64;

impl Deliveries {
    /// One is delivered.
    pub(super) fn add(&mut self, ack_pending: &Arc<AckPending>) {
        while let Some(first) = self.list.first_entry()
            && open(first.get()).is_none()
        {
            first.remove();
        }
        if self.list.len() >= self.most {
            self.list
                .retain(|_, ack_pending| open(ack_pending).is_some());
            self.most = FEW.max(self.list.len() * 2);
        }
        self.list
            .insert(ack_pending.sequence(), Arc::downgrade(ack_pending));
    }

    /// The delivery of this sequence that the caller has and has not settled.
    pub(super) fn running(&self, sequence: u64) -> Option<Arc<AckPending>> {
        let ack_pending = self.list.get(&sequence)?.upgrade()?;
        ack_pending.is_running().then_some(ack_pending)
    }

    /// Whether the caller has a delivery of this sequence and has not settled it.
    pub(super) fn is_open(&self, sequence: u64) -> bool {
        self.list.get(&sequence).and_then(open).is_some()
    }

    /// Those that the caller has and has not settled.
    pub(super) fn in_hand(&self) -> impl Iterator<Item = Arc<AckPending>> {
        self.list.values().filter_map(open)
    }
}

/// A delivery, if the caller has it and has not settled it.
pub(super) fn open(ack_pending: &Weak<AckPending>) -> Option<Arc<AckPending>> {
    ack_pending
        .upgrade()
        .filter(|ack_pending| ack_pending.is_open())
}

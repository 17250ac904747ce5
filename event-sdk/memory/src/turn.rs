//! Whose turn it is where an acknowledgement settles everything before it: one
//! subscription receives at a time, and begins with what is unsettled.

use super::pending::Pending;
use super::slab::Key;

/// The turn of one subscription.
#[derive(Debug)]
pub(super) struct Turn {
    of: Key,
    /// What was unsettled when it began, and was not delivered since: from the
    /// first of these sequences to the last.
    resume: Option<(u64, u64)>,
}

/// What a turn begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resume {
    /// With this one, which is due.
    With(u64),
    /// With one that is not due yet.
    Later,
    /// That is done.
    Done,
}

impl Turn {
    pub(super) fn new(of: Key, pending: &Pending) -> Self {
        let last = pending.last_sequence();
        Self {
            of,
            resume: last.map(|last| (0, last)),
        }
    }

    pub(super) fn is_of(&self, subscriber: Key) -> bool {
        self.of == subscriber
    }

    pub(super) fn of(&self) -> Key {
        self.of
    }

    /// What comes before anything else. In order, whenever they became due: an
    /// acknowledgement of a later one would settle an earlier one unread.
    pub(super) fn resume(&mut self, pending: &Pending) -> Resume {
        let Some((from, last)) = &mut self.resume else {
            return Resume::Done;
        };
        match pending.first_from(*from).filter(|(next, _)| next <= last) {
            None => {
                self.resume = None;
                Resume::Done
            }
            Some((next, true)) => {
                *from = next.saturating_add(1);
                Resume::With(next)
            }
            Some((_, false)) => Resume::Later,
        }
    }
}

//! `KeyState`: how many events of a key wait in the park, and whether the key is dead.

use super::entries::ParkedEvent;
use super::key::DeadKey;

/// A key that has events in the park, and their number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyState {
    /// The key.
    pub key: DeadKey,
    /// The sequence of its first event in the original stream.
    pub first: u64,
    /// The sequence of its last event in the original stream.
    pub last: u64,
    /// How many events there are, a dead one included.
    pub events: u64,
    /// Whether the key is dead: its first event is a dead letter, and waits for a
    /// [request](super::Park::release). Otherwise the owner of the consumer handles the events
    /// without a request: they were put into the park while the key waited for a retry, or the
    /// events before them were handled or given up.
    pub dead: bool,
}

impl KeyState {
    /// The state of a key by its first event.
    pub(super) fn of(first: &ParkedEvent) -> Self {
        Self {
            key: first.key.clone(),
            first: first.position,
            last: first.position,
            events: 1,
            dead: first.failed,
        }
    }

    /// Adds a later event.
    pub(super) fn add(&mut self, position: u64) {
        self.last = position;
        self.events += 1;
    }
}

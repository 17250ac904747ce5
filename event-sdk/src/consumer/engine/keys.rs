//! `Keys`: events of one key run one after the other, in the order in which they were received.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use event_sdk_core::text::Text;

use crate::consumer::handlers::Set;
use crate::consumer::held::Held;

/// A key, within its stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    stream: Option<Text>,
    text: Arc<str>,
}

impl Key {
    pub(super) fn text(&self) -> &Arc<str> {
        &self.text
    }
}

/// An event that waits for its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Counts the events in the order in which they were received.
    pub(super) arrival: u64,
    pub(super) id: usize,
}

/// The keys that are blocked, and the events that wait for them.
#[derive(Default)]
pub(super) struct Keys {
    /// Only keys that are blocked, or for which an event waits.
    waiting: HashMap<Key, Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// Whether a handler runs for the key, or one of its events waits for another attempt.
    blocked: bool,
    /// By arrival.
    queue: VecDeque<Place>,
}

impl Keys {
    /// Whether an event may become ready; otherwise it waits here.
    pub(super) fn admit(&mut self, key: &Key, place: Place) -> bool {
        match self.waiting.get_mut(key) {
            None => true,
            Some(waiting) => {
                waiting.insert(place);
                false
            }
        }
    }

    /// Blocks the key for an event that starts. Returns `false` if another event blocks it; the
    /// event waits here then.
    pub(super) fn block(&mut self, key: &Key, place: Place) -> bool {
        let waiting = self.waiting.entry(key.clone()).or_default();
        if std::mem::replace(&mut waiting.blocked, true) {
            waiting.insert(place);
            return false;
        }
        true
    }

    /// Makes an event wait whose key is blocked.
    pub(super) fn wait(&mut self, key: &Key, place: Place) {
        self.waiting.entry(key.clone()).or_default().insert(place);
    }

    /// Unblocks the key. Returns up to `most` events that are ready then, the oldest first.
    pub(super) fn release(&mut self, key: &Key, most: usize) -> Vec<usize> {
        let Some(waiting) = self.waiting.get_mut(key) else {
            return Vec::new();
        };
        waiting.blocked = false;
        let most = most.min(waiting.queue.len());
        let ready = waiting.queue.drain(..most).map(|place| place.id).collect();
        if waiting.queue.is_empty() {
            self.waiting.remove(key);
        }
        ready
    }

    /// Forgets all events that wait.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

impl Waiting {
    fn insert(&mut self, place: Place) {
        // Nearly always the last.
        let at = self.queue.partition_point(|other| *other < place);
        self.queue.insert(at, place);
    }
}

/// The key of an event. `None` if it has none that can be read.
pub(super) fn key_of(held: &Held, set: &Set) -> Option<Key> {
    let text = held.delivery().key_among(set.members)?;
    // A redriven event is in the order of its original stream.
    let stream = match held.redriven() {
        Some(redriven) => Some(redriven.origin.stream.clone()),
        None => held.delivery().info().stream.clone(),
    };
    let text = Arc::from(&*text);
    Some(Key { stream, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key {
            stream: None,
            text: text.into(),
        }
    }

    /// The event that was received as number `id`.
    fn event(id: usize) -> Place {
        Place {
            arrival: id as u64,
            id,
        }
    }

    #[test]
    fn later_events_of_a_blocked_key_wait_in_their_order() {
        let mut keys = Keys::default();
        let (a, b) = (key("a"), key("b"));
        // All are ready, since nothing runs.
        for (key, id) in [(&a, 1), (&a, 2), (&b, 3), (&a, 4)] {
            assert!(keys.admit(key, event(id)));
        }
        assert!(keys.block(&a, event(1)));
        assert!(!keys.block(&a, event(2)));
        assert!(keys.block(&b, event(3)));
        assert!(!keys.admit(&a, event(5)));
        // It was ready before 5 arrived.
        assert!(!keys.block(&a, event(4)));
        assert_eq!(keys.release(&a, 1), [2]);
        // The key is free, but 4 and 5 come first.
        assert!(!keys.admit(&a, event(6)));
        assert!(keys.block(&a, event(2)));
        assert_eq!(keys.release(&a, 2), [4, 5]);
        assert!(keys.block(&a, event(4)));
        assert!(!keys.block(&a, event(5)));
        assert_eq!(keys.release(&a, 9), [5, 6]);
        assert!(keys.admit(&a, event(7)));
        assert_eq!(keys.release(&b, 1), Vec::<usize>::new());
    }
}

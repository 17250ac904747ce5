//! `Keys`: events of one key run one after the other, in the order in which they were received.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use event_sdk_core::text::Text;

use crate::consumer::handlers::Set;
use crate::consumer::held::Held;
use crate::dead_letters::{DeadKey, bounded_key};

/// A key, within its stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    stream: Option<Text>,
    text: Arc<str>,
}

impl Key {
    /// The key of events in a stream, as the park has it.
    pub(super) fn of_dead(key: &DeadKey) -> Self {
        Self {
            stream: Some(key.stream().to_owned().into()),
            text: Arc::from(key.key()),
        }
    }

    /// The same for the park; `None` on a transport without streams.
    pub(super) fn dead(&self) -> Option<DeadKey> {
        Some(DeadKey::new(self.stream.clone()?, &self.text))
    }

    pub(super) fn stream(&self) -> Option<&Text> {
        self.stream.as_ref()
    }

    pub(super) fn text(&self) -> &str {
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
    /// Whether the event that blocks the key has failed, or could not be handled.
    held: bool,
    /// By arrival.
    queue: VecDeque<Place>,
}

/// What became of an event that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is ready.
    Ready,
    /// It waits for its key.
    Waits,
    /// It waits for its key, which a failed event holds, behind so many events (that one included).
    Behind(usize),
}

impl Keys {
    /// Whether an event may become ready; otherwise it waits here.
    pub(super) fn admit(&mut self, key: &Key, place: Place) -> Admission {
        match self.waiting.get_mut(key) {
            None => Admission::Ready,
            Some(waiting) => {
                let before = waiting.queue.len();
                waiting.insert(place);
                if waiting.held {
                    Admission::Behind(before + 1)
                } else {
                    Admission::Waits
                }
            }
        }
    }

    /// The event that blocks the key has failed, or cannot be handled now. Returns how many events
    /// the key has here, that one included.
    pub(super) fn hold(&mut self, key: &Key) -> usize {
        match self.waiting.get_mut(key) {
            Some(waiting) if waiting.blocked => {
                waiting.held = true;
                waiting.queue.len() + 1
            }
            _ => 0,
        }
    }

    /// Blocks the key for events that are not held yet. Returns `false` if an event blocks it.
    pub(super) fn occupy(&mut self, key: &Key) -> bool {
        let waiting = self.waiting.entry(key.clone()).or_default();
        !std::mem::replace(&mut waiting.blocked, true)
    }

    /// That event has left; the key stays blocked, for another one.
    pub(super) fn ease(&mut self, key: &Key) {
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.held = false;
        }
    }

    /// Whether the event that blocks the key has failed, or could not be handled.
    pub(super) fn is_held(&self, key: &Key) -> bool {
        self.waiting.get(key).is_some_and(|it| it.held)
    }

    /// How many events wait for the key.
    pub(super) fn len(&self, key: &Key) -> usize {
        self.waiting.get(key).map_or(0, |it| it.queue.len())
    }

    /// The event that waits longest for the key.
    pub(super) fn front(&self, key: &Key) -> Option<usize> {
        self.waiting.get(key)?.queue.front().map(|place| place.id)
    }

    /// Takes that event; the key stays blocked, for it.
    pub(super) fn take_front(&mut self, key: &Key) {
        if let Some(waiting) = self.waiting.get_mut(key) {
            waiting.held = false;
            waiting.queue.pop_front();
        }
    }

    /// Takes the events for which `leaves` returns true, up to `most`, the last one first.
    pub(super) fn take_back(
        &mut self,
        key: &Key,
        most: usize,
        leaves: impl Fn(usize) -> bool,
    ) -> Vec<usize> {
        let mut taken = Vec::new();
        let Some(waiting) = self.waiting.get_mut(key) else {
            return taken;
        };
        let mut at = waiting.queue.len();
        while at > 0 && taken.len() < most {
            at -= 1;
            let place = waiting.queue.get(at).filter(|place| leaves(place.id));
            if let Some(place) = place {
                taken.push(place.id);
                waiting.queue.remove(at);
            }
        }
        taken
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
        waiting.held = false;
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

/// The key of an event, as the park has it if it is a long one. `None` if it has none that can be
/// read.
pub(super) fn key_of(held: &Held, set: &Set) -> Option<Key> {
    let text = held.delivery().key_among(set.members)?;
    let text = bounded_key(&text);
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
            assert_eq!(keys.admit(key, event(id)), Admission::Ready);
        }
        assert!(keys.block(&a, event(1)));
        assert!(!keys.block(&a, event(2)));
        assert!(keys.block(&b, event(3)));
        assert_eq!(keys.admit(&a, event(5)), Admission::Waits);
        // It was ready before 5 arrived.
        assert!(!keys.block(&a, event(4)));
        assert_eq!(keys.release(&a, 1), [2]);
        // The key is free, but 4 and 5 come first.
        assert_eq!(keys.admit(&a, event(6)), Admission::Waits);
        assert!(keys.block(&a, event(2)));
        assert_eq!(keys.release(&a, 2), [4, 5]);
        assert!(keys.block(&a, event(4)));
        assert!(!keys.block(&a, event(5)));
        assert_eq!(keys.release(&a, 9), [5, 6]);
        assert_eq!(keys.admit(&a, event(7)), Admission::Ready);
        assert_eq!(keys.release(&b, 1), Vec::<usize>::new());
    }

    #[test]
    fn a_held_key_counts_its_events_and_gives_up_the_last_ones() {
        let mut keys = Keys::default();
        let a = key("a");
        assert_eq!(keys.hold(&a), 0, "nothing blocks it");
        assert!(keys.block(&a, event(1)));
        assert_eq!(keys.admit(&a, event(2)), Admission::Waits);
        assert_eq!(keys.hold(&a), 2);
        assert_eq!(keys.admit(&a, event(3)), Admission::Behind(2));
        assert_eq!(keys.admit(&a, event(4)), Admission::Behind(3));
        assert!(!keys.occupy(&a));
        assert_eq!(keys.take_back(&a, 9, |id| id != 3), [4, 2]);
        assert_eq!((keys.front(&a), keys.len(&a)), (Some(3), 1));
        keys.take_front(&a);
        assert_eq!(keys.admit(&a, event(5)), Admission::Waits, "held no more");
        assert_eq!(keys.release(&a, 9), [5]);
        assert!(keys.occupy(&a));
        assert!(!keys.occupy(&a));
    }
}

//! `Keys`: events of one key run one after the other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use event_sdk_core::event::KeyUse;
use event_sdk_core::text::Text;

use crate::consumer::handlers::Set;
use crate::message::Message;
use crate::raw::Untyped;
use crate::subscribe::Delivery;

/// A key, within its stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    stream: Option<Text>,
    text: Arc<str>,
}

/// The keys of which an event is held, and the events that wait for them.
#[derive(Default)]
pub(super) struct Keys {
    /// A key is here while one of its events may run; the queue has the later ones.
    held: HashMap<Key, VecDeque<usize>>,
}

impl Keys {
    /// Whether the event `id` may start; otherwise it waits until the key is released.
    pub(super) fn take(&mut self, key: &Key, id: usize) -> bool {
        if let Some(queue) = self.held.get_mut(key) {
            queue.push_back(id);
            return false;
        }
        self.held.insert(key.clone(), VecDeque::new());
        true
    }

    /// Ends the event that has the key. Returns the next one, which has it then.
    pub(super) fn release(&mut self, key: &Key) -> Option<usize> {
        let next = self.held.get_mut(key)?.pop_front();
        if next.is_none() {
            self.held.remove(key);
        }
        next
    }

    /// Forgets all events that wait.
    pub(super) fn clear(&mut self) {
        for queue in self.held.values_mut() {
            queue.clear();
        }
    }
}

/// The key of an event: from its envelope, or from its subject. `None` if it has none that can be
/// read.
pub(super) fn key_of(delivery: &Delivery<Untyped>, set: &Set) -> Option<Key> {
    let text = key_text(delivery, set)?;
    Some(Key {
        stream: delivery.info().stream.clone(),
        text,
    })
}

fn key_text(message: &Message<Untyped>, set: &Set) -> Option<Arc<str>> {
    let (whole, relative) = (message.subject().as_str(), message.relative_subject());
    let mut members = set.members.iter();
    let in_subject =
        members.any(|spec| spec.key_use() == KeyUse::InSubject && spec.is_subject(whole, relative));
    if in_subject {
        return whole.rsplit('.').next().map(Arc::from);
    }
    let head = message.head().ok()?;
    head.metadata.get("key").map(Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_held_until_its_last_event_has_ended() {
        let mut keys = Keys::default();
        let key = |text: &str| Key {
            stream: None,
            text: text.into(),
        };
        assert!(keys.take(&key("a"), 1));
        assert!(!keys.take(&key("a"), 2));
        assert!(keys.take(&key("b"), 3));
        assert!(!keys.take(&key("a"), 4));
        assert_eq!(keys.release(&key("a")), Some(2));
        assert_eq!(keys.release(&key("a")), Some(4));
        assert!(!keys.take(&key("a"), 5));
        assert_eq!(keys.release(&key("a")), Some(5));
        assert_eq!(keys.release(&key("a")), None);
        assert!(keys.take(&key("a"), 6));
        assert_eq!(keys.release(&key("b")), None);
    }
}

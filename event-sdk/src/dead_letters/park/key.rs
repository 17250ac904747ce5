//! `DeadKey`: a key for whose letter later events wait.

use std::fmt;

use event_sdk_core::text::Text;

use super::super::area::bounded_key;
use super::super::letter::DeadLetter;
use super::entries::ParkedEvent;

/// A key of events in one stream.
///
/// A key above 500 bytes is represented by its beginning and a hash. `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadKey {
    stream: Text,
    key: Text,
}

impl DeadKey {
    /// The key of events in this stream.
    #[must_use]
    pub fn new(stream: impl Into<Text>, key: &str) -> Self {
        Self {
            stream: stream.into(),
            key: Text::copy_of(&bounded_key(key)),
        }
    }

    /// The key of a letter; `None` if it has none.
    #[must_use]
    pub fn of(letter: &DeadLetter) -> Option<Self> {
        let key = letter.key.as_deref()?;
        Some(Self::new(letter.origin.stream.clone(), key))
    }

    /// The stream of the events.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for DeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadKey")
            .field("stream", &self.stream)
            .field("key_len", &self.key.len())
            .finish()
    }
}

/// A key of which events wait in the park, and how many.
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
    /// without one: they were put into the park while the key waited for a retry, or what was before
    /// them is handled or was given up.
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

//! `DeadKey`: a key of events that wait in the park.

use std::fmt;

use event_sdk_core::text::Text;

use super::super::area::bounded_key;
use super::super::letter::DeadLetter;

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

    /// The key of a letter; `None` if the letter has no key.
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

//! `MemoryDeadLetters`: keeps dead letters in the process, for tests.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_sdk_core::transport::{Completion, Error};

use super::letter::DeadLetter;
use super::store::DeadLetterStore;

/// Keeps dead letters in memory, in the order in which they came. Clones share the letters.
///
/// They are lost with the process: use it in tests, and where losing events is acceptable.
#[derive(Clone, Default)]
pub struct MemoryDeadLetters {
    letters: Arc<Mutex<Vec<DeadLetter>>>,
}

impl MemoryDeadLetters {
    /// A store without letters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The letters, oldest first.
    #[must_use]
    pub fn letters(&self) -> Vec<DeadLetter> {
        self.locked().clone()
    }

    /// How many letters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.locked().len()
    }

    /// Whether there are no letters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locked().is_empty()
    }

    fn locked(&self) -> MutexGuard<'_, Vec<DeadLetter>> {
        // A push that panicked left the letters as they were.
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeadLetterStore for MemoryDeadLetters {
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        let mut letters = self.locked();
        if !letters.iter().any(|stored| is_same(stored, letter)) {
            letters.push(letter.clone());
        }
        Completion::ready(Ok(()))
    }
}

/// Whether both are the letter of one event, consumer and redrive.
fn is_same(one: &DeadLetter, other: &DeadLetter) -> bool {
    let event = match (one.event_id, other.event_id) {
        (None, None) => {
            one.origin.stream == other.origin.stream && one.origin.sequence == other.origin.sequence
        }
        ids => ids.0 == ids.1,
    };
    event
        && one.consumer == other.consumer
        && one.redrive == other.redrive
        && one.origin.subject == other.origin.subject
        && one.body == other.body
}

impl fmt::Debug for MemoryDeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDeadLetters")
            .field("len", &self.len())
            .finish()
    }
}

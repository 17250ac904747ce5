//! `LetterSummary` and `QueuedLetter`: a stored letter without its body, and with it.

use std::fmt;

use event_sdk_core::shown::Shown;
use event_sdk_core::text::Text;
use jiff::Timestamp;
use uuid::Uuid;

use super::super::class::DeadLetterClass;
use super::super::letter::{DeadLetter, Origin};
use super::super::state::{LetterState, LetterStatus};

/// A stored letter without body and original headers, for lists.
///
/// A summary contains no data of the event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LetterSummary {
    /// The id of the letter: its sequence in the dead-letter stream.
    pub id: u64,
    /// The consumer that gave the event up.
    pub consumer: Text,
    /// Where the original message was stored.
    pub origin: Origin,
    /// The id of the event, if its envelope could be read.
    pub event_id: Option<Uuid>,
    /// The type of the event, if its envelope could be read.
    pub event_type: Option<Text>,
    /// How often the event was redriven before it failed this time.
    pub redrive: u32,
    /// The reason.
    pub class: DeadLetterClass,
    /// Summaries of the error and of its sources, the outermost first, without values.
    pub errors: Vec<String>,
    /// How many attempts were made.
    pub attempts: u32,
    /// When the event failed for the first time.
    pub first_failure: Timestamp,
    /// When the event failed for the last time.
    pub last_failure: Timestamp,
    /// Whether the key of the event waits for this letter (sequenced mode).
    pub sequenced: bool,
    /// The state of the letter.
    pub state: LetterState,
    /// The size of the body in bytes.
    pub body_len: usize,
}

impl LetterSummary {
    /// The summary of an open letter.
    #[must_use]
    pub fn new(id: u64, letter: &DeadLetter) -> Self {
        Self {
            id,
            consumer: letter.consumer.clone(),
            origin: letter.origin.clone(),
            event_id: letter.event_id,
            event_type: letter.event_type.clone(),
            redrive: letter.redrive,
            class: letter.class.clone(),
            errors: letter.errors.clone(),
            attempts: letter.attempts,
            first_failure: letter.first_failure,
            last_failure: letter.last_failure,
            sequenced: letter.sequenced,
            state: LetterState::open(),
            body_len: letter.body.len(),
        }
    }
}

/// A stored letter.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct QueuedLetter {
    /// The id of the letter: its sequence in the dead-letter stream.
    pub id: u64,
    /// The letter, with the original headers and body.
    pub letter: DeadLetter,
    /// The state of the letter.
    pub state: LetterState,
    /// The sequence of the last message that says what became of it; zero if there is none.
    pub(super) state_sequence: u64,
}

impl LetterSummary {
    /// Whether later events of the key wait for this letter.
    #[must_use]
    pub fn holds_its_key(&self) -> bool {
        self.sequenced && self.state.status == LetterStatus::Open
    }
}

impl fmt::Display for LetterSummary {
    /// One line for a list: id, consumer, place and type of the event, reason, status. Texts of other
    /// clients are escaped where they would act on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin {
            stream, sequence, ..
        } = &self.origin;
        let (consumer, stream) = (Shown(&self.consumer, MAX_NAME), Shown(stream, MAX_NAME));
        write!(f, "{} {consumer} {stream}/{sequence}", self.id)?;
        match &self.event_type {
            Some(event_type) => write!(f, " {}", Shown(event_type, MAX_NAME))?,
            None => write!(f, " {}", Shown(&self.origin.subject, MAX_NAME))?,
        }
        write!(f, ": {}", Shown(self.class.as_str(), MAX_NAME))?;
        if let Some(error) = self.errors.first() {
            write!(f, " ({})", Shown(error, MAX_ERROR))?;
        }
        let attempts = if self.attempts == 1 {
            "attempt"
        } else {
            "attempts"
        };
        write!(f, " after {} {attempts}", self.attempts)?;
        if self.redrive > 0 {
            write!(f, ", redrive {}", self.redrive)?;
        }
        write!(f, ", {}", Shown(self.state.status.as_str(), MAX_NAME))
    }
}

/// The most characters of a name, and of an error, in one line.
const MAX_NAME: usize = 100;
const MAX_ERROR: usize = 200;

impl QueuedLetter {
    /// A letter of a store that is not a stream.
    #[must_use]
    pub const fn new(id: u64, letter: DeadLetter, state: LetterState) -> Self {
        Self {
            id,
            letter,
            state,
            state_sequence: 0,
        }
    }

    /// The letter without its body and headers.
    #[must_use]
    pub fn summary(&self) -> LetterSummary {
        LetterSummary {
            state: self.state.clone(),
            ..LetterSummary::new(self.id, &self.letter)
        }
    }
}

impl fmt::Debug for QueuedLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedLetter")
            .field("id", &self.id)
            .field("letter", &self.letter)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

//! Subjects of dead letters: `dlq.<consumer>.<relative subject>.<id>.<redrive>`, their state and
//! retry, with a short form for subjects that are odd or too long.

use std::fmt;

use event_sdk_core::Subject;
use event_sdk_core::subject::grammar::MAX_SUBJECT_LEN;

use super::area::{Area, consumer_token, fnv, short};
use super::letter::DeadLetter;
use super::place::DeadLetterStream;

/// The tokens that identify a letter, in each area.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct LetterSubject {
    /// Consumer and relative subject.
    front: String,
    /// The event's id, or its sequence.
    id: String,
    /// How often it was redriven.
    redrive: u32,
}

impl LetterSubject {
    /// The tokens of a letter in this stream.
    pub(super) fn of(place: &DeadLetterStream, letter: &DeadLetter) -> Self {
        let id = match letter.event_id {
            Some(id) => id.to_string(),
            None => letter.origin.sequence.to_string(),
        };
        let consumer = consumer_token(&letter.consumer);
        let relative = letter.origin.relative_subject();
        let with = |relative: &str| Self {
            front: format!("{consumer}.{relative}"),
            id: id.clone(),
            redrive: letter.redrive,
        };
        let plain = with(relative);
        if Subject::parse(relative).is_ok() && plain.longest(place) <= MAX_SUBJECT_LEN {
            return plain;
        }
        with(&short(relative.as_bytes()))
    }

    /// Reads the subject of a letter.
    pub(super) fn of_letter(place: &DeadLetterStream, subject: &str) -> Option<Self> {
        let others = Area::ALL_BUT_LETTERS;
        Self::read(place, Area::Letter, subject)
            .filter(|read| !others.iter().any(|area| read.front.starts_with(area)))
    }

    /// Reads the subject of a state.
    pub(super) fn of_state(place: &DeadLetterStream, subject: &str) -> Option<Self> {
        Self::read(place, Area::State, subject)
    }

    fn read(place: &DeadLetterStream, area: Area, subject: &str) -> Option<Self> {
        let tail = place.inner(subject)?;
        let tail = tail.strip_prefix(area.root())?.strip_prefix('.')?;
        let (tail, redrive) = tail.rsplit_once('.')?;
        let (front, id) = tail.rsplit_once('.')?;
        front.contains('.').then_some(())?;
        Some(Self {
            front: front.to_owned(),
            id: id.to_owned(),
            redrive: redrive.parse().ok()?,
        })
    }

    /// Whether the subject is one of this consumer.
    pub(super) fn is_of(&self, consumer: &str) -> bool {
        let rest = self.front.strip_prefix(&consumer_token(consumer));
        rest.is_some_and(|rest| rest.starts_with('.'))
    }

    /// The subject for another message that has the same id, but another body.
    pub(super) fn beside(&self, body: &[u8]) -> Self {
        Self {
            id: format!("{}_{:016x}", self.id, fnv(body)),
            ..self.clone()
        }
    }

    /// The subject of the next redrive.
    pub(super) fn next(&self) -> Option<Self> {
        Some(Self {
            redrive: self.redrive.checked_add(1)?,
            ..self.clone()
        })
    }

    /// The text.
    pub(super) fn text(&self, place: &DeadLetterStream, area: Area) -> String {
        let Self { front, id, redrive } = self;
        place.text(&format!("{}.{front}.{id}.{redrive}", area.root()))
    }

    /// The bytes of its longest form: that of a state, with a hash of the body and the highest
    /// number.
    fn longest(&self, place: &DeadLetterStream) -> usize {
        let number = u32::MAX.to_string().len();
        let root = place.text(Area::State.root()).len();
        root + 1 + self.front.len() + 1 + self.id.len() + 17 + 1 + number
    }
}

impl fmt::Display for LetterSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.front, self.id, self.redrive)
    }
}

//! `CauseGroup`: letters grouped by class, error and event type.

use std::collections::HashMap;

use event_sdk_core::text::Text;
use jiff::Timestamp;

use super::super::class::DeadLetterClass;
use super::summary::LetterSummary;

/// The most ids that a group names.
const NEWEST: usize = 5;

/// The cause of letters: their class, the summary of the outermost error, and the event type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Cause {
    /// The class.
    pub class: DeadLetterClass,
    /// The summary of the outermost error, if there was one.
    pub error: Option<String>,
    /// The type of the event, if its envelope could be read.
    pub event_type: Option<Text>,
}

impl Cause {
    /// The cause of a letter.
    #[must_use]
    pub fn of(letter: &LetterSummary) -> Self {
        Self {
            class: letter.class.clone(),
            error: letter.errors.first().cloned(),
            event_type: letter.event_type.clone(),
        }
    }
}

/// The letters of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CauseGroup {
    /// The cause.
    pub cause: Cause,
    /// How many letters there are.
    pub count: u64,
    /// The earliest first failure of their events.
    pub first_failure: Timestamp,
    /// The latest failure of their events.
    pub last_failure: Timestamp,
    /// The ids of up to five letters, newest first.
    pub newest: Vec<u64>,
}

impl CauseGroup {
    /// Groups letters by cause, the largest group first. `letters` are in order, the oldest first.
    #[must_use]
    pub fn of(letters: impl IntoIterator<Item = LetterSummary>) -> Vec<Self> {
        groups(letters.into_iter())
    }
}

/// Groups letters, oldest first, by cause: the largest group first.
pub(super) fn groups(letters: impl Iterator<Item = LetterSummary>) -> Vec<CauseGroup> {
    let mut places: HashMap<Cause, usize> = HashMap::new();
    let mut groups: Vec<CauseGroup> = Vec::new();
    for letter in letters {
        let cause = Cause::of(&letter);
        let place = *places.entry(cause).or_insert_with_key(|cause| {
            groups.push(CauseGroup {
                cause: cause.clone(),
                count: 0,
                first_failure: letter.first_failure,
                last_failure: letter.last_failure,
                newest: Vec::new(),
            });
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.count += 1;
        group.first_failure = group.first_failure.min(letter.first_failure);
        group.last_failure = group.last_failure.max(letter.last_failure);
        group.newest.insert(0, letter.id);
        group.newest.truncate(NEWEST);
    }
    groups.sort_by(|one, other| {
        let count = other.count.cmp(&one.count);
        count.then_with(|| one.cause.cmp(&other.cause))
    });
    groups
}

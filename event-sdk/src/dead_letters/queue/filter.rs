//! `LetterFilter` and `Page`: select the letters of an operation.

use std::collections::BTreeSet;

use event_sdk_core::text::Text;
use jiff::Timestamp;

use super::super::class::DeadLetterClass;
use super::super::state::LetterStatus;
use super::group::Cause;
use super::summary::LetterSummary;

/// Selects the letters of an operation. A letter has to meet all conditions.
///
/// ```
/// use event_sdk::dead_letters::{DeadLetterClass, LetterFilter};
///
/// let rejected = LetterFilter::open().consumer("billing").class(DeadLetterClass::Rejected);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LetterFilter {
    ids: Option<BTreeSet<u64>>,
    pub(super) consumer: Option<Text>,
    event_type: Option<Text>,
    class: Option<DeadLetterClass>,
    status: Option<LetterStatus>,
    since: Option<Timestamp>,
    before: Option<Timestamp>,
    cause: Option<Cause>,
}

impl LetterFilter {
    /// Open letters: they were not yet redriven, archived or given up.
    #[must_use]
    pub fn open() -> Self {
        Self::all().status(LetterStatus::Open)
    }

    /// All letters, with any status.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only letters with these ids.
    #[must_use]
    pub fn ids(mut self, ids: impl IntoIterator<Item = u64>) -> Self {
        self.ids = Some(ids.into_iter().collect());
        self
    }

    /// Only letters of this consumer.
    #[must_use]
    pub fn consumer(mut self, name: impl Into<Text>) -> Self {
        self.consumer = Some(name.into());
        self
    }

    /// Only events of this type.
    #[must_use]
    pub fn event_type(mut self, event_type: impl Into<Text>) -> Self {
        self.event_type = Some(event_type.into());
        self
    }

    /// Only letters of this class.
    #[must_use]
    pub fn class(mut self, class: DeadLetterClass) -> Self {
        self.class = Some(class);
        self
    }

    /// Only letters with this status.
    #[must_use]
    pub fn status(mut self, status: LetterStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Only events that failed at this time or later.
    #[must_use]
    pub fn failed_since(mut self, time: Timestamp) -> Self {
        self.since = Some(time);
        self
    }

    /// Only events that failed before this time.
    #[must_use]
    pub fn failed_before(mut self, time: Timestamp) -> Self {
        self.before = Some(time);
        self
    }

    /// Only letters of this cause, for example the cause of a
    /// [group](super::DeadLetterQueue::groups).
    #[must_use]
    pub fn cause(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The consumer that the letters must have; `None` for any consumer. For stores with an index
    /// by consumer.
    #[must_use]
    pub fn consumer_name(&self) -> Option<&str> {
        self.consumer.as_deref()
    }

    /// The status that the letters must have; `None` for any status. For stores with an index by
    /// status.
    #[must_use]
    pub const fn wanted_status(&self) -> Option<&LetterStatus> {
        self.status.as_ref()
    }

    /// Whether the letter meets all conditions.
    #[must_use]
    pub fn matches(&self, letter: &LetterSummary) -> bool {
        let Self {
            ids,
            consumer,
            event_type,
            class,
            status,
            since,
            before,
            cause,
        } = self;
        ids.as_ref().is_none_or(|ids| ids.contains(&letter.id))
            && consumer.as_ref().is_none_or(|it| *it == letter.consumer)
            && (event_type.is_none() || *event_type == letter.event_type)
            && class.as_ref().is_none_or(|it| *it == letter.class)
            && status.as_ref().is_none_or(|it| *it == letter.state.status)
            && since.is_none_or(|since| letter.last_failure >= since)
            && before.is_none_or(|before| letter.last_failure < before)
            && cause.as_ref().is_none_or(|it| *it == Cause::of(letter))
    }
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many letters are skipped at the beginning.
    pub offset: usize,
    /// The maximum number of letters.
    pub limit: usize,
}

impl Page {
    /// Everything.
    pub const ALL: Self = Self {
        offset: 0,
        limit: usize::MAX,
    };

    /// At most `limit` letters, after the first `offset`.
    #[must_use]
    pub const fn new(offset: usize, limit: usize) -> Self {
        Self { offset, limit }
    }
}

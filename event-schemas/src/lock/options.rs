//! `Options`: the events that `generate` may replace or retire.

use std::collections::BTreeSet;

/// What may be done that otherwise is a [`Conflict`](super::Conflict).
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(super) replace: BTreeSet<String>,
    pub(super) retire: BTreeSet<String>,
}

impl Options {
    /// Writes another contract over the newest version of the event with this subject,
    /// which nobody has seen yet.
    pub fn replace(mut self, subject: impl Into<String>) -> Self {
        self.replace.insert(subject.into());
        self
    }

    /// Notes that nobody publishes the event with this subject any longer.
    pub fn retire(mut self, subject: impl Into<String>) -> Self {
        self.retire.insert(subject.into());
        self
    }
}

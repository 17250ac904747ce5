//! `Options`: the events that `generate` may replace or retire.

use std::collections::BTreeSet;

/// Changes that are allowed, which would otherwise be a [`Conflict`](super::Conflict).
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(super) replace: BTreeSet<String>,
    pub(super) retire: BTreeSet<String>,
}

impl Options {
    /// Replaces the contract of the newest version of the event with this subject. Use it only for
    /// a version that no other team uses yet.
    pub fn replace(mut self, subject: impl Into<String>) -> Self {
        self.replace.insert(subject.into());
        self
    }

    /// Marks the event with this subject as retired: no service publishes it any more.
    pub fn retire(mut self, subject: impl Into<String>) -> Self {
        self.retire.insert(subject.into());
        self
    }
}

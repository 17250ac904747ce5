//! `ConsumersReport`: how each consumer of a registry ended.

use event_sdk_core::text::Text;
use event_sdk_core::transport::Error;

use super::ConsumerId;
use crate::consumer::ConsumerReport;

/// How the consumers ended. [`Consumers::run_until`](super::Consumers::run_until) returns it.
#[derive(Debug)]
#[must_use = "consumers may have failed"]
pub struct ConsumersReport {
    consumers: Vec<EndedConsumer>,
}

/// A consumer that has ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct EndedConsumer {
    /// Its id.
    pub id: ConsumerId,
    /// Its name. Several consumers may have the same name.
    pub name: Text,
    /// What it did, or why it failed.
    pub outcome: Result<ConsumerReport, Error>,
}

impl EndedConsumer {
    pub(super) fn new(id: ConsumerId, name: Text, outcome: Result<ConsumerReport, Error>) -> Self {
        Self { id, name, outcome }
    }
}

impl ConsumersReport {
    pub(super) fn new(consumers: Vec<EndedConsumer>) -> Self {
        Self { consumers }
    }

    /// The consumers, in the order in which they were added. Removed consumers are left out.
    pub fn iter(&self) -> std::slice::Iter<'_, EndedConsumer> {
        self.consumers.iter()
    }

    /// The reports of the consumers with this name that have not failed.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ConsumerReport> + 'a {
        let named = self.iter().filter(move |ended| ended.name == *name);
        named.filter_map(|ended| ended.outcome.as_ref().ok())
    }

    /// The consumers that failed, with their errors.
    pub fn failures(&self) -> impl Iterator<Item = (&EndedConsumer, &Error)> {
        self.iter()
            .filter_map(|ended| Some((ended, ended.outcome.as_ref().err()?)))
    }

    /// The reports by name, if no consumer has failed.
    ///
    /// # Errors
    ///
    /// The error of the first consumer that failed. [`failures`](Self::failures) has all.
    pub fn into_result(self) -> Result<Vec<(Text, ConsumerReport)>, Error> {
        let ended = self.consumers.into_iter();
        ended
            .map(|ended| Ok((ended.name, ended.outcome?)))
            .collect()
    }
}

impl IntoIterator for ConsumersReport {
    type Item = EndedConsumer;
    type IntoIter = std::vec::IntoIter<EndedConsumer>;

    fn into_iter(self) -> Self::IntoIter {
        self.consumers.into_iter()
    }
}

impl<'a> IntoIterator for &'a ConsumersReport {
    type Item = &'a EndedConsumer;
    type IntoIter = std::slice::Iter<'a, EndedConsumer>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

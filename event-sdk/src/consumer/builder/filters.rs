//! The filters of a consumer: which events it handles.

use event_sdk_core::{EventSet, Readable};

use super::Consumer;
use crate::consumer::{Filter, Takes};

/// Filters.
impl<S: EventSet> Consumer<S> {
    /// Handles only events whose envelope passes `filter`: a [`Filter`], or a closure
    /// `|envelope: &EnvelopeHeader| …`. If this method is called several times, an event has to
    /// pass all filters.
    ///
    /// Other events are acknowledged, and counted as
    /// [`filtered`](super::super::ConsumerReport::filtered). Their data is not decoded, they do not
    /// count for [`concurrency`](Self::concurrency), and they do not wait for other events of their
    /// key.
    ///
    /// Only events of the consumer's set are filtered. Unknown events, and messages that are not
    /// events, are treated as if there were no filter.
    pub fn filter(mut self, filter: impl Into<Filter>) -> Self {
        self.filters.add(filter.into());
        self
    }

    /// Handles an event of the type `E` only if `keep` returns `true` for the decoded event. Events
    /// of other types pass. Otherwise this filter is like [`filter`](Self::filter).
    ///
    /// The filter runs in the task of the consumer, before the event counts for
    /// [`concurrency`](Self::concurrency). The event is decoded for the filter, and decoded again
    /// for the handler. If decoding twice costs too much, use [`filter`](Self::filter), or check
    /// the event in the handler and return `Ok(())`. If `keep` panics, the event is
    /// [rejected](super::super::FailureClass::Reject).
    pub fn filter_event<E, F>(mut self, keep: F) -> Self
    where
        E: Readable,
        F: Fn(&E) -> bool + Takes<S, E> + Send + Sync + 'static,
    {
        self.filters.add_event(keep);
        self
    }
}

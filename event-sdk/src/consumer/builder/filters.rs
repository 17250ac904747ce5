//! The filters of a consumer: which events it handles.

use event_sdk_core::{EventSet, Readable};

use super::Consumer;
use crate::consumer::{Filter, Takes};

/// Filters.
impl<S: EventSet> Consumer<S> {
    /// Handles only events whose envelope passes the [`Filter`], or the closure
    /// `|envelope: &EnvelopeHeader| …`. If `filter` is called several times, an event has to pass
    /// each of the filters.
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

    /// Handles events of the type `E` only if `keep` returns true for them; events of other types
    /// pass. Like [`filter`](Self::filter), with the decoded event.
    ///
    /// The filter runs in the task of the consumer, before the event counts for
    /// [`concurrency`](Self::concurrency). It decodes the event only for itself; for the handler
    /// the event is decoded again. If decoding twice costs too much, use [`filter`](Self::filter),
    /// or return `Ok(())` in the handler. If `keep` panics, the event is
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

//! `Filters`: the filters of a consumer, on envelopes and on decoded events.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use event_sdk_core::event::EventSpec;
use event_sdk_core::set::Payload;
use event_sdk_core::{EventSet, Readable};

use super::Filter;
use crate::consumer::handlers::Set;
use crate::consumer::{Consumer, Member};
use crate::message::Message;
use crate::raw::Untyped;

/// The filters of a consumer; an event has to pass all of them.
#[derive(Default)]
pub(in crate::consumer) struct Filters {
    envelope: Vec<Filter>,
    events: Vec<EventFilter>,
}

struct EventFilter {
    spec: &'static EventSpec,
    /// Whether the message can be read as the event, and is left out.
    leaves_out: Box<dyn Fn(&Message<Untyped>) -> bool + Send + Sync>,
}

/// What the filters say of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::consumer) enum Verdict {
    Passes,
    LeftOut,
    /// A filter panicked.
    Panicked,
}

/// Filters.
impl<S: EventSet> Consumer<S> {
    /// Handles only events whose envelope passes the [`Filter`], or the closure
    /// `|envelope: &EnvelopeHeader| …`. If it is called several times, an event has to pass each of
    /// them.
    ///
    /// The others are acknowledged, and counted as
    /// [`filtered`](super::super::ConsumerReport::filtered). Their data is not decoded, they take
    /// no place of those that run at once, and wait for no key.
    ///
    /// Only events of the consumer's set are filtered: what a newer version of the service may
    /// want, or what is no event at all, goes the way that it goes without a filter.
    pub fn filter(mut self, filter: impl Into<Filter>) -> Self {
        self.filters.envelope.push(filter.into());
        self
    }

    /// Handles events of the type `E` only if `keep` returns true for them; events of other types
    /// pass. Like [`filter`](Self::filter), with the decoded event.
    ///
    /// The filter runs in the task of the consumer, before the event takes a place, and decodes the
    /// event for itself; the handler decodes it again. If that is too much for large events, use
    /// [`filter`](Self::filter), or return `Ok(())` in the handler. A panic of `keep` is a
    /// [reject](super::super::FailureClass::Reject) of the event.
    pub fn filter_event<E, F>(mut self, keep: F) -> Self
    where
        E: Readable + Member<S>,
        F: Fn(&E) -> bool + Send + Sync + 'static,
    {
        self.filters.events.push(EventFilter {
            spec: <E as Payload>::SPEC,
            leaves_out: Box::new(move |message| match message.decode_as::<Arc<E>>() {
                Ok(event) => !keep(&event),
                // The handler finds the same, and the event is rejected or delayed.
                Err(_) => false,
            }),
        });
        self
    }
}

impl Filters {
    /// Whether an event is handled. What is not in the set passes, and so does what cannot be read.
    pub(in crate::consumer) fn verdict(&self, message: &Message<Untyped>, set: &Set) -> Verdict {
        if self.envelope.is_empty() && self.events.is_empty() {
            return Verdict::Passes;
        }
        // A filter is code of the user, and runs in the task of the consumer.
        match catch_unwind(AssertUnwindSafe(|| self.leaves_out(message, set))) {
            Ok(false) => Verdict::Passes,
            Ok(true) => Verdict::LeftOut,
            Err(_) => Verdict::Panicked,
        }
    }

    fn leaves_out(&self, message: &Message<Untyped>, set: &Set) -> bool {
        let (subject, relative) = (message.subject().as_str(), message.relative_subject());
        let is = |spec: &EventSpec| spec.is_subject(subject, relative);
        if !set.takes_other && !set.members.iter().any(|spec| is(spec)) {
            return false;
        }
        let Ok(head) = message.head() else {
            return false;
        };
        self.envelope.iter().any(|filter| !filter.passes(head))
            || (self.events.iter()).any(|filter| is(filter.spec) && (filter.leaves_out)(message))
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events.iter().map(|filter| filter.spec.name());
        f.debug_struct("Filters")
            .field("envelope", &self.envelope)
            .field("events", &events.collect::<Vec<_>>())
            .finish()
    }
}

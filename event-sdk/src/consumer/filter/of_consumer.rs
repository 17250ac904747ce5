//! `Filters`: the filters of a consumer, on envelopes and on decoded events.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use event_sdk_core::Readable;
use event_sdk_core::event::EventSpec;
use event_sdk_core::set::Payload;

use super::Filter;
use crate::consumer::handlers::Set;
use crate::message::Message;
use crate::raw::Untyped;

/// The filters of a consumer; an event has to pass all of them.
#[derive(Default)]
pub(in crate::consumer) struct Filters {
    envelope: Vec<Filter>,
    events: Vec<EventFilter>,
}

type LeavesOut = Box<dyn Fn(&Message<Untyped>) -> bool + Send + Sync>;

struct EventFilter {
    spec: &'static EventSpec,
    /// Whether the message can be read as the event, and is left out.
    leaves_out: LeavesOut,
}

/// What the filters say of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::consumer) enum Verdict {
    Passes,
    LeftOut,
    /// A filter panicked.
    Panicked,
}

impl Filters {
    /// Adds a filter on the envelope.
    pub(in crate::consumer) fn add(&mut self, filter: Filter) {
        self.envelope.push(filter);
    }

    /// Adds a filter on the event `E`.
    pub(in crate::consumer) fn add_event<E: Readable>(
        &mut self,
        keep: impl Fn(&E) -> bool + Send + Sync + 'static,
    ) {
        self.events.push(EventFilter {
            spec: <E as Payload>::SPEC,
            leaves_out: Box::new(move |message| match message.decode_as::<Arc<E>>() {
                Ok(event) => !keep(&event),
                // The handler finds the same, and the event is rejected or delayed.
                Err(_) => false,
            }),
        });
    }

    /// Whether there are no filters.
    pub(in crate::consumer) fn is_empty(&self) -> bool {
        self.envelope.is_empty() && self.events.is_empty()
    }

    /// Whether an event is handled. What is not in the set passes, and so does what cannot be read.
    pub(in crate::consumer) fn verdict(&self, message: &Message<Untyped>, set: &Set) -> Verdict {
        if self.is_empty() {
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

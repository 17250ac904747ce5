//! What the observer of the bus is told, and the counts of the report: the end of each attempt and event.

use super::Engine;
use super::entry::Entry;
use crate::consumer::FailureClass;
use crate::consumer::stop::Stop;
use crate::observer::{AttemptEnd, EventEnd, Observation};

impl Engine {
    /// Counts the end of a held event.
    pub(super) fn count(&mut self, id: usize, end: EventEnd) {
        self.count_unobserved(end);
        let Some(entry) = self.held.get(id) else {
            return;
        };
        self.observe(entry, |consumer, event_type| Observation::Ended {
            consumer,
            event_type,
            end,
        });
    }

    /// Counts the end of an event of a bus without an observer.
    pub(super) fn count_unobserved(&mut self, end: EventEnd) {
        let report = &mut self.report;
        *match end {
            EventEnd::Handled => &mut report.handled,
            EventEnd::DoneBefore => &mut report.done_before,
            EventEnd::Filtered => &mut report.filtered,
            EventEnd::DeadLettered => &mut report.dead_lettered,
            EventEnd::Terminated => &mut report.terminated,
            EventEnd::Parked => &mut report.parked,
            EventEnd::Delayed => &mut report.delayed,
            EventEnd::GivenBack => &mut report.given_back,
        } += 1;
        self.shared.activity.counts(end);
    }

    /// An event was received; one that comes out of the park was received before.
    pub(super) fn observe_received(&self, entry: &Entry) {
        if entry.held.parked().is_none() {
            let redelivered = entry.held.delivery().attempt() > 1;
            self.observe(entry, |consumer, event_type| Observation::Received {
                consumer,
                event_type,
                redelivered,
            });
        }
    }

    /// The time of an attempt begins now.
    pub(super) fn time_attempt(&mut self, id: usize) {
        if self.shared.bus.inner().observer.is_none() {
            return;
        }
        let now = self.clock.monotonic();
        if let Some(entry) = self.held.get_mut(id) {
            entry.runs_for_observer = Some(now);
        }
    }

    /// An attempt has ended, if one was begun.
    pub(super) fn observe_attempt(&mut self, id: usize, end: AttemptEnd) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let Some(since) = entry.runs_for_observer.take() else {
            return;
        };
        let took = self.clock.monotonic().saturating_sub(since);
        let Some(entry) = self.held.get(id) else {
            return;
        };
        let failed_before = entry.failures.count;
        self.observe(entry, |consumer, event_type| Observation::Attempted {
            consumer,
            event_type,
            end,
            failed_before,
            took,
        });
    }

    fn observe<'a>(
        &'a self,
        entry: &Entry,
        observation: impl FnOnce(&'a str, Option<&'static str>) -> Observation<'a>,
    ) {
        let Some(observer) = &self.shared.bus.inner().observer else {
            return;
        };
        let message = entry.held.delivery();
        let (subject, relative) = (message.subject().as_str(), message.relative_subject());
        let mut members = self.set.members.iter();
        let spec = members.find(|spec| spec.is_subject(subject, relative));
        let event_type = spec.map(|spec| spec.event_type());
        observer.observe(&observation(&self.shared.name, event_type));
    }
}

/// How an attempt with this outcome ended.
pub(super) fn end_of(outcome: &Result<(), Stop>) -> AttemptEnd {
    match outcome {
        Ok(()) => AttemptEnd::Succeeded,
        Err(Stop::Unreadable(_)) => AttemptEnd::Unreadable,
        Err(Stop::Failed(failure)) => end_of_class(failure.class()),
    }
}

/// How an attempt that failed in this way ended.
pub(super) fn end_of_class(class: FailureClass) -> AttemptEnd {
    match class {
        FailureClass::Retry => AttemptEnd::Retry,
        FailureClass::Outage => AttemptEnd::Outage,
        FailureClass::Reject => AttemptEnd::Reject,
    }
}

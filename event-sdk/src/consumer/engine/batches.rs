//! What follows the end of a batch: an outcome for each event, or for the whole.

use std::collections::HashSet;
use std::time::Duration;

use super::Engine;
use super::entry::State;
use super::observing::end_of_class;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};

/// How long the events of a batch that failed as a whole wait before each is handled alone.
const ALONE_AFTER: Duration = Duration::from_secs(1);

impl Engine {
    /// Takes the outcome of each event. Later events of a key that failed follow it.
    pub(super) fn batch_ended(
        &mut self,
        first: usize,
        others: Vec<usize>,
        outcomes: Vec<Result<(), Stop>>,
    ) {
        let mut failed = HashSet::new();
        let mut free = HashSet::new();
        let mut decided = Vec::new();
        // All followers wait before an event is settled, which may release its key at once.
        for (id, outcome) in std::iter::once(first).chain(others).zip(outcomes) {
            let place = self.place(id);
            let Some(entry) = self.held.get_mut(id) else {
                continue;
            };
            entry.state = State::Queued;
            if let Some(key) = entry.key.clone() {
                if failed.contains(&key) {
                    // It was not handled in its order: this was no attempt.
                    entry.runs_for_observer = None;
                    entry.starts = entry.starts.saturating_sub(1);
                    self.tell_breaker(id, false);
                    if self.drain_until.is_some() {
                        self.give_back(id, Duration::ZERO);
                    } else {
                        self.keys.wait(&key, place);
                    }
                    continue;
                }
                match &outcome {
                    Err(Stop::Failed(_)) => {
                        entry.blocks_key = true;
                        failed.insert(key);
                    }
                    // What cannot be read did not reach the handler, and holds up nobody.
                    Ok(()) | Err(Stop::Unreadable(_)) if entry.blocks_key => {}
                    Ok(()) | Err(Stop::Unreadable(_)) => {
                        free.insert(key);
                    }
                }
            }
            decided.push((id, outcome));
        }
        for (id, outcome) in decided {
            self.decide(id, outcome);
        }
        for key in free {
            if !failed.contains(&key) {
                self.release(&key);
            }
        }
    }

    /// The batch failed as a whole: each of its events is handled alone.
    pub(super) fn batch_failed(&mut self, first: usize, others: Vec<usize>, failure: &Failure) {
        let outage = failure.class() == FailureClass::Outage;
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            events = others.len() + 1,
            class = %failure.class(),
            "batch failed, its events are handled alone: {failure}"
        );
        if outage {
            self.report.outages += 1;
        }
        let now = self.read_clock();
        let until = now.saturating_add(ALONE_AFTER);
        let mut blocked = HashSet::new();
        for id in std::iter::once(first).chain(others) {
            let place = self.place(id);
            let Some(entry) = self.held.get_mut(id) else {
                continue;
            };
            entry.starts = entry.starts.saturating_sub(1);
            entry.state = State::Queued;
            self.observe_attempt(id, end_of_class(failure.class()));
            let Some(entry) = self.held.get_mut(id) else {
                continue;
            };
            // After an outage nothing is said about the events.
            entry.alone = !outage;
            if self.drain_until.is_some() {
                self.give_back(id, Duration::ZERO);
                continue;
            }
            if let Some(key) = entry.key.clone() {
                if !entry.blocks_key && !blocked.insert(key.clone()) {
                    self.keys.wait(&key, place);
                    self.tell_breaker(id, false);
                    continue;
                }
                entry.blocks_key = true;
            }
            if outage {
                self.claim_outage(id);
            } else {
                entry.state = State::Waiting(until);
                self.tell_breaker(id, false);
            }
        }
        self.wake_by(until);
    }
}

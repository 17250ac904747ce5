//! What follows the end of a batch: an outcome for each event, or for the whole.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::Engine;
use super::entry::State;
use super::observing::end_of_class;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};

/// How long the events of a batch that failed as a whole wait before each is handled alone.
const ALONE_AFTER: Duration = Duration::from_secs(1);

impl Engine {
    /// Takes the outcome of each event: it is done but for these `stops`, by their place in the batch.
    pub(super) fn batch_ended(&mut self, mut batch: Vec<usize>, stops: BTreeMap<usize, Stop>) {
        if stops.is_empty() {
            self.batch_done(&batch);
        } else {
            self.batch_done_but(&batch, stops);
        }
        batch.clear();
        self.spare = batch;
    }

    /// All events of a batch are done.
    fn batch_done(&mut self, batch: &[usize]) {
        let mut free = HashSet::new();
        for id in batch {
            if let Some(entry) = self.held.get_mut(*id) {
                entry.state = State::Queued;
                // Another event of the batch blocks the key for it.
                if let (Some(key), false) = (&entry.key, entry.blocks_key) {
                    free.insert(key.clone());
                }
            }
        }
        for id in batch {
            self.decide(*id, Ok(()));
        }
        for key in free {
            self.release(&key);
        }
    }

    /// All events of a batch are done but some. Later events of a key that failed follow it.
    fn batch_done_but(&mut self, batch: &[usize], mut stops: BTreeMap<usize, Stop>) {
        let mut failed = HashSet::new();
        let mut free = HashSet::new();
        let mut decided = Vec::new();
        // All followers wait before an event is settled, which may release its key at once.
        for (place, &id) in batch.iter().enumerate() {
            let outcome = stops.remove(&place).map_or(Ok(()), Err);
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
    pub(super) fn batch_failed(&mut self, batch: &[usize], failure: &Failure) {
        let outage = failure.class() == FailureClass::Outage;
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            events = batch.len(),
            class = %failure.class(),
            "batch failed, its events are handled alone: {failure}"
        );
        if outage {
            self.report.outages += 1;
        }
        let now = self.read_clock();
        let until = now.saturating_add(ALONE_AFTER);
        let mut blocked = HashSet::new();
        for &id in batch {
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

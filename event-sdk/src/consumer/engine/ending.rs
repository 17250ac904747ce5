//! The end of a consumer: it stops receiving, gives back what has not started, waits for the
//! handlers that run, and gives back the rest when the time is over.

use std::time::Duration;

use event_sdk_core::transport::Settlement;

use super::Engine;
use super::entry::State;
use crate::consumer::report::Unfinished;
use crate::observer::EventEnd;

impl Engine {
    /// Stops receiving. Handlers that run have the drain time to finish.
    pub(super) fn begin_drain(&mut self) {
        if self.drain_until.is_some() {
            return;
        }
        self.shared.end();
        let now = self.read_clock();
        let until = now.saturating_add(self.options.drain_within);
        self.drain_until = Some(until);
        self.wake_by(until);
        // It gives back what it has prefetched.
        self.sources = None;
        // Nothing starts any more, and no place in a limit that others share stays taken.
        self.layered = None;
        self.ready.clear();
        self.ready_since = None;
        self.keys.clear();
        self.parking.end();
        self.recorder.gate.suspect_nobody();
        let idle = self.held.iter().filter(|(_, entry)| {
            matches!(
                entry.state,
                State::Queued | State::AtBreaker | State::Suspect | State::Waiting(_)
            )
        });
        let mut idle: Vec<_> = idle
            .map(|(id, entry)| (entry.held.delivery().sequence(), id))
            .collect();
        idle.sort_unstable();
        for (_, id) in idle {
            self.give_back(id, Duration::ZERO);
        }
        // The breaker may have asked for others when those left it.
        self.circuit.forget_probes();
    }

    /// Gives back what still runs, and names it.
    pub(super) fn end_drain(&mut self) {
        if std::mem::replace(&mut self.drain_over, true) {
            return;
        }
        let now = self.now;
        let running: Vec<_> = self
            .held
            .iter()
            .filter(|(_, entry)| {
                matches!(
                    entry.state,
                    State::Running(_) | State::InBatch | State::Recording
                )
            })
            .map(|(id, _)| id)
            .collect();
        for id in running {
            if let Some(entry) = self.held.get(id) {
                let delivery = entry.held.delivery();
                let unfinished = Unfinished {
                    subject: delivery.subject().clone(),
                    stream: delivery.info().stream.clone(),
                    sequence: delivery.sequence(),
                    attempt: entry.starts,
                    held_for: now.saturating_sub(entry.since),
                };
                tracing::error!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.shared.name,
                    "{unfinished}"
                );
                self.report.unfinished.push(unfinished);
            }
            self.abandon(id);
            // A handler that does not end is left behind; its event goes to another instance.
            self.give_back(id, Duration::ZERO);
        }
        // Settlements that the transport does not take are given a second more.
        self.wake_by(now.saturating_add(LAST_SETTLEMENTS));
    }

    /// Gives an event back to the stream, to be delivered again after `delay`.
    pub(super) fn give_back(&mut self, id: usize, delay: Duration) {
        self.count(id, EventEnd::GivenBack);
        self.settle(id, Settlement::Nak(delay));
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&mut self) -> bool {
        let Some(until) = self.drain_until else {
            return false;
        };
        if self.drain_over && self.now >= until.saturating_add(LAST_SETTLEMENTS) {
            return true;
        }
        let leaving = self.ownership.as_ref().map_or(0, |owned| owned.leaving);
        let idle =
            self.held.is_empty() && leaving == 0 && self.running() == 0 && self.recorder.is_idle();
        if !idle || self.acks_are_on_their_way() {
            return false;
        }
        self.give_back_done();
        // Their naks may have to wait for room on the connection.
        !self.options.ack_all || self.settling.is_empty()
    }
}

/// How long the last settlements may take after the drain time.
pub(super) const LAST_SETTLEMENTS: Duration = Duration::from_secs(1);

//! The deadlines of an engine: retries that are due, handlers whose time is over, and the keep-alive
//! of held events, all found by one scan when the earliest is due.

use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::transport::{Error, ErrorKind, Settlement};

use super::Engine;
use super::ending::LAST_SETTLEMENTS;
use super::entry::State;

/// How long a handler may run before later events of its key take no more than a quarter of the
/// places.
const SLOW: Duration = Duration::from_secs(1);

impl Engine {
    /// Waits for the next deadline; ready if something was due.
    pub(super) fn poll_deadlines(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = self.read_clock();
        self.limit_running(now);
        if !self.has_room() {
            self.unreceived_since.get_or_insert(now);
            if self.drain_until.is_none() && self.bus_ends.as_mut().poll(cx).is_ready() {
                self.begin_drain();
                return Poll::Ready(());
            }
        }
        if self.next_deadline <= now {
            self.scan(now);
            return Poll::Ready(());
        }
        if self.next_deadline == Duration::MAX {
            return Poll::Pending;
        }
        // A timer that is armed too early only scans once more.
        let armed = (self.timer.as_ref()).is_some_and(|(until, _)| *until <= self.next_deadline);
        if !armed {
            let until = self.next_deadline;
            self.timer = Some((until, self.clock.sleep_until(until)));
        }
        if let Some((_, timer)) = &mut self.timer
            && timer.as_mut().poll(cx).is_ready()
        {
            self.timer = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Makes the engine look at its deadlines at this time.
    pub(super) fn wake_by(&mut self, deadline: Duration) {
        self.next_deadline = self.next_deadline.min(deadline);
    }

    /// Sets the time limit of handlers that were started since. It counts from the first time that
    /// the engine had nothing else to do, so that handlers without an await cost no reading of the
    /// clock.
    pub(super) fn limit_running(&mut self, now: Duration) {
        if self.unlimited.is_empty() {
            return;
        }
        if self.options.ordered {
            self.time_keys(now);
        }
        let Some(limit) = self.options.handler_timeout else {
            self.unlimited.clear();
            return;
        };
        let deadline = now.saturating_add(limit);
        for id in std::mem::take(&mut self.unlimited) {
            if let Some(State::Running(running)) =
                self.held.get_mut(id).map(|entry| &mut entry.state)
            {
                running.deadline.get_or_insert(deadline);
            }
        }
        self.wake_by(deadline);
    }

    /// Does what is due, and finds the next deadline.
    fn scan(&mut self, now: Duration) {
        let mut next = Duration::MAX;
        let (mut due, mut over, mut stale) = (Vec::new(), Vec::new(), Vec::new());
        let mut slow = Vec::new();
        for (id, entry) in &mut self.held {
            match entry.runs_since.map(|since| since.saturating_add(SLOW)) {
                Some(until) if until <= now => {
                    entry.runs_since = None;
                    slow.push(id);
                }
                Some(until) => next = next.min(until),
                None => {}
            }
            match &mut entry.state {
                State::Settling => continue,
                State::Waiting(until) if *until <= now => due.push(id),
                State::Waiting(until) => next = next.min(*until),
                State::Running(running) if !running.timed_out => match running.deadline {
                    Some(deadline) if deadline <= now => over.push(id),
                    Some(deadline) => next = next.min(deadline),
                    None => {}
                },
                State::Running(_)
                | State::InBatch
                | State::Recording
                | State::Suspect
                | State::AtBreaker
                | State::WritingLetter
                | State::Queued => {}
            }
            let alive_until = entry.alive_at.saturating_add(self.keep_alive);
            if alive_until > now {
                next = next.min(alive_until);
            } else if entry.since.saturating_add(self.options.keep_alive_for) > now {
                entry.alive_at = now;
                next = next.min(now.saturating_add(self.keep_alive));
                stale.push(id);
            }
        }
        self.next_deadline = next.min(self.keep_done_alive(now));
        if let Some(until) = self.batch_deadline(now) {
            self.wake_by(until);
        }
        if let Some(until) = self.drain_until {
            if until <= now {
                self.end_drain();
                self.wake_by(until.saturating_add(LAST_SETTLEMENTS));
            } else {
                self.wake_by(until);
            }
        }
        self.advance_breaker(now);
        self.end_long_waits(now);
        self.end_pauses(now);
        self.look_for_requests(now);
        for id in stale {
            self.keep_alive(id);
        }
        for id in due {
            let Some(entry) = self.held.get_mut(id) else {
                continue;
            };
            if entry.letter.is_some() {
                self.write_letter(id);
            } else {
                entry.state = State::Queued;
                self.ready.push_back(id);
            }
        }
        for id in over {
            self.time_out(id);
        }
        for id in slow {
            self.hold_key(id);
        }
    }

    /// Handlers that run for long hold up their keys as failed ones do.
    fn time_keys(&mut self, now: Duration) {
        for id in &self.unlimited {
            if let Some(entry) = self.held.get_mut(*id)
                && entry.blocks_key
            {
                entry.runs_since = Some(now);
            }
        }
        self.wake_by(now.saturating_add(SLOW));
    }

    /// Restarts the ack wait of an event. If this fails, the event is delivered again.
    fn keep_alive(&mut self, id: usize) {
        let Some(entry) = self.held.get(id) else {
            return;
        };
        // It may have been given back since it was found.
        if matches!(entry.state, State::Settling) {
            return;
        }
        let Some(settler) = entry.held.delivery().settler() else {
            return;
        };
        match settler.settle(Settlement::InProgress).try_into_ready() {
            Ok(answer) => self.kept_alive(&answer),
            Err(answer) => self.settling.push_in_progress(answer),
        }
    }

    /// A closed bus is noticed here if nothing is received, for example during an outage.
    pub(super) fn kept_alive(&mut self, answer: &Result<(), Error>) {
        if answer
            .as_ref()
            .is_err_and(|error| *error.kind() == ErrorKind::Closed)
        {
            self.begin_drain();
        }
    }
}

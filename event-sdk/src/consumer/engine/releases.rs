//! Requests to go on with dead keys: the engine of the owner reads and answers them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::transport::Error;

use super::Engine;
use super::keys::Key;
use super::parking::{FromPark, Line};
use super::unparked::pause_after;
use crate::dead_letters::{DeadKey, ParkedEvent, ReleaseOutcome, ReleaseRequest, Requests};

/// How often requests are read while a key is dead.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Engine {
    /// Takes over what is in the park; nothing of it starts before the gates have opened.
    pub(in crate::consumer) fn take_over_park(
        &mut self,
        events: HashMap<DeadKey, Vec<ParkedEvent>>,
        requests: Requests,
    ) {
        self.parking.waits_for_gates = true;
        self.parking.requests_up_to = requests.last;
        let requests = requests.requests.into_iter();
        let mut requests: HashMap<_, _> = requests.map(|it| (it.key.clone(), it)).collect();
        for (key, events) in events {
            let request = requests.remove(&key);
            let dead = events.first().filter(|first| {
                let covered = request.as_ref().is_some_and(|it| it.covers(first));
                first.failed && !covered
            });
            let dead = dead.map(|first| first.position);
            let mut line = Line::left(events, request);
            if let (Some(_), Some(request)) = (dead, line.request.take_if(|_| dead.is_some())) {
                self.answer(Some(request), ReleaseOutcome::FailedAgain);
            }
            line.dead = dead;
            self.parking.lines.insert(Key::of_dead(&key), line);
        }
        // Nothing is left of these keys.
        for request in requests.into_values() {
            self.answer(Some(request), ReleaseOutcome::Alive);
        }
        self.look_by(self.now);
    }

    /// Looks for requests at this time, if a key waits for one.
    pub(super) fn look_by(&mut self, at: Duration) {
        self.parking.look_at = self.parking.look_at.max(at);
        self.wake_by(self.parking.look_at);
    }

    /// Reads requests, if it is time.
    pub(super) fn look_for_requests(&mut self, now: Duration) {
        if self.drain_until.is_some() || self.parking.lines.is_empty() {
            return;
        }
        if now < self.parking.look_at {
            return self.wake_by(self.parking.look_at);
        }
        let Some(park) = self.parking.park().map(Arc::clone) else {
            return;
        };
        let after = self.parking.requests_up_to;
        self.parking.look_at = Duration::MAX;
        self.parking.pending.push(Box::pin(async move {
            FromPark::Requests(park.requests_after(after).await)
        }));
        // Polled at once, so that it wakes this task.
        self.wake_by(now);
    }

    pub(super) fn requests_read(&mut self, requests: Result<Requests, Error>) {
        let now = self.read_clock();
        self.parking.look_at = now.saturating_add(LOOK_AGAIN);
        self.wake_by(self.parking.look_at);
        let requests = match requests {
            Ok(requests) => requests,
            Err(error) => {
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.shared.name,
                    "requests for dead keys are read again in {LOOK_AGAIN:?}: {error}"
                );
                return;
            }
        };
        self.parking.requests_up_to = requests.last;
        for request in requests.requests {
            let key = Key::of_dead(&request.key);
            let Some(line) = self.parking.lines.get_mut(&key) else {
                self.answer(Some(request), ReleaseOutcome::Alive);
                continue;
            };
            // The operator may have given up or edited events.
            line.forget_events();
            line.request = Some(request);
            if line.dead.take().is_some() {
                self.advance(&key);
            }
        }
    }

    /// Answers a request, again and again until that is done.
    pub(super) fn answer(&mut self, request: Option<ReleaseRequest>, outcome: ReleaseOutcome) {
        let (Some(request), Some(park)) = (request, self.parking.park().map(Arc::clone)) else {
            return;
        };
        let clock = Arc::clone(&self.clock);
        let consumer = self.shared.name.clone();
        self.parking.pending.push(Box::pin(async move {
            for failures in 0.. {
                let Err(error) = park.answer(&request, outcome).await else {
                    break;
                };
                let pause = pause_after(failures);
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    consumer = %consumer,
                    "a request for a dead key is answered again in {pause:?}: {error}"
                );
                let until = clock.monotonic().saturating_add(pause);
                clock.sleep_until(until).await;
            }
            FromPark::Answered
        }));
        self.wake_by(self.now);
    }
}

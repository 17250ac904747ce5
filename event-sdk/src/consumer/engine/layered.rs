//! Attempts through layers: an event waits in its place until the layers are ready for it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};
use std::time::Duration;

use tower_service::Service as _;

use super::Engine;
use super::entry::State;
use super::start::{LayersAlone, May};
use super::suspects::WAIT_ALONE;
use crate::consumer::layer::AttemptService;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};

/// The layers around handlers.
pub(super) struct Layered {
    service: AttemptService,
    /// A service that was never polled. Its clones hold no place in a limit.
    pristine: AttemptService,
    /// Whether `service` may hold a place in a limit, or wait for one.
    polled: bool,
    /// The events that are to be handled next. One that runs alone in the process is the first.
    next: VecDeque<Next>,
}

/// An event that waits for the layers.
struct Next {
    id: usize,
    arrival: u64,
    /// Held if it runs alone in the process.
    alone: Option<LayersAlone>,
    /// When one that runs alone gives up the wait for a while.
    until: Duration,
}

impl Layered {
    pub(super) fn new(service: AttemptService) -> Self {
        Self {
            pristine: service.clone(),
            service,
            polled: false,
            next: VecDeque::new(),
        }
    }

    /// Gives back what the layers hold for the next event, such as a place in a limit that other
    /// consumers share.
    fn leave(&mut self) {
        if std::mem::take(&mut self.polled) {
            self.service = self.pristine.clone();
        }
    }

    /// Takes the service that is ready, with the places that it holds.
    fn take_ready(&mut self) -> AttemptService {
        self.polled = false;
        std::mem::replace(&mut self.service, self.pristine.clone())
    }

    /// Gives up the wait of the first event.
    fn drop_next(&mut self) -> Option<Next> {
        self.leave();
        self.next.pop_front()
    }
}

impl Engine {
    /// How many events wait for the layers.
    pub(super) fn at_layers(&self) -> usize {
        self.layered
            .as_ref()
            .map_or(0, |layered| layered.next.len())
    }

    /// Whether the event that waits for the layers runs alone in the process.
    pub(super) fn runs_alone_next(&self) -> bool {
        let next = self
            .layered
            .as_ref()
            .and_then(|layered| layered.next.front());
        next.is_some_and(|next| next.alone.is_some())
    }

    /// No event may start beside others now: the layers keep no place for the one that waits. Another
    /// consumer, whose event runs alone, may need it.
    pub(super) fn leave_layers(&mut self) {
        if let Some(layered) = &mut self.layered {
            layered.leave();
        }
    }

    /// Whether handlers run within layers.
    pub(super) fn has_layers(&self) -> bool {
        self.layered.is_some()
    }

    /// Lets an event that may start wait for the layers. Nothing is recorded of it meanwhile: it has
    /// not started. Returns whether it waits.
    pub(super) fn wait_for_layers(&mut self, id: usize, alone: Option<LayersAlone>) -> bool {
        let (Some(layered), Some(entry)) = (&mut self.layered, self.held.get_mut(id)) else {
            return false;
        };
        // A probe comes from the breaker, and a suspect from the gate of the process.
        entry.state = State::Queued;
        let arrival = entry.arrival;
        let until = self.now.saturating_add(WAIT_ALONE);
        let first = alone.is_some();
        let next = Next {
            id,
            arrival,
            alone,
            until,
        };
        if first {
            layered.next.push_front(next);
            self.wake_by(until);
        } else {
            layered.next.push_back(next);
        }
        true
    }

    /// Takes the event that runs alone out of the wait for the layers, if it has waited long in vain.
    /// Others go on with that.
    pub(super) fn end_wait_for_layers(&mut self, now: Duration) -> Option<usize> {
        if !self.runs_alone_next() {
            return None;
        }
        let layered = self.layered.as_mut()?;
        let until = layered.next.front()?.until;
        if until > now {
            self.wake_by(until);
            return None;
        }
        let next = layered.drop_next()?;
        let entry = self.held.get(next.id)?;
        let waits = matches!(entry.state, State::Queued) && entry.arrival == next.arrival;
        waits.then_some(next.id)
    }

    /// Starts the event that waits, when the layers are ready.
    pub(super) fn poll_layers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let front = self.layered.as_ref().and_then(|it| it.next.front());
        let Some((id, arrival)) = front.map(|next| (next.id, next.arrival)) else {
            return Poll::Ready(());
        };
        let is_recorded_first = self.is_recorded_first(id);
        let Some(layered) = &mut self.layered else {
            return Poll::Ready(());
        };
        let entry = self.held.get_mut(id).filter(|entry| {
            let waits = matches!(entry.state, State::Queued);
            waits && entry.arrival == arrival && self.drain_until.is_none()
        });
        let handler = entry
            .as_ref()
            .and_then(|entry| self.handlers.get(entry.chosen?));
        let (Some(entry), Some(handler)) = (entry, handler) else {
            // It was given back.
            layered.drop_next();
            return Poll::Ready(());
        };
        layered.polled = true;
        let service = &mut layered.service;
        let ready = match catch_unwind(AssertUnwindSafe(|| service.poll_ready(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(ready)) => ready.map_err(|error| {
                Failure::of_layer(FailureClass::Outage, "a layer is not ready", error)
            }),
            Err(_) => Err(Failure::of_consumer(
                FailureClass::Outage,
                "a layer panicked",
            )),
        };
        if let Err(failure) = ready {
            // An outage is not counted as an attempt.
            entry.count_start();
            layered.drop_next();
            self.decide(id, Err(Stop::Failed(failure)));
            return Poll::Ready(());
        }
        let alone = layered.next.pop_front().and_then(|next| next.alone);
        if alone.is_none() && !is_recorded_first {
            // The call takes the place that the service holds.
            layered.polled = false;
            entry.count_start();
            let (service, held, starts) = (&mut layered.service, &entry.held, entry.starts);
            let running = (self.attempts).start_layered(id, held, handler, starts, service);
            entry.state = State::Running(running);
            self.unlimited.push(id);
            return Poll::Ready(());
        }
        let layers = Some(layered.take_ready());
        match alone {
            None => {
                let alone = None;
                self.begin(id, May { alone, layers });
            }
            Some(LayersAlone { alone, recorded }) => {
                let alone = Some(alone);
                self.start_alone(id, recorded, May { alone, layers });
            }
        }
        Poll::Ready(())
    }
}

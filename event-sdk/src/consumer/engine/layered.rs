//! Attempts through layers: an event waits in its place until the layers are ready for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use tower_service::Service as _;

use super::Engine;
use super::entry::State;
use crate::consumer::layer::AttemptService;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};
use crate::process_gate::Alone;

/// The layers around handlers.
pub(super) struct Layered {
    service: AttemptService,
    /// The event that is to be handled next.
    next: Option<Next>,
}

/// An event that waits for the layers.
struct Next {
    id: usize,
    arrival: u64,
    /// Held if it runs alone in the process.
    alone: Option<Alone>,
}

impl Layered {
    pub(super) fn new(service: AttemptService) -> Self {
        Self {
            service,
            next: None,
        }
    }
}

impl Engine {
    /// How many events wait for the layers.
    pub(super) fn at_layers(&self) -> usize {
        let layered = self.layered.as_ref();
        usize::from(layered.is_some_and(|layered| layered.next.is_some()))
    }

    /// Whether the event that waits for the layers runs alone in the process.
    pub(super) fn runs_alone_next(&self) -> bool {
        let next = self
            .layered
            .as_ref()
            .and_then(|layered| layered.next.as_ref());
        next.is_some_and(|next| next.alone.is_some())
    }

    /// Lets an event that may start wait for the layers; without layers, returns `alone`.
    pub(super) fn wait_for_layers(
        &mut self,
        id: usize,
        alone: Option<Alone>,
    ) -> Result<(), Option<Alone>> {
        let (Some(layered), Some(entry)) = (&mut self.layered, self.held.get_mut(id)) else {
            return Err(alone);
        };
        // A probe comes from the breaker, and another event from being recorded.
        entry.state = State::Queued;
        let arrival = entry.arrival;
        let displaced = layered.next.replace(Next { id, arrival, alone });
        if let Some(other) = displaced.filter(|other| other.id != id)
            && let Some(entry) = self.held.get(other.id)
            && entry.arrival == other.arrival
            && matches!(entry.state, State::Queued)
        {
            self.ready.push_front(other.id);
        }
        Ok(())
    }

    /// Starts the event that waits, when the layers are ready.
    pub(super) fn poll_layers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let next = self
            .layered
            .as_ref()
            .and_then(|layered| layered.next.as_ref());
        let Some((id, arrival)) = next.map(|next| (next.id, next.arrival)) else {
            return Poll::Ready(());
        };
        let recorded_first = self.is_recorded_first(id);
        let Some(layered) = &mut self.layered else {
            return Poll::Ready(());
        };
        let entry = self.held.get_mut(id).filter(|entry| {
            let waits = matches!(entry.state, State::Queued | State::Recording);
            waits && entry.arrival == arrival && self.drain_until.is_none()
        });
        if (entry.as_ref()).is_some_and(|entry| matches!(entry.state, State::Recording)) {
            return Poll::Pending;
        }
        let handler = entry
            .as_ref()
            .and_then(|entry| self.handlers.of(entry.held.delivery(), &self.set));
        let (Some(entry), Some(handler)) = (entry, handler) else {
            // It was given back.
            layered.next = None;
            return Poll::Ready(());
        };
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
        if ready.is_ok() && recorded_first {
            // It keeps its place, and the layers stay ready for it.
            self.begin(id, None);
            return Poll::Ready(());
        }
        let alone = layered.next.take().and_then(|next| next.alone);
        entry.count_start();
        match ready {
            Ok(()) => {
                let (held, starts) = (&entry.held, entry.starts);
                let mut running = (self.attempts).start_layered(id, held, handler, starts, service);
                running.alone = alone;
                entry.state = State::Running(running);
                self.unlimited.push(id);
            }
            // An outage is not counted as an attempt.
            Err(failure) => self.decide(id, Err(Stop::Failed(failure))),
        }
        Poll::Ready(())
    }
}

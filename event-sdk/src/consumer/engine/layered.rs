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
    /// Held if no other handler may run in the process.
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
    pub(super) fn is_alone_at_layers(&self) -> bool {
        let next = (self.layered.as_ref()).and_then(|layered| layered.next.as_ref());
        next.is_some_and(|next| next.alone.is_some())
    }

    /// Lets an event that may start wait for the layers.
    ///
    /// # Errors
    ///
    /// Returns `alone` if there are no layers.
    pub(super) fn wait_for_layers(
        &mut self,
        id: usize,
        alone: Option<Alone>,
    ) -> Result<(), Option<Alone>> {
        let (Some(layered), Some(entry)) = (&mut self.layered, self.held.get_mut(id)) else {
            return Err(alone);
        };
        layered.next = Some(Next {
            id,
            arrival: entry.arrival,
            alone,
        });
        // A probe comes from the breaker.
        entry.state = State::Queued;
        Ok(())
    }

    /// Starts the event that waits, when the layers are ready.
    pub(super) fn poll_layers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(layered) = &mut self.layered else {
            return Poll::Ready(());
        };
        let Some(&Next { id, arrival, .. }) = layered.next.as_ref() else {
            return Poll::Ready(());
        };
        let entry = self.held.get_mut(id).filter(|entry| {
            let waits = matches!(entry.state, State::Queued);
            waits && entry.arrival == arrival && self.drain_until.is_none()
        });
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

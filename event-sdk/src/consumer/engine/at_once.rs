//! Events that are handled at once. A consumer that runs one handler at a time starts the handler as
//! soon as the event is received. Only if the handler waits or fails, or the acknowledgement takes
//! time, is the event held like others. Where one acknowledgement settles many events, the event waits
//! for it unheld.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use event_sdk_core::transport::Settlement;

use super::Engine;
use super::attempt::{Ended, HandlerAttempt};
use super::attempts::Running;
use super::entry::State;
use super::receiving::Received;
use crate::consumer::Ctx;
use crate::consumer::handlers::Chosen;
use crate::consumer::held::Held;
use crate::raw::Untyped;
use crate::subscribe::{Delivery, End};

impl Engine {
    /// The handler of a received event, if the handler may start at once. The engine has room for the
    /// event, so a consumer of one handler at a time has no other one that runs or is ready.
    pub(super) fn chosen_at_once(
        &mut self,
        delivery: &Delivery<Untyped>,
        cx: &mut Context<'_>,
    ) -> Option<Chosen> {
        let one_by_one = self.options.concurrency == 1
            && !self.options.ordered
            && self.handlers.batch().is_none();
        let is_plain = self.layered.is_none()
            && self.breaker_by.is_none()
            && self.filters.is_empty()
            && self.shared.bus.inner().observer.is_none();
        // Neither the breaker nor the records have to be asked, and it runs beside others.
        let may = one_by_one
            && is_plain
            && delivery.attempt() == 1
            && self.circuit.is_idle()
            && self.recorder.gate.suspects_nobody()
            && self.would_pass_gate(delivery.info())
            && self.may_start()
            && self.may_run_beside(cx);
        if may {
            self.handlers.choose(delivery, &self.set)
        } else {
            None
        }
    }

    /// Starts the handler of an event that is not held.
    pub(super) fn handle_at_once(
        &mut self,
        delivery: Delivery<Untyped>,
        chosen: Chosen,
        cx: &mut Context<'_>,
    ) -> Received {
        let Some(handler) = self.handlers.get(chosen) else {
            self.receive(delivery, None);
            return Received::Item;
        };
        let held = Arc::new(Held::new(delivery, None, Arc::clone(&self.shared)));
        let ctx = Ctx::new(Arc::clone(&held), 1);
        // The fence was asked just now, so only later polls have to ask it.
        let (mut attempt, blocking) = (HandlerAttempt::new(handler, ctx, None), handler.blocking);
        self.passes_gate_unheld(held.delivery().info());
        let polled = Pin::new(&mut attempt).poll(cx);
        if let Poll::Ready(Ended::Returned(Ok(()))) = polled {
            drop(attempt);
            return self.handled_at_once(held);
        }
        attempt.guard(self.guard());
        let id = self.keep(held, None);
        self.passes_breaker(id);
        let running = match &polled {
            Poll::Pending => self.attempts.go_on(id, attempt, blocking),
            Poll::Ready(_) => Running::ended(blocking),
        };
        if let Some(entry) = self.held.get_mut(id) {
            entry.chosen = Some(chosen);
            entry.count_start();
            entry.state = State::Running(running);
        }
        match polled {
            Poll::Pending => self.unlimited.push(id),
            Poll::Ready(ended) => self.ended(id, ended),
        }
        Received::Item
    }

    /// Acknowledges an event that was handled and is not held.
    fn handled_at_once(&mut self, held: Arc<Held>) -> Received {
        self.count_unobserved(held.success());
        let Some(held) = self.wait_for_earlier_unheld(held) else {
            return Received::OneOfSeveral;
        };
        let Some(settler) = held.delivery().settler() else {
            return Received::OneOfSeveral;
        };
        self.tell_gate_unheld(held.delivery().info());
        let end = Some(End::Acked);
        match settler.settle(Settlement::Ack).try_into_ready() {
            Ok(Ok(())) => {
                held.delivery().settled(end);
                Received::OneOfSeveral
            }
            answer => {
                let id = self.keep(held, None);
                if let Some(entry) = self.held.get_mut(id) {
                    entry.state = State::Settling;
                }
                match answer {
                    Ok(answer) => self.settled(id, end, answer),
                    Err(answer) => self.settling.push(id, end, answer),
                }
                Received::Item
            }
        }
    }
}

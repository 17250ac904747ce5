//! The end of attempts: handlers that return, exceed their time limit, or are abandoned.

use std::task::{Context, Poll};

use super::Engine;
use super::attempt::Ended;
use super::entry::State;

impl Engine {
    /// Takes the outcome of handlers that have ended.
    pub(super) fn poll_attempts(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while self.attempts.running() > 0 {
            match self.attempts.poll_ended(cx) {
                Poll::Ready((id, ended)) => {
                    self.ended(id, ended);
                    moved = true;
                }
                Poll::Pending => break,
            }
        }
        moved
    }

    /// Ends a handler whose time is over. One that blocks its thread runs on, and its event is held
    /// until it returns. If it ran alone in the process, others run beside it then.
    pub(super) fn time_out(&mut self, id: usize) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let State::Running(running) = &mut entry.state else {
            return;
        };
        running.timed_out = true;
        let blocking = running.blocking;
        let has_ended = self.attempts.cancel(running);
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            subject = %entry.held.delivery().subject(),
            sequence = entry.held.delivery().sequence(),
            blocking,
            "handler exceeded its time limit"
        );
        if has_ended {
            self.ended(id, Ended::Cancelled);
        } else {
            self.runs_beside(id);
        }
    }

    /// Lets other handlers of the process run beside one that has run alone for long.
    pub(super) fn end_running_alone(&mut self) {
        let mut over = Vec::new();
        for (id, entry) in &self.held {
            let State::Running(running) = &entry.state else {
                continue;
            };
            if running.alone.is_none() {
                continue;
            }
            over.push(id);
            let delivery = entry.held.delivery();
            tracing::error!(
                target: crate::TRACING_TARGET,
                consumer = %self.shared.name,
                subject = %delivery.subject(),
                sequence = delivery.sequence(),
                "a handler that runs alone in the process does not end, and has no time limit: \
                 others run beside it from now on; set handler_timeout"
            );
        }
        for id in over {
            self.runs_beside(id);
        }
    }

    /// Cancels a handler whose end is of no interest any more.
    pub(super) fn abandon(&mut self, id: usize) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        if let State::Running(running) = &entry.state {
            self.attempts.cancel(running);
            entry.state = State::Queued;
        }
    }
}

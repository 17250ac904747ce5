//! Reactions of the send queue to connection events: reconnect, permission denied, drain, end.

use super::SendQueue;
use super::state::Queued;
use crate::connection::{ConnectionListener, Denial};
use crate::pending_replies::{NoReply, PendingReply};

impl ConnectionListener for SendQueue {
    /// There is a connection again: what was sent over the one before and has an id is sent again.
    fn connected(&self) {
        let mut state = self.lock();
        let lost = state.pending_replies.lost(state.connection);
        if !lost.is_empty() {
            let publishes = lost.len();
            tracing::info!(target: crate::TRACING_TARGET, publishes, "sent again after reconnecting: what was not confirmed before");
        }
        state.lost = lost.into();
        state.wake_pump();
    }

    /// The connection was lost: what was sent over it takes no more room. It is
    /// awaited all the same, for the answer may come over the next one.
    fn disconnected(&self) {
        let mut state = self.lock();
        state.connection = state.connection.wrapping_add(1);
        state.in_flight = 0;
        state.lost.clear();
        state.wake_pump();
    }

    /// The server does not allow something: whoever waits for it has no answer.
    fn denied(&self, denial: &Denial) {
        let mut state = self.lock();
        let (waiting, why) = match denial {
            Denial::Publish(subject) => {
                let asked = |wait: &PendingReply| wait.subject.as_str() == subject;
                (state.pending_replies.waiting(asked), NoReply::Denied)
            }
            // No answer can come, now or later, over this connection.
            Denial::Subscribe(subject) if subject.strip_suffix('*') == Some(&self.inbox) => {
                state.inbox_denied = Some(state.connection);
                (state.pending_replies.waiting(|_| true), NoReply::Deaf)
            }
            Denial::Subscribe(_) | Denial::Excess { .. } => return,
        };
        for token in waiting {
            state.fail(token, why);
        }
        state.wake_pump_if_waited_for();
    }

    /// Takes nothing more from now on.
    fn end_publishing(&self) {
        self.lock().draining = true;
    }

    /// Refuses everything from now on, and ends all that waits.
    fn end(&self) {
        let mut state = self.lock();
        state.draining = true;
        if std::mem::replace(&mut state.ended, true) {
            return;
        }
        for Queued {
            subject, handed, ..
        } in std::mem::take(&mut state.queue)
        {
            let _ = handed.send(Err(self.refusal(&subject)));
        }
        for token in state.pending_replies.waiting(|_| true) {
            state.fail(token, NoReply::Closed);
        }
        state.wake_pump();
    }
}

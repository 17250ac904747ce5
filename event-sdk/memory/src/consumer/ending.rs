//! The end of a connection: its subscriptions to a consumer, and its unsettled deliveries.

use super::Consumer;
use crate::ack_pending::{ConnectionId, Counts};
use crate::deferred_actions::DeferredActions;
use crate::log::Log;

impl Consumer {
    /// Ends the subscriptions of a connection that is drained, and counts what
    /// becomes of the deliveries that it has outstanding.
    pub(crate) fn begin_drain(&mut self, of: ConnectionId, after: &mut DeferredActions) {
        if self.pending.held_by(of) > 0 {
            self.draining.push(of);
        }
        self.pending.count_anew(of);
        self.end_subscriptions(of, after);
    }

    /// How many deliveries a connection has outstanding.
    pub(crate) fn held_by(&self, connection: ConnectionId) -> usize {
        self.pending.held_by(connection)
    }

    /// Naks what a connection that was drained still has outstanding; what became of all that it
    /// had.
    pub(crate) fn end_drain(
        &mut self,
        of: ConnectionId,
        log: &Log,
        after: &mut DeferredActions,
    ) -> Counts {
        self.draining.retain(|draining| *draining != of);
        let ack_pending = self.pending.in_hands_of(of);
        let mut counts = self.pending.forget(of);
        counts.lapsed += ack_pending.len() as u64;
        for sequence in ack_pending {
            self.came_back(sequence, log, after);
        }
        self.pass_on(after);
        counts
    }

    /// A connection was closed; what became of what it had outstanding.
    pub(crate) fn close_connection(
        &mut self,
        of: ConnectionId,
        after: &mut DeferredActions,
    ) -> Counts {
        self.draining.retain(|draining| *draining != of);
        self.end_subscriptions(of, after);
        self.pending.forget(of)
    }

    fn end_subscriptions(&mut self, of: ConnectionId, after: &mut DeferredActions) {
        self.subscribers.end_those_of(of, after);
        self.pass_on(after);
    }
}

//! Pausing and resetting a consumer.

use std::time::Duration;

use event_sdk_core::transport::Gap;
use jiff::Timestamp;

use super::Consumer;
use crate::deferred_actions::DeferredActions;
use crate::position::Position;

impl Consumer {
    /// Delivers nothing until then, or goes on.
    pub(crate) fn pause(
        &mut self,
        until: Option<(Timestamp, Duration)>,
        after: &mut DeferredActions,
    ) {
        self.paused = until;
        // They look again, and at another time.
        self.subscribers.wake(after);
    }

    /// The time of day at which its pause ends.
    pub(super) fn paused_until(&self, now: Duration) -> Option<Timestamp> {
        let paused = self.paused.filter(|(_, until)| now < *until);
        paused.map(|(until, _)| until)
    }

    /// The time at which it delivers again, if it is paused.
    pub(crate) fn pause_left(&mut self, now: impl FnOnce() -> Duration) -> Option<Duration> {
        let (_, until) = self.paused?;
        if now() < until {
            return Some(until);
        }
        self.paused = None;
        None
    }

    /// It has delivered nothing, and begins there.
    pub(crate) fn reset(
        &mut self,
        position: Position,
        gap: Option<Gap>,
        after: &mut DeferredActions,
    ) {
        for sequence in self.pending.sequences().collect::<Vec<_>>() {
            self.pending.settle(sequence);
        }
        self.position = position;
        if let Some(gap) = gap {
            self.notices.unread(gap);
        }
        self.subscribers.wake(after);
    }
}

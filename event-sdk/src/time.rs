//! The clock and the ids that a bus uses unless it is given others.

mod v7_ids;

pub use event_sdk_core::time::{Clock, IdSource, Sleep};
pub use v7_ids::V7Ids;

use std::time::Duration;

use jiff::Timestamp;

/// The system's time, and tokio's timers.
///
/// Waiting on it needs a tokio runtime with time enabled. When tokio's own
/// clock is paused, [`monotonic`](Clock::monotonic) stands still with it.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    start: tokio::time::Instant,
}

impl TokioClock {
    /// A clock that starts to run now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: tokio::time::Instant::now(),
        }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        match self.start.checked_add(deadline) {
            Some(instant) => Box::pin(tokio::time::sleep_until(instant)),
            // Further away than an instant can say: never.
            None => Box::pin(std::future::pending()),
        }
    }
}

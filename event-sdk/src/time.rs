//! The clock and the ids that a bus uses unless it is given others.

pub use event_sdk_core::time::{Clock, IdSource, Sleep};

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use uuid::{ContextV7, Uuid};

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

/// UUIDs of version 7: those made here are in order of time, even within a
/// millisecond.
#[derive(Debug, Default)]
pub struct V7Ids {
    context: Mutex<ContextV7>,
}

impl V7Ids {
    /// A source of ids.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl IdSource for V7Ids {
    fn next_id(&self, now: Timestamp) -> Uuid {
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        // Before 1970 there is no version 7; such a clock gets its first instant.
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanos))
    }
}

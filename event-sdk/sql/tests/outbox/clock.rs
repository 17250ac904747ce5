//! A clock that runs like the real one, and whose time of day can be set forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use event_sdk::time::{Clock, Sleep, TokioClock};
use jiff::Timestamp;

#[derive(Debug, Clone, Default)]
pub(crate) struct ShiftedClock {
    inner: TokioClock,
    millis: Arc<AtomicI64>,
}

impl ShiftedClock {
    pub(crate) fn forward(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a few days");
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let shift = self.millis.load(Ordering::SeqCst);
        self.inner.now() + jiff::SignedDuration::from_millis(shift)
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.inner.sleep_until(deadline)
    }
}

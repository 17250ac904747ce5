//! `Fence`: tells the engine, at the cost of two atomic loads, whether handlers may start and
//! whether those that run have to be cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_sdk_core::time::Clock;

use super::lease::Deadlines;

/// The time of leases: that of the bus's clock, and the time for which the machine was suspended.
pub(crate) fn lease_time(clock: &Arc<dyn Clock>) -> Duration {
    // In this order: a suspension between the two counts.
    let awake = clock.monotonic();
    awake.saturating_add(clock.suspended())
}

/// The fence of one ownership. It only ever closes: a later ownership has another one.
#[derive(Debug)]
pub(crate) struct Fence {
    epoch: u64,
    /// In nanoseconds of the [lease time](lease_time).
    start_until: AtomicU64,
    cancel_at: AtomicU64,
}

impl Fence {
    /// The fence of an ownership that was just acquired.
    pub(super) fn new(epoch: u64, deadlines: Deadlines) -> Self {
        let fence = Self {
            epoch,
            start_until: AtomicU64::new(0),
            cancel_at: AtomicU64::new(0),
        };
        fence.extend(deadlines);
        fence
    }

    /// The epoch: higher than that of every earlier owner. Stores compare it.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether a handler may start.
    pub(crate) fn may_start(&self, now: Duration) -> bool {
        nanos(now) < self.start_until.load(Ordering::Acquire)
    }

    /// Whether every handler has to be cancelled, and no event be settled any more.
    pub(crate) fn must_cancel(&self, now: Duration) -> bool {
        nanos(now) >= self.cancel_at.load(Ordering::Acquire)
    }

    /// When [`must_cancel`](Self::must_cancel) is true, unless the lease is renewed.
    pub(crate) fn cancel_at(&self) -> Duration {
        Duration::from_nanos(self.cancel_at.load(Ordering::Acquire))
    }

    /// The lease was renewed.
    pub(super) fn extend(&self, deadlines: Deadlines) {
        self.start_until
            .store(nanos(deadlines.start_until), Ordering::Release);
        self.cancel_at
            .store(nanos(deadlines.cancel_at), Ordering::Release);
    }

    /// The lease was lost or released.
    pub(super) fn close(&self) {
        self.start_until.store(0, Ordering::Release);
        self.cancel_at.store(0, Ordering::Release);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_until_the_deadlines_and_closes_for_good() {
        let at = Duration::from_secs;
        let deadlines = |start, cancel| Deadlines {
            start_until: at(start),
            cancel_at: at(cancel),
        };
        let fence = Fence::new(7, deadlines(2, 3));
        assert_eq!(fence.epoch(), 7);
        assert!(fence.may_start(at(1)) && !fence.may_start(at(2)));
        assert!(!fence.must_cancel(at(2)) && fence.must_cancel(at(3)));
        fence.extend(deadlines(4, 5));
        assert!(fence.may_start(at(3)) && !fence.must_cancel(at(4)));
        assert_eq!(fence.cancel_at(), at(5));
        fence.close();
        assert!(!fence.may_start(at(0)) && fence.must_cancel(at(0)));
    }
}

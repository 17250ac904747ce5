//! `Progress`: what became of the deliveries that were handed out, for the prefetch and for late
//! redeliveries.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many sequences are remembered that were acknowledged after their ack wait.
const LATE: usize = 1024;

/// Counts deliveries that were settled or dropped, without a lock.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    ended: AtomicU64,
    /// When the last one was, in nanoseconds since the beginning.
    last: AtomicU64,
    /// What was acknowledged after its ack wait: a redelivery may be on its way.
    late: Mutex<VecDeque<u64>>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            ended: AtomicU64::new(0),
            last: AtomicU64::new(0),
            late: Mutex::default(),
        }
    }

    /// A time as a duration since the subscription began.
    pub(super) fn since_begun(&self, time: Instant) -> Duration {
        time.saturating_duration_since(self.begun)
    }

    /// A delivery was settled for the first time, or dropped.
    pub(super) fn ended(&self, now: Instant) {
        let nanos = u64::try_from(self.since_begun(now).as_nanos()).unwrap_or(u64::MAX);
        self.last.fetch_max(nanos, Ordering::AcqRel);
        self.ended.fetch_add(1, Ordering::AcqRel);
    }

    /// How many have been settled or dropped, and when the last one was.
    pub(super) fn total(&self) -> (u64, Duration) {
        let ended = self.ended.load(Ordering::Acquire);
        (
            ended,
            Duration::from_nanos(self.last.load(Ordering::Acquire)),
        )
    }

    /// A sequence was acknowledged after its ack wait.
    pub(super) fn acknowledged_late(&self, sequence: u64) {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        if late.len() == LATE {
            late.pop_front();
        }
        late.push_back(sequence);
    }

    /// Whether that was the last that became of this sequence.
    pub(super) fn is_acknowledged_late(&self, sequence: u64) -> bool {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.contains(&sequence)
    }
}

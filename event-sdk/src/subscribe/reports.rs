//! `Reports`: notices that deliveries make after the subscriber has returned them, on their way
//! back to `next_incoming`; and the log of every notice.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use event_sdk_core::transport::Notice;
use futures_util::task::AtomicWaker;

/// Notices of a subscriber's deliveries, in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// All that were made.
    made: AtomicU64,
    /// Those that were returned.
    returned: AtomicU64,
    queue: Mutex<VecDeque<Notice>>,
    waker: AtomicWaker,
}

impl Reports {
    /// Logs, counts and queues a notice, and wakes the subscriber.
    pub(super) fn add(&self, notice: Notice) {
        log(&notice);
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(notice);
        drop(queue);
        self.made.fetch_add(1, Ordering::AcqRel);
        self.waker.wake();
    }

    /// The next notice.
    pub(super) fn take(&self) -> Option<Notice> {
        if self.made() == self.returned.load(Ordering::Acquire) {
            return None;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let notice = queue.pop_front()?;
        self.returned.fetch_add(1, Ordering::AcqRel);
        Some(notice)
    }

    /// Number of notices that were made, whether they were returned or not.
    pub(super) fn made(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }

    /// Wakes this one at the next notice.
    pub(super) fn wake(&self, waker: &Waker) {
        self.waker.register(waker);
    }
}

/// Logs a notice as one warning.
pub(super) fn log(notice: &Notice) {
    tracing::warn!(
        target: crate::TRACING_TARGET,
        stream = notice.stream(),
        consumer = notice.consumer(),
        kind = notice.kind().name(),
        "{notice}"
    );
}

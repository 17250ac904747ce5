//! `ThreadTime`: how long the thread of a run waits while its tasks run, as Linux counts it.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Measures the thread of a run from the moment at which its runtime wakes to the moment at which
/// it waits again. Time in which the thread neither ran nor waited for a processor is time in which
/// a task has blocked it. How slow or busy the machine is does not count.
#[derive(Debug, Clone, Default)]
pub(super) struct ThreadTime(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether the runtime waits, and not a task.
    parked: AtomicBool,
    blocked: AtomicBool,
    /// The beginning, while tasks run.
    since: Mutex<Option<Reading>>,
}

/// A task that blocks its thread for longer is reported. Page faults and locks of the allocator
/// take far less.
const BLOCKED: Duration = Duration::from_millis(50);

impl ThreadTime {
    /// Tasks run from here on.
    pub(super) fn begin(&self) {
        *self.since() = Reading::beginning();
        self.0.parked.store(false, Ordering::Release);
    }

    /// No task runs from here on.
    pub(super) fn end(&self) {
        self.0.parked.store(true, Ordering::Release);
        let since = self.since().take();
        if let (Some(since), Some(now)) = (since, Reading::end())
            && now.waited_since(&since) >= BLOCKED
        {
            self.0.blocked.store(true, Ordering::Release);
        }
    }

    /// Whether a task has blocked the thread so far.
    pub(super) fn was_blocked(&self) -> bool {
        self.0.blocked.load(Ordering::Acquire)
    }

    /// Whether the runtime waits.
    pub(super) fn is_parked(&self) -> bool {
        self.0.parked.load(Ordering::Acquire)
    }

    fn since(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The times of this thread.
#[derive(Debug)]
struct Reading {
    at: Instant,
    /// It ran, or waited for a processor.
    runnable: Duration,
    /// How often it went to sleep by itself.
    sleeps: u64,
}

impl Reading {
    /// `None` where the system does not tell. If the thread loses its processor meanwhile, that is
    /// before the beginning.
    fn beginning() -> Option<Self> {
        let (sleeps, runnable) = (sleeps()?, runnable()?);
        let at = Instant::now();
        Some(Self {
            at,
            runnable,
            sleeps,
        })
    }

    /// The same for the end: if the thread loses its processor meanwhile, that is after the end.
    fn end() -> Option<Self> {
        let at = Instant::now();
        Some(Self {
            at,
            runnable: runnable()?,
            sleeps: sleeps()?,
        })
    }

    /// How long it waited for something else than a processor. A machine that stops as a whole
    /// puts no thread to sleep.
    fn waited_since(&self, earlier: &Self) -> Duration {
        if self.sleeps == earlier.sleeps {
            return Duration::ZERO;
        }
        let passed = self.at.duration_since(earlier.at);
        passed.saturating_sub(self.runnable.saturating_sub(earlier.runnable))
    }
}

fn runnable() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let (ran, waited) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(Duration::from_nanos(ran.saturating_add(waited)))
}

fn sleeps() -> Option<u64> {
    let text = fs::read_to_string("/proc/thread-self/status").ok()?;
    let field = text
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    field?.trim().parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn work_is_no_waiting_and_a_blocking_call_is() {
        let time = ThreadTime::default();
        time.begin();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(120) {
            std::hint::spin_loop();
        }
        time.end();
        assert!(!time.was_blocked());
        time.begin();
        let (_answers, answer) = mpsc::channel::<()>();
        assert!(answer.recv_timeout(Duration::from_millis(80)).is_err());
        time.end();
        assert!(time.was_blocked());
    }
}

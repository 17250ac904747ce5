//! Waits until no task of the runtime can go on, and lets virtual time pass step by step.

use std::time::{Duration, Instant};

use event_sdk::time::{Clock as _, SteppedClock};
use tokio::runtime::{Handle, RuntimeFlavor};

/// How far tokio's clock moves while it is asked whether a task can go on.
const BLINK: Duration = Duration::from_millis(1);

/// Waits until every other task of the runtime waits for something.
///
/// With a paused clock, tokio completes a timer only when no task can run, which is what is asked
/// here. The clock is paused for the moment, unless it is already.
///
/// # Panics
///
/// Outside of tokio's current-thread runtime with its timers, where this cannot be known.
pub(crate) async fn settled() {
    pass(BLINK).await;
}

/// Lets tokio's own clock go on by `time`, with all tasks that run in it, and waits until every
/// other task waits for something.
pub(crate) async fn pass(time: Duration) {
    let _paused = Paused::begin();
    tokio::time::sleep(time.max(BLINK)).await;
}

/// Lets virtual time pass: goes to each deadline within `time` in order, and lets all tasks run
/// that it wakes before it goes on.
pub(crate) async fn advance(clock: &SteppedClock, time: Duration) {
    let end = clock.monotonic().saturating_add(time);
    settled().await;
    loop {
        let left = end.saturating_sub(clock.monotonic());
        if left.is_zero() {
            return;
        }
        step(clock, left).await;
    }
}

/// Goes to the next deadline, but not further than `longest`; answers how far.
pub(crate) async fn step(clock: &SteppedClock, longest: Duration) -> Duration {
    let next = || clock.until_next().unwrap_or(longest).min(longest);
    // Timers of tokio within the same time come before.
    pass(next()).await;
    let next = next();
    clock.advance(next);
    settled().await;
    next
}

/// Tokio's clock, paused while this exists.
struct Paused {
    before: bool,
}

impl Paused {
    fn begin() -> Self {
        check_runtime();
        let before = is_paused();
        if !before {
            tokio::time::pause();
        }
        Self { before }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        if !self.before {
            tokio::time::resume();
        }
    }
}

fn check_runtime() {
    let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    assert!(
        matches!(flavor, Ok(RuntimeFlavor::CurrentThread)),
        "virtual time needs tokio's current-thread runtime, where it is known whether a task can \
         go on: use `#[tokio::test]` without `flavor = \"multi_thread\"`"
    );
}

/// Tokio does not say so, but its clock stands still then.
fn is_paused() -> bool {
    let (real, theirs) = (Instant::now(), tokio::time::Instant::now());
    while real.elapsed() < Duration::from_micros(2) {
        std::hint::spin_loop();
    }
    tokio::time::Instant::now() == theirs
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn it_waits_for_tasks_that_wake_one_another() {
        let steps = Arc::new(AtomicU32::new(0));
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let counted = Arc::clone(&steps);
        tokio::spawn(async move {
            while receiver.recv().await.is_some() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        tokio::spawn(async move {
            for step in 0..100 {
                let _ = sender.send(step).await;
                tokio::task::yield_now().await;
            }
        });
        settled().await;
        assert_eq!(steps.load(Ordering::Relaxed), 100);
        assert!(!is_paused());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_paused_stays_so() {
        settled().await;
        assert!(is_paused());
    }

    #[tokio::test]
    async fn deadlines_come_in_order_on_both_clocks() {
        let clock = SteppedClock::new();
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let sleeper = clock.clone();
        tokio::spawn(async move {
            for _ in 0..3 {
                let next = sleeper.monotonic() + Duration::from_secs(10);
                sleeper.sleep_until(next).await;
                noted.lock().unwrap().push("stepped");
            }
        });
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(15)).await;
            noted.lock().unwrap().push("tokio");
        });
        advance(&clock, Duration::from_secs(25)).await;
        assert_eq!(*seen.lock().unwrap(), ["stepped", "tokio", "stepped"]);
        assert_eq!(clock.monotonic(), Duration::from_secs(25));
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "without `flavor = \"multi_thread\"`")]
    async fn other_runtimes_are_refused() {
        settled().await;
    }
}

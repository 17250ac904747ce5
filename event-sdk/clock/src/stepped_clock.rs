//! `SteppedClock`: a clock for tests, which moves only when `advance` or `set` is called.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{Clock, Sleep};

/// A clock for tests that stands still until the test moves it.
///
/// It starts at [`START`](Self::START), and its running time starts at zero. Clones are the same
/// clock, so a test keeps one and gives another to its bus.
///
/// ```
/// use std::time::Duration;
/// use event_sdk::time::SteppedClock;
/// use event_sdk::time::Clock;
///
/// let clock = SteppedClock::new();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now().to_string(), "2025-01-01T00:01:30Z");
/// assert_eq!(clock.monotonic(), Duration::from_secs(90));
/// ```
#[derive(Clone)]
pub struct SteppedClock {
    state: Arc<Mutex<State>>,
}

struct State {
    now: Timestamp,
    monotonic: Duration,
    /// By deadline, then by who came first.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next_sleeper: u64,
}

impl SteppedClock {
    /// The time at which a new clock stands: `2025-01-01T00:00:00Z`.
    pub const START: Timestamp = Timestamp::constant(1_735_689_600, 0);

    /// A clock that stands at [`START`](Self::START).
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(Self::START)
    }

    /// A clock that stands at `start`.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                now: start,
                monotonic: Duration::ZERO,
                sleepers: BTreeMap::new(),
                next_sleeper: 0,
            })),
        }
    }

    /// Moves the clock forward: both its time of day and its running time.
    ///
    /// Wakes each sleeper whose deadline has come, the earliest deadline first. A sleeper continues
    /// when its task is polled next, not within this call.
    pub fn advance(&self, by: Duration) {
        let by_signed = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut state = self.lock();
        state.now = state.now.checked_add(by_signed).unwrap_or(Timestamp::MAX);
        state.monotonic = state.monotonic.saturating_add(by);
        wake(state);
    }

    /// Sets the time of day.
    ///
    /// If the new time is later, the time in between passes, as with [`advance`](Self::advance). If
    /// it is earlier, only the time of day changes, as when an operator corrects a clock: the time
    /// for which the clock has run stays the same, and no sleeper is woken.
    pub fn set(&self, to: Timestamp) {
        let mut state = self.lock();
        let passed = to.duration_since(state.now);
        state.now = to;
        if let Ok(passed) = Duration::try_from(passed) {
            state.monotonic = state.monotonic.saturating_add(passed);
        }
        wake(state);
    }

    /// The time until the earliest deadline of a sleeper; `None` without sleepers.
    ///
    /// `clock.advance(clock.until_next().unwrap())` moves the clock to the next deadline, however
    /// far away it is.
    #[must_use]
    pub fn until_next(&self) -> Option<Duration> {
        let state = self.lock();
        let (deadline, _) = state.sleepers.keys().next()?;
        Some(deadline.saturating_sub(state.monotonic))
    }

    /// How many sleepers wait now.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes those whose deadline has come, in its order. A waker may run code
/// that asks the clock, so none is woken while the clock is locked.
fn wake(mut state: MutexGuard<'_, State>) {
    let monotonic = state.monotonic;
    let later = state.sleepers.split_off(&(monotonic, u64::MAX));
    let due = std::mem::replace(&mut state.sleepers, later);
    drop(state);
    for waker in due.into_values() {
        waker.wake();
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn monotonic(&self) -> Duration {
        self.lock().monotonic
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        Box::pin(Sleeper {
            clock: self.clone(),
            deadline,
            number: None,
        })
    }
}

impl Default for SteppedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SteppedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("SteppedClock")
            .field("now", &state.now)
            .field("monotonic", &state.monotonic)
            .field("sleepers", &state.sleepers.len())
            .finish()
    }
}

struct Sleeper {
    clock: SteppedClock,
    deadline: Duration,
    /// Under which number it sleeps, once it does.
    number: Option<u64>,
}

impl Future for Sleeper {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.clock.lock();
        if state.monotonic >= this.deadline {
            return Poll::Ready(());
        }
        let number = *this.number.get_or_insert_with(|| {
            state.next_sleeper += 1;
            state.next_sleeper
        });
        let before = state
            .sleepers
            .insert((this.deadline, number), cx.waker().clone());
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = self.clock.lock().sleepers.remove(&(self.deadline, number));
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// Notes which place it took among those that were woken.
    #[derive(Default)]
    struct Place {
        line: Arc<AtomicUsize>,
        taken: AtomicUsize,
    }

    impl Wake for Place {
        fn wake(self: Arc<Self>) {
            let place = self.line.fetch_add(1, Ordering::SeqCst) + 1;
            self.taken.store(place, Ordering::SeqCst);
        }
    }

    fn poll(sleep: &mut Sleep, place: &Arc<Place>) -> bool {
        let waker = Waker::from(Arc::clone(place));
        sleep
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
    }

    #[test]
    fn it_starts_at_the_instant_that_it_says_and_stands_still() {
        let clock = SteppedClock::new();
        assert_eq!(clock.now(), "2025-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(clock.now(), SteppedClock::START);
        assert_eq!(clock.monotonic(), Duration::ZERO);
    }

    #[test]
    fn clones_are_the_same_clock() {
        let clock = SteppedClock::new();
        clock.clone().advance(secs(1));
        assert_eq!(clock.monotonic(), secs(1));
    }

    #[test]
    fn sleepers_wake_in_the_order_of_their_deadlines() {
        let clock = SteppedClock::new();
        let line = Arc::new(AtomicUsize::new(0));
        let place = || {
            Arc::new(Place {
                line: Arc::clone(&line),
                taken: AtomicUsize::new(0),
            })
        };
        let deadlines = [30, 10, 20, 10, 31].map(secs);
        let mut sleeping: Vec<_> = deadlines
            .iter()
            .map(|&deadline| (clock.sleep_until(deadline), place()))
            .collect();
        for (sleep, place) in &mut sleeping {
            assert!(!poll(sleep, place));
        }
        assert_eq!(clock.sleepers(), 5);
        assert_eq!(clock.until_next(), Some(secs(10)));

        clock.advance(secs(30));

        let taken: Vec<_> = sleeping
            .iter()
            .map(|(_, place)| place.taken.load(Ordering::SeqCst))
            .collect();
        assert_eq!(taken, [4, 1, 3, 2, 0]);
        assert_eq!(clock.sleepers(), 1);
        assert_eq!(clock.until_next(), Some(secs(1)));
        for (sleep, place) in &mut sleeping[..4] {
            assert!(poll(sleep, place));
        }
    }

    #[test]
    fn a_deadline_that_has_passed_is_no_wait() {
        let clock = SteppedClock::new();
        clock.advance(secs(5));
        let place = Arc::new(Place::default());
        assert!(poll(&mut clock.sleep_until(secs(5)), &place));
        assert!(poll(&mut clock.sleep_until(Duration::ZERO), &place));
        assert_eq!(clock.until_next(), None);
    }

    #[test]
    fn a_dropped_sleep_leaves_nothing_behind() {
        let clock = SteppedClock::new();
        let place = Arc::new(Place::default());
        let mut sleep = clock.sleep_until(secs(1));
        assert!(!poll(&mut sleep, &place));
        assert!(!poll(&mut sleep, &place), "polled twice, it sleeps once");
        assert_eq!(clock.sleepers(), 1);
        drop(sleep);
        assert_eq!(clock.sleepers(), 0);
        clock.advance(secs(2));
        assert_eq!(place.taken.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn setting_it_forward_lets_the_time_between_pass() {
        let clock = SteppedClock::new();
        let place = Arc::new(Place::default());
        let mut sleep = clock.sleep_until(secs(60));
        assert!(!poll(&mut sleep, &place));
        clock.set("2025-01-01T00:01:00Z".parse().unwrap());
        assert_eq!(clock.monotonic(), secs(60));
        assert!(poll(&mut sleep, &place));
    }

    #[test]
    fn setting_it_back_changes_only_the_time_of_day() {
        let clock = SteppedClock::new();
        clock.advance(secs(60));
        let earlier = "2024-12-31T23:00:00Z".parse().unwrap();
        clock.set(earlier);
        assert_eq!(clock.now(), earlier);
        assert_eq!(clock.monotonic(), secs(60));
    }

    #[test]
    fn time_ends_at_the_last_timestamp_without_a_panic() {
        let clock = SteppedClock::new();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        assert_eq!(clock.monotonic(), Duration::MAX);
    }

    #[tokio::test]
    async fn a_task_that_sleeps_goes_on_when_its_time_has_come() {
        let clock = SteppedClock::new();
        let task = tokio::spawn(clock.sleep_until(secs(3600)));
        while clock.sleepers() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(secs(3599));
        assert!(!task.is_finished());
        clock.advance(clock.until_next().unwrap());
        task.await.unwrap();
    }
}

//! `Eventually`: an assertion that may become true later.

use std::fmt;
use std::time::{Duration, Instant};

use event_sdk::Event;
use event_sdk::time::Clock as _;

use super::{PublishedEvents, RecordedEvent};
use crate::failure::fail;
use crate::idle;

/// An assertion on a selection of events that may become true later: the test lets virtual time
/// pass until it holds. Tasks run until nothing can go on, then the clock goes to the next
/// deadline, until the assertion holds or the time is over. It does not wait in real time.
///
/// It needs tokio's current-thread runtime (`#[tokio::test]`), in which it is known whether a task
/// can go on. What other threads and sockets do takes real time: wait for it with
/// [`in_real_time`](Self::in_real_time), which needs no particular runtime.
#[must_use = "nothing is asserted until `one`, `exactly`, `none` or another one is awaited"]
#[derive(Debug)]
pub struct Eventually<'b, E> {
    events: PublishedEvents<'b, E>,
    within: Duration,
    real: bool,
}

impl<'b, E: Event + fmt::Debug> Eventually<'b, E> {
    pub(super) fn new(events: PublishedEvents<'b, E>) -> Self {
        Self {
            events,
            within: Duration::from_secs(60),
            real: false,
        }
    }

    /// Sets how much virtual time may pass. Default: a minute.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// Polls in real time instead, for at most this long, and lets no virtual time pass: for code
    /// under test that waits for sockets or other threads, such as a database.
    pub fn in_real_time(mut self, within: Duration) -> Self {
        self.within = within;
        self.real = true;
        self
    }

    /// Asserts that there is exactly one as soon as there are any, and returns it.
    ///
    /// Cancel-safe; the time that has passed stays passed. This holds for all of these methods.
    ///
    /// # Panics
    ///
    /// If there is none when the time is over, or there are several.
    pub async fn one(self) -> RecordedEvent<E> {
        let mut events = self.exactly(1).await;
        match events.pop() {
            Some(event) => event,
            None => fail("of exactly one event, none was found"),
        }
    }

    /// Waits until there are exactly `n` events, and returns them. It does not notice events that
    /// are published later. To assert that none follow, call
    /// [`TestBus::advance`](crate::TestBus::advance) and then
    /// [`TestBus::nothing_else`](crate::TestBus::nothing_else).
    ///
    /// # Panics
    ///
    /// If there are fewer when the time is over, or more.
    pub async fn exactly(self, n: usize) -> Vec<RecordedEvent<E>> {
        self.until(|found| found >= n).await;
        self.events.exactly(n)
    }

    /// Asserts that there are `n` or more at some time, and returns them.
    ///
    /// # Panics
    ///
    /// If there are fewer when the time is over.
    pub async fn at_least(self, n: usize) -> Vec<RecordedEvent<E>> {
        self.until(|found| found >= n).await;
        self.events.at_least(n)
    }

    /// Lets the whole time pass, and asserts that there is none.
    ///
    /// # Panics
    ///
    /// If there is one.
    pub async fn none(self) {
        self.until(|found| found > 0).await;
        self.events.none();
    }

    /// Lets time pass until that many are there, or the time is over.
    async fn until(&self, enough: impl Fn(usize) -> bool) {
        if self.real {
            return self.until_really(enough).await;
        }
        let clock = &self.events.recording.clock;
        let end = clock.monotonic().saturating_add(self.within);
        idle::settled().await;
        while !enough(self.events.so_far().len()) {
            let left = end.saturating_sub(clock.monotonic());
            if left.is_zero() {
                return;
            }
            idle::step(clock, left).await;
        }
    }

    /// Polls until that many are there, or the real time is over.
    async fn until_really(&self, enough: impl Fn(usize) -> bool) {
        const INTERVAL: Duration = Duration::from_millis(2);
        let begun = Instant::now();
        while !enough(self.events.so_far().len()) && begun.elapsed() < self.within {
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

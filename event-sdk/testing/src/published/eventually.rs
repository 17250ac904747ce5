//! `Eventually`: an assertion that may become true later.

use std::fmt;
use std::time::{Duration, Instant};

use event_sdk::Event;
use event_sdk::time::Clock as _;

use super::{PublishedEvents, RecordedEvent};
use crate::failure::fail;
use crate::idle;

/// An assertion on a selection of events that may become true later: the test lets virtual time
/// pass until the assertion holds. Tasks run until all of them wait; then the clock moves to the
/// next deadline. This is repeated until the assertion holds or the time is over. No real time is
/// waited for.
///
/// This needs tokio's current-thread runtime (`#[tokio::test]`): only there can the crate see
/// whether all tasks wait. Other threads and sockets take real time. To wait for them, use
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

    /// Polls in real time instead, for at most `within`, and lets no virtual time pass. Use it for
    /// code under test that waits for sockets or other threads, such as a database client.
    pub fn in_real_time(mut self, within: Duration) -> Self {
        self.within = within;
        self.real = true;
        self
    }

    /// Waits until there is an event, asserts that there is exactly one, and returns it.
    ///
    /// Cancel-safe, like all methods here that wait: the clock keeps the time that has passed.
    ///
    /// # Panics
    ///
    /// If there is no event when the time is over, or there are several events.
    pub async fn one(self) -> RecordedEvent<E> {
        let mut events = self.exactly(1).await;
        match events.pop() {
            Some(event) => event,
            None => fail("of exactly one event, none was found"),
        }
    }

    /// Waits until there are `n` events, asserts that there are exactly `n`, and returns them.
    /// Events that are published later are not noticed. To assert that none follow, call
    /// [`TestBus::advance`](crate::TestBus::advance) and then
    /// [`TestBus::nothing_else`](crate::TestBus::nothing_else).
    ///
    /// # Panics
    ///
    /// If there are fewer events when the time is over, or more.
    pub async fn exactly(self, n: usize) -> Vec<RecordedEvent<E>> {
        self.until(|found| found >= n).await;
        self.events.exactly(n)
    }

    /// Waits until there are `n` or more events, and returns all of them.
    ///
    /// # Panics
    ///
    /// If there are fewer events when the time is over.
    pub async fn at_least(self, n: usize) -> Vec<RecordedEvent<E>> {
        self.until(|found| found >= n).await;
        self.events.at_least(n)
    }

    /// Asserts that there is no event until the time is over.
    ///
    /// # Panics
    ///
    /// If there is an event.
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

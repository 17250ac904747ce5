//! `DelayedNaks`: bounds the delayed naks of unknown events, by default in number to a tenth of
//! `max_ack_pending` and in time to 15 minutes from the first delivery.
//!
//! A delivery that was answered by a nak with a delay keeps its place in the consumer's
//! `max_ack_pending` until it is delivered again. So the number of such places is limited, or they
//! would hold up every other event. [`DelayedNaks`] has the places of one consumer, as seen by the
//! subscriptions of one bus; [`Registry`] finds it by stream and consumer.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk_core::text::Text;

/// The delayed sequences of one consumer that are not known to be settled.
#[derive(Debug, Default)]
pub(crate) struct DelayedNaks {
    /// Number of sequences in `state`, so that a delivery that was never delayed takes no lock.
    known: AtomicUsize,
    state: Mutex<State>,
}

/// The bounds of a subscription.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How many events are delayed at once; `None`: any number.
    pub(crate) at_most: Option<usize>,
    /// How long an event is delayed, from its first delivery; `None`: without end.
    pub(crate) for_at_most: Option<Duration>,
    /// How long a place is kept after its delay, if the event is not delivered here again: it
    /// then was delivered to another subscription.
    pub(crate) margin: Duration,
}

/// The decision about an event that would be delayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is delayed for this time.
    Delayed(Duration),
    /// It is terminated, because this many events are already delayed.
    TooMany(usize),
    /// It is terminated, because it has been delayed for the longest allowed time.
    TooLong(Duration),
}

impl DelayedNaks {
    /// Reserves a place for a delayed sequence, or keeps its existing one. A sequence that was
    /// delayed before is never one too many.
    ///
    /// The delay is limited to the remaining time. If the delivery number is one, this is the first
    /// delivery of another message with this sequence: the stream or the consumer was created
    /// again.
    pub(crate) fn delay(
        &self,
        sequence: u64,
        attempt: u32,
        delay: Duration,
        now: Duration,
        bounds: &Bounds,
    ) -> Verdict {
        if bounds.at_most.is_none() && bounds.for_at_most.is_none() {
            return Verdict::Delayed(delay);
        }
        let mut state = self.lock();
        state.release(now);
        if attempt <= 1 {
            state.forget(sequence);
        }
        let verdict = state.verdict(sequence, delay, now, bounds);
        match verdict {
            Verdict::Delayed(delay) => {
                let first = state.first(sequence).unwrap_or(now);
                let until = now.saturating_add(delay).saturating_add(bounds.margin);
                let remembered = bounds.for_at_most.map_or(until, |longest| {
                    // A last delay may begin just before the end, elsewhere too.
                    let end = first.saturating_add(longest.saturating_mul(2));
                    end.saturating_add(bounds.margin).max(until)
                });
                state.hold(sequence, first, until, remembered);
            }
            // It has a place at the server until that knows of the termination, and comes again if
            // that is lost.
            Verdict::TooMany(_) | Verdict::TooLong(_) => {}
        }
        self.known.store(state.entries.len(), Ordering::Release);
        verdict
    }

    /// Keeps the place of a sequence that was delivered here again, until `until`.
    pub(crate) fn delivered_again(&self, sequence: u64, until: impl FnOnce() -> Duration) {
        if self.known.load(Ordering::Acquire) > 0 {
            self.lock().keep(sequence, until());
        }
    }

    /// Frees the place of a terminated sequence. Its first delivery is still remembered: if the
    /// termination is lost, the event is delivered again.
    pub(crate) fn terminated(&self, sequence: u64) {
        if self.known.load(Ordering::Acquire) > 0 {
            self.lock().give_up(sequence);
        }
    }

    /// Removes a sequence that was acknowledged.
    pub(crate) fn settled(&self, sequence: u64) {
        if self.known.load(Ordering::Acquire) > 0 {
            let mut state = self.lock();
            state.forget(sequence);
            self.known.store(state.entries.len(), Ordering::Release);
        }
    }

    /// Whether any sequence is delayed or remembered.
    fn has_some(&self, now: Duration) -> bool {
        let mut state = self.lock();
        state.release(now);
        self.known.store(state.entries.len(), Ordering::Release);
        !state.entries.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Maximum number of remembered first deliveries of events without a place. Beyond that, the oldest
/// is forgotten, and its time starts again if it is delivered again.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Default)]
struct State {
    entries: HashMap<u64, Entry>,
    /// Entries with a place, by the time when the place is freed.
    held: BTreeSet<(Duration, u64)>,
    /// Entries without a place, by the time when they are forgotten.
    remembered: BTreeSet<(Duration, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// When the event was first delivered here.
    first: Duration,
    /// Until when the event has a place; `None`: it has none.
    held: Option<Duration>,
    /// Until when the first delivery is remembered.
    remembered: Duration,
}

impl State {
    fn verdict(&self, sequence: u64, delay: Duration, now: Duration, bounds: &Bounds) -> Verdict {
        let entry = self.entries.get(&sequence);
        let mut left = Duration::MAX;
        if let Some(longest) = bounds.for_at_most {
            let first = entry.map_or(now, |entry| entry.first);
            left = first.saturating_add(longest).saturating_sub(now);
            if left.is_zero() {
                return Verdict::TooLong(longest);
            }
        }
        // One that was delayed here is delayed again, though its place may have gone to another
        // meanwhile: it may be handled elsewhere yet, so this exceeds the number instead.
        let delayed_before = entry.is_some();
        match bounds.at_most {
            Some(most) if !delayed_before && self.held.len() >= most => {
                Verdict::TooMany(self.held.len())
            }
            _ => Verdict::Delayed(delay.min(left)),
        }
    }

    fn first(&self, sequence: u64) -> Option<Duration> {
        self.entries.get(&sequence).map(|entry| entry.first)
    }

    /// Reserves a place, or changes its end.
    fn hold(&mut self, sequence: u64, first: Duration, until: Duration, remembered: Duration) {
        self.forget(sequence);
        self.held.insert((until, sequence));
        let entry = Entry {
            first,
            held: Some(until),
            remembered,
        };
        self.entries.insert(sequence, entry);
    }

    /// Keeps a place for longer.
    fn keep(&mut self, sequence: u64, until: Duration) {
        let Some(entry) = self.entries.get(&sequence).copied() else {
            return;
        };
        if let Some(held) = entry.held {
            let until = until.max(held);
            self.hold(sequence, entry.first, until, entry.remembered.max(until));
        }
    }

    /// Frees expired places, and removes expired entries.
    fn release(&mut self, now: Duration) {
        while let Some((until, sequence)) = self.held.first().copied() {
            if until > now {
                break;
            }
            self.held.pop_first();
            if let Some(entry) = self.entries.get_mut(&sequence) {
                entry.held = None;
                self.remembered.insert((entry.remembered, sequence));
            }
        }
        while let Some((until, sequence)) = self.remembered.first().copied() {
            if until > now && self.remembered.len() <= REMEMBERED {
                break;
            }
            self.remembered.pop_first();
            self.entries.remove(&sequence);
        }
    }

    /// Gives up a place.
    fn give_up(&mut self, sequence: u64) {
        if let Some(entry) = self.entries.get_mut(&sequence)
            && let Some(until) = entry.held.take()
        {
            self.held.remove(&(until, sequence));
            self.remembered.insert((entry.remembered, sequence));
        }
    }

    fn forget(&mut self, sequence: u64) {
        if let Some(entry) = self.entries.remove(&sequence) {
            match entry.held {
                Some(until) => self.held.remove(&(until, sequence)),
                None => self.remembered.remove(&(entry.remembered, sequence)),
            };
        }
    }
}

/// The [`DelayedNaks`] of a bus, by stream and consumer. Subscriptions to the same consumer share
/// one, even if they follow each other.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    consumers: Mutex<HashMap<(Text, Text), Arc<DelayedNaks>>>,
}

impl Registry {
    /// Returns the one of a consumer. A consumer without a name has one subscription, and shares
    /// none.
    pub(crate) fn of(
        &self,
        stream: &str,
        consumer: Option<&str>,
        now: Duration,
    ) -> Arc<DelayedNaks> {
        let Some(consumer) = consumer else {
            return Arc::default();
        };
        let consumers = self.consumers.lock();
        let mut consumers = consumers.unwrap_or_else(PoisonError::into_inner);
        consumers.retain(|_, naks| Arc::strong_count(naks) > 1 || naks.has_some(now));
        let name = (Text::copy_of(stream), Text::copy_of(consumer));
        Arc::clone(consumers.entry(name).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const DELAY: Duration = Duration::from_secs(30);

    const BOUNDS: Bounds = Bounds {
        at_most: Some(2),
        for_at_most: Some(Duration::from_secs(100)),
        margin: Duration::from_secs(5),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000 + seconds)
    }

    #[test]
    fn a_place_is_kept_by_the_event_that_has_it() {
        let naks = DelayedNaks::default();
        for sequence in [1, 2] {
            let verdict = naks.delay(sequence, 1, DELAY, at(0), &BOUNDS);
            assert_eq!(verdict, Verdict::Delayed(DELAY));
        }
        let third = naks.delay(3, 1, DELAY, at(0), &BOUNDS);
        assert_eq!(third, Verdict::TooMany(2));
        let again = naks.delay(1, 2, DELAY * 2, at(30), &BOUNDS);
        assert_eq!(again, Verdict::Delayed(DELAY * 2));
        assert_eq!(
            naks.delay(3, 2, DELAY, at(30), &BOUNDS),
            Verdict::TooMany(2)
        );
        // Settled is settled: its place is free.
        naks.settled(2);
        assert_eq!(
            naks.delay(4, 1, DELAY, at(30), &BOUNDS),
            Verdict::Delayed(DELAY)
        );
    }

    #[test]
    fn a_place_is_given_up_when_the_event_was_delivered_elsewhere() {
        let naks = DelayedNaks::default();
        for sequence in [1, 2] {
            naks.delay(sequence, 1, DELAY, at(0), &BOUNDS);
        }
        naks.delivered_again(2, || at(60));
        assert_eq!(
            naks.delay(3, 1, DELAY, at(34), &BOUNDS),
            Verdict::TooMany(2)
        );
        assert_eq!(
            naks.delay(3, 1, DELAY, at(35), &BOUNDS),
            Verdict::Delayed(DELAY)
        );
        assert_eq!(
            naks.delay(4, 1, DELAY, at(59), &BOUNDS),
            Verdict::TooMany(2)
        );
        assert_eq!(
            naks.delay(4, 1, DELAY, at(60), &BOUNDS),
            Verdict::Delayed(DELAY)
        );
    }

    #[test]
    fn what_was_delayed_here_is_never_too_many() {
        let naks = DelayedNaks::default();
        for (sequence, second) in [(1, 0), (2, 40), (3, 40)] {
            let verdict = naks.delay(sequence, 1, DELAY, at(second), &BOUNDS);
            assert_eq!(verdict, Verdict::Delayed(DELAY));
        }
        // Its place went to another while a handler elsewhere had it.
        let again = naks.delay(1, 2, DELAY, at(41), &BOUNDS);
        assert_eq!(again, Verdict::Delayed(DELAY));
        assert_eq!(
            naks.delay(4, 1, DELAY, at(41), &BOUNDS),
            Verdict::TooMany(3)
        );
    }

    #[test]
    fn the_time_runs_from_the_first_delivery_wherever_it_was_meanwhile() {
        let naks = DelayedNaks::default();
        naks.delay(1, 1, DELAY, at(0), &BOUNDS);
        // Its place is given up long ago, since others had it.
        assert_eq!(
            naks.delay(1, 4, DELAY, at(90), &BOUNDS),
            Verdict::Delayed(10 * SECOND)
        );
        assert_eq!(
            naks.delay(1, 5, DELAY, at(100), &BOUNDS),
            Verdict::TooLong(100 * SECOND)
        );
        naks.delay(2, 1, DELAY, at(100), &BOUNDS);
        // Another message, in a stream that was deleted and created again.
        assert_eq!(
            naks.delay(2, 1, DELAY, at(200), &BOUNDS),
            Verdict::Delayed(DELAY)
        );
    }

    #[test]
    fn the_time_does_not_begin_anew_when_a_termination_is_lost() {
        let naks = DelayedNaks::default();
        naks.delay(1, 1, DELAY, at(0), &BOUNDS);
        naks.delay(2, 1, DELAY, at(0), &BOUNDS);
        for (attempt, second) in [(2, 100), (3, 105), (4, 150)] {
            naks.delivered_again(1, || at(second + 10));
            let verdict = naks.delay(1, attempt, DELAY, at(second), &BOUNDS);
            assert_eq!(verdict, Verdict::TooLong(100 * SECOND));
            naks.terminated(1);
        }
        // Nor does it have a place, where its handler terminated it.
        naks.delay(3, 1, DELAY, at(150), &BOUNDS);
        naks.delay(4, 1, DELAY, at(150), &BOUNDS);
        naks.terminated(3);
        assert_eq!(
            naks.delay(5, 1, DELAY, at(150), &BOUNDS),
            Verdict::Delayed(DELAY)
        );
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let naks = DelayedNaks::default();
        let bounds = Bounds {
            at_most: Some(usize::MAX),
            ..BOUNDS
        };
        let many = REMEMBERED as u64 + 1_000;
        for sequence in 1..=many {
            naks.delay(sequence, 1, DELAY, at(0), &bounds);
        }
        naks.delay(0, 1, DELAY, at(40), &bounds);
        assert_eq!(naks.lock().entries.len(), REMEMBERED + 1);
        assert!(!naks.has_some(at(245)));
        let state = naks.lock();
        assert!(state.entries.is_empty() && state.remembered.is_empty());
        assert!(state.held.is_empty());
        drop(state);
        // Without bounds nothing is remembered.
        let none = Bounds {
            at_most: None,
            for_at_most: None,
            ..BOUNDS
        };
        assert_eq!(
            naks.delay(1, 1, DELAY, at(0), &none),
            Verdict::Delayed(DELAY)
        );
        assert!(naks.lock().entries.is_empty());
    }

    #[test]
    fn subscriptions_of_a_consumer_share_its_places() {
        let registry = Registry::default();
        let of = |stream, consumer| registry.of(stream, consumer, at(0));
        let one = of("S", Some("a"));
        assert!(Arc::ptr_eq(&one, &of("S", Some("a"))));
        assert!(!Arc::ptr_eq(&one, &of("T", Some("a"))));
        assert!(!Arc::ptr_eq(&of("S", None), &of("S", None)));
        let address = Arc::as_ptr(&one);
        one.delay(1, 1, DELAY, at(0), &BOUNDS);
        drop(one);
        assert_eq!(address, Arc::as_ptr(&of("S", Some("a"))));
        registry.of("S", Some("b"), at(300));
        assert_eq!(registry.consumers.lock().unwrap().len(), 1);
    }
}

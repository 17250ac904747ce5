//! `Line`: the deliveries of a subscription that come later.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use event_sdk::transport::Received;

/// Deliveries that come later. The settlements of a subscription add to it.
#[derive(Default)]
pub(super) struct Line {
    state: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    later: Vec<Later>,
    /// How many deliveries of a message the faults have added, by sequence.
    added: HashMap<u64, u32>,
    waker: Option<Waker>,
}

struct Later {
    due: Duration,
    /// It comes after the next delivery, if that comes earlier.
    after_next: bool,
    received: Received,
}

impl Line {
    /// Counts a delivery that the faults add to those of the transport.
    pub(super) fn count(&self, sequence: u64) {
        let mut state = self.lock();
        let added = state.added.entry(sequence).or_default();
        *added = added.saturating_add(1);
    }

    /// How many deliveries of this message the faults have added.
    pub(super) fn added(&self, sequence: u64) -> u32 {
        self.lock()
            .added
            .get(&sequence)
            .copied()
            .unwrap_or_default()
    }

    /// Delivers this again, or later.
    pub(super) fn add(&self, due: Duration, received: Received) {
        self.put(due, false, received);
    }

    /// The same; with `after_next` it comes with the next delivery, if that comes earlier.
    pub(super) fn put(&self, due: Duration, after_next: bool, received: Received) {
        let waker = {
            let mut state = self.lock();
            state.later.push(Later {
                due,
                after_next,
                received,
            });
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What is due; of several the one that is due first, of equals the one that was added first.
    pub(super) fn take(&self, now: Duration) -> Option<Received> {
        let mut state = self.lock();
        let due = state
            .later
            .iter()
            .enumerate()
            .filter(|(_, later)| later.due <= now);
        let (place, _) = due.min_by_key(|(place, later)| (later.due, *place))?;
        Some(state.later.remove(place).received)
    }

    /// Another delivery has come: those that wait for it are due.
    pub(super) fn passed(&self, now: Duration) {
        let mut state = self.lock();
        let waiting = state.later.iter_mut().filter(|later| later.after_next);
        for later in waiting {
            (later.due, later.after_next) = (now, false);
        }
    }

    /// When the next one is due; the waker is woken for one that is added.
    pub(super) fn next_due(&self, waker: &Waker) -> Option<Duration> {
        let mut state = self.lock();
        state.waker = Some(waker.clone());
        state.later.iter().map(|later| later.due).min()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

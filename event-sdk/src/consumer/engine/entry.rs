//! `Entry`: an event that the engine holds, its state, and its failures so far.

use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::text::Text;
use jiff::Timestamp;

use super::attempts::Running;
use super::keys::Key;
use crate::consumer::attempts::Known;
use crate::consumer::breaker::{Breaker, Pass};
use crate::consumer::handlers::Chosen;
use crate::consumer::held::Held;
use crate::dead_letters::{DeadLetter, DeadLetterClass};

/// An event that the engine holds.
pub(super) struct Entry {
    pub(super) held: Arc<Held>,
    /// The handler that takes it; `None` if none does.
    pub(super) chosen: Option<Chosen>,
    /// The key in whose order it is.
    pub(super) key: Option<Key>,
    /// Whether it blocks its key.
    pub(super) blocks_key: bool,
    /// Counts the events in the order in which they were received.
    pub(super) arrival: u64,
    /// The scope of its circuit breaker.
    pub(super) scope: Text,
    /// Its start at the breaker, while its handler runs.
    pub(super) pass: Option<Pass>,
    /// Whether it is handled alone, after a batch that failed as a whole.
    pub(super) alone: bool,
    pub(super) state: State,
    /// Since when its handler runs, if it may hold up its key.
    pub(super) runs_since: Option<Duration>,
    /// Since when its handler runs, if the bus has an observer.
    pub(super) runs_for_observer: Option<Duration>,
    /// How many handlers were started for the event, but those that ended in an outage.
    pub(super) starts: u32,
    pub(super) failures: Failures,
    /// What its attempt record says; `None` as long as nothing is recorded.
    pub(super) known: Option<Box<Known>>,
    /// Whether `known` counts the attempt that runs.
    pub(super) counted: bool,
    /// Its dead letter, once it was given up, or what is put into the park.
    pub(super) letter: Option<Arc<DeadLetter>>,
    /// How often the letter could not be written.
    pub(super) letter_failures: u32,
    /// When it was received.
    pub(super) since: Duration,
    /// When its ack wait last began.
    pub(super) alive_at: Duration,
}

/// What the engine does with an event.
pub(super) enum State {
    /// It waits for its key, or for a handler to be free.
    Queued,
    /// Its start, or the end of its attempt, is being recorded.
    Recording,
    /// It waits until it can run alone in the process.
    Suspect,
    /// Its handler runs.
    Running(Running),
    /// It runs in a batch, whose first event is `Running`.
    InBatch,
    /// It waits until a dependency is back.
    AtBreaker,
    /// It waits for its next attempt, until this time.
    Waiting(Duration),
    /// Its dead letter is being written, or it is being put into the park.
    WritingLetter,
    /// It is being settled.
    Settling,
}

/// The failed attempts of an event.
#[derive(Default)]
pub(super) struct Failures {
    pub(super) count: u32,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

impl Entry {
    pub(super) fn new(held: Arc<Held>, key: Option<Key>, arrival: u64, now: Duration) -> Self {
        Self {
            held,
            chosen: None,
            key,
            blocks_key: false,
            arrival,
            scope: Text::from_static(Breaker::DEFAULT_SCOPE),
            pass: None,
            alone: false,
            state: State::Queued,
            runs_since: None,
            runs_for_observer: None,
            starts: 0,
            failures: Failures::default(),
            known: None,
            counted: false,
            letter: None,
            letter_failures: 0,
            since: now,
            alive_at: now,
        }
    }

    /// Whether it is put into the park, and was not given up.
    pub(super) fn parks(&self) -> bool {
        let letter = self.letter.as_ref();
        letter.is_some_and(|letter| letter.class == DeadLetterClass::Parked)
    }

    /// Its sequence among the events of its stream; `None` for one that is in no order with them: one
    /// that was redriven by the retry stream.
    pub(super) fn position(&self) -> Option<u64> {
        if self.held.redriven().is_some() && self.held.parked().is_none() {
            return None;
        }
        let delivery = self.held.delivery();
        delivery.stream()?;
        delivery.sequence()
    }

    /// A handler is started for it. Its record may have counted that already.
    pub(super) fn count_start(&mut self) {
        self.starts = match &self.known {
            Some(known) if self.counted => known.attempts(),
            _ => self.starts.saturating_add(1),
        };
    }
}

//! `Queue`: messages that have come and were not handed out, with the time since when each may
//! have been here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::message::Message;
use super::reply::Reply;

/// The messages of one subscription that wait for its caller, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    list: VecDeque<Held>,
    bytes: u64,
}

/// A message that waits.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) message: Message,
    pub(super) reply: Reply,
    /// The earliest time at which it can have come.
    pub(super) since: Instant,
    /// Whether it is not to be handed out: a newer delivery of its sequence is, or was.
    pub(super) is_old: bool,
}

impl Held {
    fn bytes(&self) -> u64 {
        u64::try_from(self.message.size()).unwrap_or(u64::MAX)
    }

    /// How long it may have waited.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

impl Queue {
    pub(super) fn add(&mut self, held: Held) {
        self.bytes += held.bytes();
        self.list.push_back(held);
    }

    /// A redelivery of this sequence has come: what waits of it is not handed out.
    pub(super) fn supersede(&mut self, sequence: u64) {
        for held in &mut self.list {
            held.is_old |= held.reply.sequence == sequence;
        }
    }

    pub(super) fn pop(&mut self) -> Option<Held> {
        let held = self.list.pop_front()?;
        self.bytes -= held.bytes();
        Some(held)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// All of them.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Held> {
        std::mem::take(self).list.into_iter()
    }
}

/// Notes when the first message comes while nobody polls, through the waker that an inbox
/// wakes then.
#[derive(Debug)]
pub(super) struct ArrivalTimes {
    noted: Arc<Noted>,
    /// The waker for the inbox.
    waker: Waker,
    /// When the inbox was empty the last time.
    empty: Instant,
}

#[derive(Debug)]
struct Noted(Mutex<Note>);

#[derive(Debug, Default)]
struct Note {
    first: Option<Instant>,
    waker: Option<Waker>,
}

impl Noted {
    fn lock(&self) -> MutexGuard<'_, Note> {
        // Nothing in here panics half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut note = self.lock();
        note.first.get_or_insert_with(Instant::now);
        let waker = note.waker.take();
        drop(note);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl ArrivalTimes {
    pub(super) fn new(now: Instant) -> Self {
        let noted = Arc::new(Noted(Mutex::default()));
        Self {
            waker: Arc::clone(&noted).into(),
            noted,
            empty: now,
        }
    }

    /// The waker with which the inbox is polled; it wakes the caller.
    pub(super) fn waker(&self, caller: &Waker) -> Waker {
        let mut note = self.noted.lock();
        match &mut note.waker {
            Some(waker) => waker.clone_from(caller),
            unset => *unset = Some(caller.clone()),
        }
        self.waker.clone()
    }

    /// The earliest time at which what comes out of the inbox now can have come into it.
    pub(super) fn since(&self) -> Instant {
        self.noted.lock().first.unwrap_or(self.empty)
    }

    /// For how long it may have something that was not taken.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since())
    }

    /// The inbox was found empty and wakes the waker when something comes.
    pub(super) fn found_empty(&mut self, now: Instant) {
        self.noted.lock().first = None;
        self.empty = now;
    }
}

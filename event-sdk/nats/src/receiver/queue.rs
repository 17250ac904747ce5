//! `Queue`: messages of one subscription on their way from the connection to the reader.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::message::WireMessage;

/// Filled by the connection, emptied by the reader.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// How many bytes wait at the most.
    most_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<WireMessage>,
    /// How many bytes they have.
    bytes: usize,
    /// How many came after them and were dropped. From the first on all are, until the reader
    /// takes what waits: so they have one place.
    dropped: u64,
    reader: Option<Waker>,
    /// Nothing comes any more.
    ended: bool,
    /// Whether it was said that messages are dropped.
    warned: bool,
}

/// The most messages that wait. A consumer asks for half of it at the most, so more come only
/// from a server that ignores what was asked, or from another client that knows the inbox; what
/// is dropped is delivered again after its ack wait. Without a stream more may come, and the
/// reader is told how many were dropped.
const MOST: usize = 128 * 1024;

impl Queue {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            most_bytes,
        }
    }

    /// Hands over what came in one read. The reader is woken once.
    pub(super) fn push(&self, messages: &mut Vec<WireMessage>) {
        let mut state = self.lock();
        let mut dropped = 0;
        for message in messages.drain(..) {
            let bytes = state.bytes.saturating_add(message.size());
            // One alone may be larger than all the room.
            let full = state.messages.len() >= MOST
                || (bytes > self.most_bytes && !state.messages.is_empty());
            if full || state.dropped > 0 {
                dropped += 1;
                state.dropped = state.dropped.saturating_add(1);
            } else {
                state.bytes = bytes;
                state.messages.push_back(message);
            }
        }
        let warns = dropped > 0 && !std::mem::replace(&mut state.warned, true);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        if warns {
            tracing::warn!(target: crate::TRACING_TARGET, dropped, "more messages came than there is room for; some were dropped");
        }
    }

    /// Moves all that came into `taken`, which is empty: with one lock for all. Ready with how
    /// many were dropped after that, and with `None` when nothing comes any more.
    pub(super) fn poll_take(
        &self,
        taken: &mut VecDeque<WireMessage>,
        cx: &Context<'_>,
    ) -> Poll<Option<u64>> {
        let mut state = self.lock();
        if !state.messages.is_empty() {
            std::mem::swap(taken, &mut state.messages);
            state.bytes = 0;
            return Poll::Ready(Some(std::mem::take(&mut state.dropped)));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        match &mut state.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(count: usize) -> Vec<WireMessage> {
        vec![WireMessage::of(b"a", None, b"", b"body"); count]
    }

    fn take(queue: &Queue) -> Poll<Option<(usize, u64)>> {
        let mut taken = VecDeque::new();
        let came = queue.poll_take(&mut taken, &Context::from_waker(Waker::noop()));
        came.map(|dropped| dropped.map(|dropped| (taken.len(), dropped)))
    }

    #[test]
    fn all_that_came_is_taken_at_once_also_after_the_end() {
        let queue = Queue::new(usize::MAX);
        assert_eq!(take(&queue), Poll::Pending);
        queue.push(&mut messages(2));
        queue.push(&mut messages(3));
        assert_eq!(take(&queue), Poll::Ready(Some((5, 0))));
        queue.push(&mut messages(1));
        queue.end();
        assert_eq!(take(&queue), Poll::Ready(Some((1, 0))));
        assert_eq!(take(&queue), Poll::Ready(None));
    }

    #[test]
    fn what_nobody_asked_for_is_limited() {
        let queue = Queue::new(usize::MAX);
        queue.push(&mut messages(MOST - 1));
        let mut more = messages(3);
        queue.push(&mut more);
        assert!(more.is_empty());
        queue.push(&mut messages(1));
        assert_eq!(take(&queue), Poll::Ready(Some((MOST, 3))));
        queue.push(&mut messages(1));
        assert_eq!(take(&queue), Poll::Ready(Some((1, 0))));
    }

    #[test]
    fn bytes_are_limited_too_and_what_follows_the_first_that_is_dropped_is_as_well() {
        let size = messages(1)[0].size();
        let queue = Queue::new(3 * size - 1);
        queue.push(&mut messages(2));
        queue.push(&mut messages(1));
        queue.push(&mut vec![WireMessage::of(b"", None, b"", b"")]);
        assert_eq!(take(&queue), Poll::Ready(Some((2, 2))));
        let queue = Queue::new(1);
        queue.push(&mut messages(2));
        assert_eq!(take(&queue), Poll::Ready(Some((1, 1))));
    }
}

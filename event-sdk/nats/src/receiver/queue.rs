//! `Queue`: messages of one subscription on their way from the connection to the reader.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::message::WireMessage;

/// Filled by the connection, emptied by the reader.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<WireMessage>,
    reader: Option<Waker>,
    /// Nothing comes any more.
    ended: bool,
    /// Whether it was said that messages are dropped.
    warned: bool,
}

/// The most messages that wait. A subscription asks for half of it at the most, so more come
/// only from a server that ignores what was asked, or from another client that knows the inbox.
/// What is dropped is delivered again after its ack wait.
const MOST: usize = 128 * 1024;

impl Queue {
    /// Hands over what came in one read. The reader is woken once.
    pub(super) fn push(&self, messages: &mut Vec<WireMessage>) {
        let mut state = self.lock();
        let room = MOST.saturating_sub(state.messages.len());
        let dropped = messages.len().saturating_sub(room);
        state.messages.extend(messages.drain(..).take(room));
        let warns = dropped > 0 && !std::mem::replace(&mut state.warned, true);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        if warns {
            tracing::warn!(target: crate::TRACING_TARGET, dropped, "more messages came than were asked for; some were dropped");
        }
    }

    /// Moves all that came into `taken`, which is empty: with one lock for all. Ready with
    /// `false` when nothing comes any more.
    pub(super) fn poll_take(
        &self,
        taken: &mut VecDeque<WireMessage>,
        cx: &Context<'_>,
    ) -> Poll<bool> {
        let mut state = self.lock();
        if !state.messages.is_empty() {
            std::mem::swap(taken, &mut state.messages);
            return Poll::Ready(true);
        }
        if state.ended {
            return Poll::Ready(false);
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

    fn take(queue: &Queue) -> Poll<Option<usize>> {
        let mut taken = VecDeque::new();
        let came = queue.poll_take(&mut taken, &Context::from_waker(Waker::noop()));
        came.map(|came| came.then_some(taken.len()))
    }

    #[test]
    fn all_that_came_is_taken_at_once_also_after_the_end() {
        let queue = Queue::default();
        assert_eq!(take(&queue), Poll::Pending);
        queue.push(&mut messages(2));
        queue.push(&mut messages(3));
        assert_eq!(take(&queue), Poll::Ready(Some(5)));
        queue.push(&mut messages(1));
        queue.end();
        assert_eq!(take(&queue), Poll::Ready(Some(1)));
        assert_eq!(take(&queue), Poll::Ready(None));
    }

    #[test]
    fn what_nobody_asked_for_is_limited() {
        let queue = Queue::default();
        queue.push(&mut messages(MOST - 1));
        let mut more = messages(3);
        queue.push(&mut more);
        assert!(more.is_empty());
        assert_eq!(take(&queue), Poll::Ready(Some(MOST)));
    }
}

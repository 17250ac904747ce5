//! `Arrivals`: the messages of one subscription that have come and were not read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::task::coop;

use super::message::WireMessage;
use super::shared::Shared;

/// The reading side of a subscription. Dropping it ends the subscription.
#[derive(Debug)]
pub(crate) struct Arrivals {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    sid: u64,
    /// Taken from the queue, with one lock for all that had come.
    taken: VecDeque<WireMessage>,
}

/// The side of the connection.
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

impl Arrivals {
    pub(super) fn new(shared: Arc<Shared>, queue: Arc<Queue>, sid: u64) -> Self {
        Self {
            shared,
            queue,
            sid,
            taken: VecDeque::new(),
        }
    }

    /// The next message; `None` when nothing comes any more, since the connection has ended for
    /// good.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<WireMessage>> {
        // No channel of tokio counts what is taken here.
        let budget = ready!(coop::poll_proceed(cx));
        let next = ready!(self.poll_taken(cx));
        budget.made_progress();
        Poll::Ready(next)
    }

    /// The next message that has come; nothing is waited for.
    pub(crate) fn try_next(&mut self) -> Option<WireMessage> {
        match self.poll_taken(&Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => next,
            Poll::Pending => None,
        }
    }

    /// Tells the server to send nothing more. What it has sent before still arrives.
    pub(crate) fn unsubscribe(&self) {
        self.shared.unsubscribe(self.sid);
    }

    fn poll_taken(&mut self, cx: &Context<'_>) -> Poll<Option<WireMessage>> {
        if let Some(message) = self.taken.pop_front() {
            return Poll::Ready(Some(message));
        }
        let mut state = self.queue.lock();
        if state.messages.is_empty() {
            if state.ended {
                return Poll::Ready(None);
            }
            match &mut state.reader {
                Some(reader) => reader.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        std::mem::swap(&mut self.taken, &mut state.messages);
        drop(state);
        Poll::Ready(self.taken.pop_front())
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.shared.forget(self.sid);
    }
}

impl Queue {
    /// Hands over what came in one read. The reader is woken once.
    pub(super) fn push(&self, messages: &mut Vec<WireMessage>) {
        let mut state = self.lock();
        let room = MOST.saturating_sub(state.messages.len());
        let dropped = messages.len().saturating_sub(room);
        state.messages.extend(messages.drain(..).take(room));
        let warns = dropped > 0 && !std::mem::replace(&mut state.warned, dropped > 0);
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        if warns {
            tracing::warn!(target: crate::TRACING_TARGET, dropped, "more messages came than were asked for; some were dropped");
        }
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

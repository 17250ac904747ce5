//! Bounded buffer of a core NATS subscription: counts what it drops, filled by one task.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use tokio::task::coop::{Unconstrained, unconstrained};

use crate::receiver::WireMessage;

/// Maximum number of buffered messages, unless the prefetch is higher.
const MESSAGES: usize = 65_536;

/// Maximum of buffered bytes, including headers and subjects: the limit of the Go client
/// (`nats.DefaultSubPendingBytesLimit`), and of a server before it disconnects a slow consumer
/// (`max_pending`).
const BYTES: usize = 64 * 1024 * 1024;

/// How many messages are taken from the connection before other tasks run: a part of its capacity,
/// so that it does not become full in the meantime.
const AT_ONCE: usize = 32_768;

/// The buffer of received messages.
///
/// No stream stores the messages, and the server does not wait for the reader. So messages are
/// taken from the connection at once ([`Filling`]), and messages without room in the buffer are
/// dropped and counted, at their place in the order.
pub(super) struct Waiting {
    state: Mutex<State>,
    /// Maximum number of messages.
    messages: usize,
    /// Maximum of bytes.
    bytes: usize,
}

struct State {
    /// The source; `None` after it has ended or was left.
    source: Option<Source>,
    items: VecDeque<Item>,
    bytes: usize,
    reader: Option<Waker>,
    /// The waker of the task that reads the source.
    filling: Option<Waker>,
}

type Source = Pin<Box<dyn Stream<Item = WireMessage> + Send>>;

/// The next item of the buffer.
pub(super) enum Item {
    Message(WireMessage),
    /// This many messages were dropped at this place in the order.
    Dropped(u64),
}

/// Fills the buffer until the source ends or [`Waiting::leave`] is called; to be spawned.
pub(super) struct Filling(Arc<Waiting>);

impl Waiting {
    pub(super) fn new(
        source: impl Stream<Item = WireMessage> + Send + 'static,
        prefetch: usize,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                source: Some(Box::pin(source)),
                items: VecDeque::new(),
                bytes: 0,
                reader: None,
                filling: None,
            }),
            messages: prefetch.max(MESSAGES),
            bytes: BYTES,
        }
    }

    /// The task that fills the buffer. It is not limited by tokio's budget, because the connection
    /// is not either and would outrun it.
    pub(super) fn filling(self: &Arc<Self>) -> Unconstrained<Filling> {
        unconstrained(Filling(Arc::clone(self)))
    }

    /// Ends reading. The server gets the unsubscribe before anything that is sent later, because it
    /// could choose this subscription of a group for a later message.
    pub(super) fn leave(&self) {
        let left = {
            let mut state = self.lock();
            let items = std::mem::take(&mut state.items);
            (state.source.take(), items, state.filling.take())
        };
        let (source, items, filling) = left;
        drop((source, items));
        wake(filling);
    }

    /// The next item; `None` at the end.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.lock();
        if let Some(item) = state.items.pop_front() {
            if let Item::Message(message) = &item {
                state.bytes -= message.len();
            }
            return Poll::Ready(Some(item));
        }
        if state.source.is_none() {
            return Poll::Ready(None);
        }
        note(&mut state.reader, cx);
        Poll::Pending
    }

    /// Takes received messages; ready when the source has ended.
    fn poll_fill(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        let mut taken = 0;
        let filled = loop {
            let Some(source) = &mut state.source else {
                break Poll::Ready(());
            };
            match source.as_mut().poll_next(cx) {
                Poll::Ready(Some(message)) => self.keep(&mut state, message),
                Poll::Ready(None) => {
                    state.source = None;
                    break Poll::Ready(());
                }
                Poll::Pending => break Poll::Pending,
            }
            taken += 1;
            if taken == AT_ONCE {
                cx.waker().wake_by_ref();
                break Poll::Pending;
            }
        };
        note(&mut state.filling, cx);
        let reader = if taken > 0 || filled.is_ready() {
            state.reader.take()
        } else {
            None
        };
        drop(state);
        wake(reader);
        filled
    }

    fn keep(&self, state: &mut State, message: WireMessage) {
        let full = state.items.len() >= self.messages
            || state.bytes.saturating_add(message.len()) > self.bytes;
        match state.items.back_mut() {
            Some(Item::Dropped(count)) if full => *count = count.saturating_add(1),
            Some(_) if full => state.items.push_back(Item::Dropped(1)),
            _ => {
                state.bytes += message.len();
                state.items.push_back(Item::Message(message));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under this lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Filling {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_fill(cx)
    }
}

impl Drop for Filling {
    /// Marks the end of the source, also if a runtime that ends drops the task.
    fn drop(&mut self) {
        let ended = {
            let mut state = self.0.lock();
            (state.source.take(), state.reader.take())
        };
        let (source, reader) = ended;
        drop(source);
        wake(reader);
    }
}

fn note(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use futures_util::stream::pending;

    use super::*;

    fn message(length: usize) -> WireMessage {
        WireMessage::of(b"", None, b"", &vec![b'x'; length])
    }

    /// What waits: the length of each message, and below zero how many were dropped.
    fn read(waiting: &Waiting, many: usize) -> Vec<i64> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut items = Vec::new();
        while items.len() < many
            && let Poll::Ready(Some(item)) = waiting.poll(&mut cx)
        {
            items.push(match item {
                Item::Message(message) => i64::try_from(message.len()).unwrap(),
                Item::Dropped(count) => -i64::try_from(count).unwrap(),
            });
        }
        items
    }

    fn holding(messages: usize, bytes: usize) -> Waiting {
        Waiting {
            messages,
            bytes,
            ..Waiting::new(pending(), 1)
        }
    }

    fn push(waiting: &Waiting, message: WireMessage) {
        waiting.keep(&mut waiting.lock(), message);
    }

    #[test]
    fn what_has_no_room_is_counted_in_its_place() {
        let waiting = holding(2, 1000);
        for length in [1, 2, 3, 4] {
            push(&waiting, message(length));
        }
        assert_eq!(read(&waiting, 1), [1]);
        push(&waiting, message(5));
        assert_eq!(read(&waiting, 9), [2, -3]);
        push(&waiting, message(6));
        assert_eq!(read(&waiting, 9), [6]);
    }

    #[test]
    fn bytes_are_limited_too_and_what_was_read_leaves_room() {
        let waiting = holding(100, 10);
        for length in [11, 4, 1] {
            push(&waiting, message(length));
        }
        // A single message may be larger than the buffer.
        assert_eq!(read(&waiting, 9), [11, -2]);
        for length in [6, 4, 1] {
            push(&waiting, message(length));
        }
        assert_eq!(read(&waiting, 9), [6, 4, -1]);
    }

    #[test]
    fn filling_ends_when_nobody_reads_any_more() {
        let waiting = Arc::new(Waiting::new(pending(), 1));
        let mut cx = Context::from_waker(Waker::noop());
        let mut filling = pin!(waiting.filling());
        assert!(filling.as_mut().poll(&mut cx).is_pending());
        waiting.leave();
        assert!(filling.as_mut().poll(&mut cx).is_ready());
    }

    #[test]
    fn what_came_is_read_before_the_end() {
        let source = futures_util::stream::iter([message(1), message(2)]);
        let waiting = Arc::new(Waiting::new(source, 1));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(waiting.filling()).poll(&mut cx).is_ready());
        assert_eq!(read(&waiting, 9), [1, 2]);
        assert!(matches!(waiting.poll(&mut cx), Poll::Ready(None)));
    }

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn reading_ends_with_a_runtime_that_drops_its_tasks() {
        let waiting = Arc::new(Waiting::new(pending(), 1));
        let filling = waiting.filling();
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        let mut cx = Context::from_waker(&waker);
        assert!(waiting.poll(&mut cx).is_pending());
        drop(filling);
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(matches!(waiting.poll(&mut cx), Poll::Ready(None)));
    }
}

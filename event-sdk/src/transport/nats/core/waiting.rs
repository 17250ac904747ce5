//! What came for a subscription without a stream and waits to be read.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_util::StreamExt;
use tokio::sync::Notify;

/// How many messages wait at the most, unless more are to be taken ahead: as many as
/// async-nats holds for a subscription.
const MESSAGES: usize = 65_536;

/// How many bytes wait at the most, headers and subjects included: as the Go client
/// (`nats.DefaultSubPendingBytesLimit`), and as much as a server holds for a client before
/// it takes it for a slow consumer (`max_pending`).
const BYTES: usize = 64 * 1024 * 1024;

/// What came and waits to be read.
///
/// Nobody stores it and no server waits: what comes faster than it is read has to go
/// somewhere. async-nats drops it without a word to who reads. So it is taken from there
/// at once, and what has no room here is counted, in its place.
pub(super) struct Waiting {
    state: Mutex<State>,
    /// Whoever fills it is to stop.
    left: Notify,
    /// How many messages it holds at the most.
    messages: usize,
    /// And how many bytes.
    bytes: usize,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    /// Nothing more comes.
    complete: bool,
    reader: Option<Waker>,
}

/// What is read next.
pub(super) enum Item {
    Message(async_nats::Message),
    /// So many had no room, after what was before them and before what is behind.
    Dropped(u64),
}

impl Waiting {
    pub(super) fn new(prefetch: usize) -> Self {
        Self {
            state: Mutex::default(),
            left: Notify::new(),
            messages: prefetch.max(MESSAGES),
            bytes: BYTES,
        }
    }

    /// Takes what comes, until nothing does or [`leave`](Self::leave).
    pub(super) async fn fill(&self, mut messages: impl Stream<Item = async_nats::Message> + Unpin) {
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                () = self.left.notified() => return,
            };
            let Some(message) = message else { break };
            self.push(message);
        }
        let reader = {
            let mut state = self.lock();
            state.complete = true;
            state.reader.take()
        };
        wake(reader);
    }

    /// Nobody reads any more: whoever fills it stops, now or when it begins.
    pub(super) fn leave(&self) {
        *self.lock() = State::default();
        self.left.notify_one();
    }

    /// The next item; `None` when nothing more comes.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.lock();
        if let Some(item) = state.items.pop_front() {
            if let Item::Message(message) = &item {
                state.bytes -= message.length;
            }
            return Poll::Ready(Some(item));
        }
        if state.complete {
            return Poll::Ready(None);
        }
        match &mut state.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn push(&self, message: async_nats::Message) {
        let mut state = self.lock();
        let full = state.items.len() >= self.messages
            || state.bytes.saturating_add(message.length) > self.bytes;
        match state.items.back_mut() {
            Some(Item::Dropped(count)) if full => *count = count.saturating_add(1),
            Some(_) if full => state.items.push_back(Item::Dropped(1)),
            _ => {
                state.bytes += message.length;
                state.items.push_back(Item::Message(message));
            }
        }
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(reader: Option<Waker>) {
    if let Some(reader) = reader {
        reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> async_nats::Message {
        async_nats::Message {
            subject: "orders.order.placed".into(),
            reply: None,
            payload: "{}".into(),
            headers: None,
            status: None,
            description: None,
            length,
        }
    }

    /// What waits: the length of each message, and below zero how many were dropped.
    fn read(waiting: &Waiting, many: usize) -> Vec<i64> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut items = Vec::new();
        while items.len() < many
            && let Poll::Ready(Some(item)) = waiting.poll(&mut cx)
        {
            items.push(match item {
                Item::Message(message) => i64::try_from(message.length).unwrap(),
                Item::Dropped(count) => -i64::try_from(count).unwrap(),
            });
        }
        items
    }

    fn holding(messages: usize, bytes: usize) -> Waiting {
        Waiting {
            messages,
            bytes,
            ..Waiting::new(1)
        }
    }

    #[test]
    fn what_has_no_room_is_counted_in_its_place() {
        let waiting = holding(2, 1000);
        for length in [1, 2, 3, 4] {
            waiting.push(message(length));
        }
        assert_eq!(read(&waiting, 1), [1]);
        waiting.push(message(5));
        assert_eq!(read(&waiting, 9), [2, -3]);
        waiting.push(message(6));
        assert_eq!(read(&waiting, 9), [6]);
    }

    #[test]
    fn bytes_are_limited_too_and_what_was_read_leaves_room() {
        let waiting = holding(100, 10);
        for length in [11, 4, 1] {
            waiting.push(message(length));
        }
        // One alone may be larger than all the room.
        assert_eq!(read(&waiting, 9), [11, -2]);
        for length in [6, 4, 1] {
            waiting.push(message(length));
        }
        assert_eq!(read(&waiting, 9), [6, 4, -1]);
    }

    #[tokio::test]
    async fn filling_stops_when_nobody_reads_any_more() {
        let waiting = Waiting::new(1);
        waiting.leave();
        waiting.fill(futures_util::stream::pending()).await;
    }
}

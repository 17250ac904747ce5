//! `Arrivals`: the reading side of a subscription on the connection for deliveries.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use tokio::task::coop;

use super::message::WireMessage;
use super::queue::Queue;
use super::shared::Shared;

/// The messages of one subscription that have come and were not read. Dropping it ends the
/// subscription.
#[derive(Debug)]
pub(crate) struct Arrivals {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    sid: u64,
    taken: VecDeque<WireMessage>,
    /// How many came after those and were dropped.
    dropped: u64,
}

/// What has come.
#[derive(Debug)]
pub(crate) enum Arrived {
    Message(WireMessage),
    /// So many had no room, after what was before them and before what is behind.
    Dropped(u64),
}

impl Arrivals {
    pub(super) fn new(shared: Arc<Shared>, queue: Arc<Queue>, sid: u64) -> Self {
        Self {
            shared,
            queue,
            sid,
            taken: VecDeque::new(),
            dropped: 0,
        }
    }

    /// The next message, whatever was dropped before; `None` when nothing comes any more, since
    /// the connection has ended for good.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<WireMessage>> {
        // No channel of tokio counts what is taken here.
        let budget = ready!(coop::poll_proceed(cx));
        let next = ready!(self.poll_message(cx));
        budget.made_progress();
        Poll::Ready(next)
    }

    /// The next message that has come; nothing is waited for.
    pub(crate) fn try_next(&mut self) -> Option<WireMessage> {
        match self.poll_message(&Context::from_waker(Waker::noop())) {
            Poll::Ready(next) => next,
            Poll::Pending => None,
        }
    }

    /// The number of the subscription.
    pub(crate) fn sid(&self) -> u64 {
        self.sid
    }

    /// Tells the server to send nothing more. What it has sent before still arrives.
    pub(crate) fn unsubscribe(&self) {
        self.shared.unsubscribe(self.sid);
    }

    fn poll_message(&mut self, cx: &Context<'_>) -> Poll<Option<WireMessage>> {
        loop {
            match ready!(self.poll_taken(cx)) {
                Some(Arrived::Message(message)) => return Poll::Ready(Some(message)),
                Some(Arrived::Dropped(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }

    fn poll_taken(&mut self, cx: &Context<'_>) -> Poll<Option<Arrived>> {
        if self.taken.is_empty() && self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            return Poll::Ready(Some(Arrived::Dropped(dropped)));
        }
        if self.taken.is_empty() {
            match ready!(self.queue.poll_take(&mut self.taken, cx)) {
                Some(dropped) => self.dropped = dropped,
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(self.taken.pop_front().map(Arrived::Message))
    }
}

impl Stream for Arrivals {
    type Item = Arrived;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let budget = ready!(coop::poll_proceed(cx));
        let next = ready!(self.poll_taken(cx));
        budget.made_progress();
        Poll::Ready(next)
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.shared.forget(self.sid);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, StreamExt as _};

    use super::*;

    #[test]
    fn who_reads_without_a_stream_is_told_what_was_dropped_in_its_place() {
        let shared = Arc::new(Shared::new());
        let (sid, queue) = shared.subscribe("a".to_owned(), None, 1);
        let mut arrivals = Arrivals::new(shared, Arc::clone(&queue), sid);
        let messages = || vec![WireMessage::of(b"a", None, b"", b"body"); 3];
        queue.push(&mut messages());
        let mut told = Vec::new();
        for _ in 0..2 {
            match arrivals.next().now_or_never() {
                Some(Some(Arrived::Message(_))) => told.push(0),
                Some(Some(Arrived::Dropped(dropped))) => told.push(dropped),
                other => panic!("{other:?}"),
            }
            queue.push(&mut messages()[..1].to_vec());
        }
        assert_eq!(told, [0, 2]);
        // A consumer is not: it comes again.
        assert!(arrivals.try_next().is_some());
    }
}

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
}

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
        if self.taken.is_empty() && !ready!(self.queue.poll_take(&mut self.taken, cx)) {
            return Poll::Ready(None);
        }
        Poll::Ready(self.taken.pop_front())
    }
}

impl Stream for Arrivals {
    type Item = WireMessage;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_next(cx)
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.shared.forget(self.sid);
    }
}

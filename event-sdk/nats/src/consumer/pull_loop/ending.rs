//! Shutdown of a subscription: ends its requests and naks the messages that were not delivered
//! to the caller.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_nats::Subject;
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use super::PullLoop;
use crate::consumer::send::send_now;
use crate::consumer::settle::AckPending;
use crate::consumer::shutdown::{Left, PATIENCE, Quiet, Shutdown};
use crate::receiver::Haste;

impl PullLoop {
    /// Ends it: nothing comes any more. What was not delivered is returned by a nak, some
    /// of it by a task, so that it does not matter who of several ended it first,
    /// and whether they wait for it ([`left`](Self::left)).
    ///
    /// The deliveries that the caller has and has not settled.
    pub(in crate::consumer) fn end(self: &Arc<Self>) -> Vec<Arc<AckPending>> {
        let mut state = self.lock();
        state.put_back_behind();
        let in_hand = state.deliveries.in_hand().collect();
        // Where nothing is settled, nothing can be returned by a nak.
        if let Some(inbox) = state.inbox.take().filter(|_| self.acks) {
            let mut leaving = Shutdown::new(inbox, state.pull.clone());
            leaving.leave_out(|reply| state.is_redelivery(self, reply));
            leaving.add(state.take_queue(self));
            let waits = leaving.waits();
            state.leaving = Some(leaving);
            let left = if waits { None } else { state.end_leaving(self) };
            if !left.as_ref().is_some_and(Left::is_empty) {
                let (going, gone) = watch::channel(());
                state.left = Some(gone);
                let pull_loop = Arc::clone(self);
                self.ack_context.context.spawn(async move {
                    pull_loop.shutdown(left).await;
                    drop(going);
                });
            }
        }
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        in_hand
    }

    /// After its [`end`](Self::end): waits until every undelivered message is
    /// returned by a nak, which takes a bounded time.
    pub(in crate::consumer) async fn left(&self) {
        let left = self.lock().left.clone();
        if let Some(mut left) = left {
            // Nothing is ever said but that it has ended.
            while left.changed().await.is_ok() {}
        }
    }

    /// Naks what was not delivered: first what the consumer has at hand for
    /// the open requests is waited for.
    async fn shutdown(self: Arc<Self>, mut left: Option<Left>) {
        if left.is_none() {
            let patience = self.lock().leaving.as_ref().and_then(Shutdown::patience);
            // What comes later comes to others after its ack wait.
            let _ = match patience {
                Some(patience) => timeout(patience, self.requests_ended()).await,
                None => timeout(PATIENCE, self.quiet()).await,
            };
            left = self.lock().end_leaving(&self);
        }
        if let Some(left) = left {
            let is_known = |reply: &Subject| self.is_redelivery(reply);
            let found = left.finish(&self.ack_context, is_known).await;
            self.lock().unread.extend(found);
        }
    }

    /// Waits until the requests of the inbox that is left have ended by themselves.
    async fn requests_ended(&self) {
        std::future::poll_fn(|cx| match &mut self.lock().leaving {
            Some(leaving) => leaving.poll_end(cx),
            None => Poll::Ready(()),
        })
        .await;
    }

    /// Waits until the consumer has nothing at hand.
    async fn quiet(&self) {
        let mut pause = Duration::from_millis(1);
        loop {
            let (next, probe) = {
                let mut state = self.lock();
                let next = state.next.clone();
                (next, state.leaving.as_mut().map(Shutdown::probe))
            };
            let Some((reply, probe)) = probe else {
                return;
            };
            let receiver = self.ack_context.context.receiver();
            receiver.request(&next, &reply, &probe.payload);
            if self.answer().await == Quiet::Now {
                return;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// The answer to a probe, or that all requests have ended.
    async fn answer(&self) -> Quiet {
        std::future::poll_fn(|cx| match &mut self.lock().leaving {
            Some(leaving) => leaving.poll_quiet(cx),
            None => Poll::Ready(Quiet::Now),
        })
        .await
    }

    /// After its [`end`](Self::end): naks what has come, and waits for
    /// nothing more.
    pub(in crate::consumer) fn hurry(&self) {
        let left = self.lock().end_leaving(self);
        if let Some(left) = left {
            left.hurry(self.ack_context.context.receiver());
        }
    }

    /// The sequences that were not delivered, but returned by a nak.
    pub(in crate::consumer) fn unread(&self) -> BTreeSet<u64> {
        self.lock().unread.clone()
    }

    /// Its owner has gone. An ephemeral consumer goes too, with what was not
    /// settled; but one that was ended before is left to who has ended it.
    pub(in crate::consumer) fn abandon(self: &Arc<Self>) {
        if self.is_ephemeral {
            if self.lock().inbox.take().is_some() {
                self.delete();
            }
        } else {
            drop(self.end());
        }
    }

    /// Removes its consumer, if that is ephemeral, without waiting for it.
    pub(in crate::consumer) fn delete(&self) {
        if !self.is_ephemeral {
            return;
        }
        let name = self.bound().name;
        let context = &self.ack_context.context;
        let call = context.api(format!(
            "CONSUMER.DELETE.{}.{name}",
            self.ack_context.stream
        ));
        let (subject, nothing) = (Subject::from(call), Bytes::new());
        // If it does not arrive, the server removes it in its own time.
        let _ = send_now(context.receiver(), &subject, &nothing, Haste::Now);
    }
}

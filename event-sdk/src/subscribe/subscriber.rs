//! `Subscriber`: the stream of deliveries from one consumer, or merged from one consumer per
//! stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::time::Clock;
use event_sdk_core::transport::{
    Completion, Error, ErrorKind, Incoming, Operation, Received, Settlement, Subscription,
};
use event_sdk_core::{EnvelopeHeader, EventSet};
use futures_core::Stream;

use super::{Batch, Delivery};
use crate::message::Opener;

pub(super) type EnvelopeFilter = Box<dyn Fn(&EnvelopeHeader) -> bool + Send + Sync>;

/// Receives the events of the set `S`.
///
/// It is a [`Stream`] whose own errors are the transport's: events that the
/// stream dropped before they were read ([`ErrorKind::Gap`]), or the transport where
/// there is no stream ([`ErrorKind::Dropped`]), one that ran out of deliveries ([`ErrorKind::Exhausted`]), a consumer that was deleted, an
/// acknowledgement of an event that the envelope filter left out and that
/// failed. An error names its stream; the others of a set that spans several
/// go on after it, and `None` says that there is nothing more to come. A message
/// that is no event of the set is no error of the stream but a [`Delivery`]
/// whose [`decode`](crate::Message::decode) fails.
///
/// Dropping it gives back what it has not yet returned.
pub struct Subscriber<S> {
    /// One for each stream.
    sources: Vec<Source>,
    /// The source that is asked first, in turn.
    next: usize,
    /// The source from which came what came last.
    asked: usize,
    opener: Arc<Opener>,
    clock: Arc<dyn Clock>,
    filter: Option<EnvelopeFilter>,
    /// Acks of messages that were not handed out, without an answer so far.
    acking: Vec<Completion<Result<(), Error>>>,
    /// What was received for a batch that was not returned.
    gathered: VecDeque<Delivery<S>>,
    /// What came after it.
    trouble: Option<Error>,
    set: PhantomData<fn() -> S>,
}

/// A subscription to one stream.
pub(super) struct Source {
    pub(super) stream: Text,
    pub(super) subscription: Subscription,
}

impl<S> Subscriber<S> {
    pub(super) fn new(
        sources: Vec<Source>,
        opener: Opener,
        clock: Arc<dyn Clock>,
        filter: Option<EnvelopeFilter>,
    ) -> Self {
        Self {
            sources,
            next: 0,
            asked: 0,
            opener: Arc::new(opener),
            clock,
            filter,
            acking: Vec::new(),
            gathered: VecDeque::new(),
            trouble: None,
            set: PhantomData,
        }
    }

    /// The next delivery; `None` when there will be none any more.
    ///
    /// Cancel-safe: a delivery is either returned or kept for the next call.
    ///
    /// # Errors
    ///
    /// What the transport reports; see [`Subscriber`].
    pub async fn next(&mut self) -> Option<Result<Delivery<S>, Error>> {
        poll_fn(|cx| self.poll_delivery(cx)).await
    }

    /// The next deliveries, at least one and at most `max`: it waits for the first,
    /// then no longer than `within` for others. `None` when there will be none
    /// any more.
    ///
    /// For a handler that does several in one go, such as in one transaction of a
    /// database, and [acknowledges](Batch::ack) them together. [`prefetch`] says
    /// how many are taken ahead, and should be `max` or more; `max_ack_pending` must
    /// not be less. The ack wait of the first runs while others are waited for.
    ///
    /// Cancel-safe: deliveries are either returned or kept for the next call,
    /// whether of this or of [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// What the transport reports; see [`Subscriber`]. What was received before
    /// that is returned first.
    ///
    /// [`prefetch`]: super::Subscribe::prefetch
    pub async fn next_batch(
        &mut self,
        max: usize,
        within: Duration,
    ) -> Option<Result<Batch<S>, Error>> {
        let max = max.max(1);
        let mut until = None;
        let mut timer = None;
        poll_fn(|cx| {
            while self.gathered.len() < max && self.trouble.is_none() {
                match self.poll_received(cx) {
                    Poll::Ready(Some(Ok(delivery))) => self.gathered.push_back(delivery),
                    Poll::Ready(Some(Err(error))) => self.trouble = Some(error),
                    Poll::Ready(None) if self.gathered.is_empty() => return Poll::Ready(None),
                    Poll::Ready(None) => break,
                    Poll::Pending if self.gathered.is_empty() => return Poll::Pending,
                    Poll::Pending => {
                        let clock = &self.clock;
                        let until =
                            *until.get_or_insert_with(|| clock.monotonic().saturating_add(within));
                        let timer = timer.get_or_insert_with(|| clock.sleep_until(until));
                        ready!(timer.as_mut().poll(cx));
                        break;
                    }
                }
            }
            if self.gathered.is_empty() {
                return Poll::Ready(self.trouble.take().map(Err));
            }
            let rest = self.gathered.split_off(max.min(self.gathered.len()));
            let deliveries = std::mem::replace(&mut self.gathered, rest);
            Poll::Ready(Some(Ok(Batch::new(deliveries.into()))))
        })
        .await
    }

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Delivery<S>, Error>>> {
        if let Some(delivery) = self.gathered.pop_front() {
            return Poll::Ready(Some(Ok(delivery)));
        }
        match self.trouble.take() {
            Some(error) => Poll::Ready(Some(Err(error))),
            None => self.poll_received(cx),
        }
    }

    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Delivery<S>, Error>>> {
        loop {
            if let Some(error) = self.poll_acks(cx) {
                return Poll::Ready(Some(Err(error)));
            }
            let incoming = match ready!(self.poll_sources(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(incoming)) => incoming,
            };
            let source = &self.sources[self.asked];
            match incoming {
                Incoming::Message(received) => {
                    let delivery = self.delivery(received);
                    if self.keeps(&delivery) {
                        return Poll::Ready(Some(Ok(delivery)));
                    }
                    self.acking.extend(delivery.settle(Settlement::Ack));
                }
                Incoming::Gap(gap) => {
                    let error = Error::new(
                        ErrorKind::Gap(gap),
                        Operation::Subscribe,
                        format!(
                            "the stream dropped {gap}, not handled yet; keep more, or read faster"
                        ),
                    );
                    return Poll::Ready(Some(Err(error.at_stream(source.stream.clone()))));
                }
                Incoming::Exhausted(exhausted) => {
                    let error = Error::new(
                        ErrorKind::Exhausted(exhausted.clone()),
                        Operation::Subscribe,
                        format!(
                            "sequence {} was delivered {} times and not settled; it stays in the stream and is not delivered again",
                            exhausted.sequence, exhausted.attempts
                        ),
                    )
                    .at_subject(exhausted.subject);
                    return Poll::Ready(Some(Err(error.at_stream(source.stream.clone()))));
                }
                // The contract may grow; what is not known here is no delivery.
                _ => {}
            }
        }
    }

    /// Asks each source in turn, beginning with another one each time; what comes is
    /// from the one that was `asked` last.
    fn poll_sources(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Incoming, Error>>> {
        let mut asked = 0;
        while asked < self.sources.len() {
            let index = self.next % self.sources.len();
            let source = &mut self.sources[index];
            match source.subscription.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    self.next = index + 1;
                    self.asked = index;
                    return Poll::Ready(Some(item));
                }
                Poll::Ready(None) => {
                    // The order of the others does not matter: they take turns.
                    drop(self.sources.swap_remove(index));
                    asked = 0;
                }
                Poll::Pending => {
                    self.next = index + 1;
                    asked += 1;
                }
            }
        }
        if self.sources.is_empty() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    fn delivery(&self, received: Received) -> Delivery<S> {
        let Received {
            subject,
            headers,
            body,
            info,
            settler,
        } = received;
        Delivery::new(subject, headers, body, &self.opener, info, settler)
    }

    fn keeps(&self, delivery: &Delivery<S>) -> bool {
        // The envelope is not opened unless somebody asks for it.
        self.filter
            .as_ref()
            .is_none_or(|keep| delivery.head().map_or(true, keep))
    }

    /// Goes on with the acks of filtered messages; the first that failed.
    fn poll_acks(&mut self, cx: &mut Context<'_>) -> Option<Error> {
        let mut failed = None;
        self.acking.retain_mut(|ack| match Pin::new(ack).poll(cx) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => false,
            Poll::Ready(Err(error)) => {
                failed.get_or_insert(error);
                false
            }
        });
        failed
    }
}

impl<S: EventSet> Stream for Subscriber<S> {
    type Item = Result<Delivery<S>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_delivery(cx)
    }
}

impl<S> fmt::Debug for Subscriber<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("subscriptions", &self.sources.len())
            .finish_non_exhaustive()
    }
}

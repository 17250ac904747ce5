//! Receives deliveries, from one consumer or from several merged.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Answer, Error, ErrorKind, Incoming, Operation, Received, Settlement, Subscription,
};
use event_sdk_core::{EventSet, Head};
use futures_core::Stream;

use super::Delivery;
use crate::message::Opener;

pub(super) type EnvelopeFilter = Box<dyn Fn(&Head) -> bool + Send + Sync>;

/// Receives the events of the set `S`.
///
/// It is a [`Stream`] whose own errors are the transport's: events that the
/// stream dropped before they were read ([`ErrorKind::Gap`]), one that ran out
/// of deliveries ([`ErrorKind::Exhausted`]), a consumer that was deleted, an
/// acknowledgement of an event that the envelope filter left out and that
/// failed. An error names its stream; the others of a set that spans several
/// go on after it, and `None` says that there is nothing more to come. A message
/// that is no event of the set is no error of the stream but a [`Delivery`]
/// whose [`decode`](crate::Message::decode) fails.
///
/// Dropping it gives back what it has not yet returned.
pub struct Subscriber<S> {
    /// One in each stream.
    subscriptions: Vec<(Text, Subscription)>,
    /// The subscription that is asked first, in turn.
    next: usize,
    opener: Arc<Opener>,
    filter: Option<EnvelopeFilter>,
    /// Acks of filtered messages that have no answer yet.
    acking: Vec<Answer<Result<(), Error>>>,
    set: PhantomData<fn() -> S>,
}

impl<S: EventSet> Subscriber<S> {
    pub(super) fn new(
        subscriptions: Vec<(Text, Subscription)>,
        opener: Opener,
        filter: Option<EnvelopeFilter>,
    ) -> Self {
        Self {
            subscriptions,
            next: 0,
            opener: Arc::new(opener),
            filter,
            acking: Vec::new(),
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
        std::future::poll_fn(|cx| self.poll_delivery(cx)).await
    }

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Delivery<S>, Error>>> {
        loop {
            if let Some(error) = self.poll_acks(cx) {
                return Poll::Ready(Some(Err(error)));
            }
            let (index, incoming) = match ready!(self.poll_subscriptions(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(found)) => found,
            };
            match incoming {
                Incoming::Message(received) => {
                    let Received {
                        subject,
                        headers,
                        body,
                        info,
                        settler,
                    } = received;
                    let delivery =
                        Delivery::new(subject, headers, body, &self.opener, info, settler);
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
                    return Poll::Ready(Some(Err(error.at_stream(self.stream(index)))));
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
                    return Poll::Ready(Some(Err(error.at_stream(self.stream(index)))));
                }
                // The contract may grow; what is not known here is no delivery.
                _ => {}
            }
        }
    }

    /// Asks each subscription in turn, beginning with another one each time; says
    /// which of them answered.
    fn poll_subscriptions(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(usize, Incoming), Error>>> {
        let mut asked = 0;
        while asked < self.subscriptions.len() {
            let index = self.next % self.subscriptions.len();
            let (_, subscription) = &mut self.subscriptions[index];
            match subscription.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => {
                    self.next = index + 1;
                    return Poll::Ready(Some(item.map(|incoming| (index, incoming))));
                }
                Poll::Ready(None) => {
                    // The order of the others does not matter: they take turns.
                    drop(self.subscriptions.swap_remove(index));
                    asked = 0;
                }
                Poll::Pending => {
                    self.next = index + 1;
                    asked += 1;
                }
            }
        }
        if self.subscriptions.is_empty() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    fn stream(&self, index: usize) -> Text {
        self.subscriptions[index].0.clone()
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
            .field("subscriptions", &self.subscriptions.len())
            .finish_non_exhaustive()
    }
}

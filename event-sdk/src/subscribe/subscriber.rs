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

use bytes::Bytes;
use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use event_sdk_core::time::Clock;
use event_sdk_core::transport::{
    self, Body, BoundConsumer, Completion, Deliveries, DeliveryInfo, Difference, Error, Notice,
    NoticeKind, Received,
};
use event_sdk_core::{EnvelopeHeader, Subject};
use futures_core::Stream;

use super::refusal::Refusals;
use super::reports::{Reports, log};
use super::{Batch, Delivery, Incoming, NoticeCounts};
use crate::message::Opener;

pub(super) type EnvelopeFilter = Arc<dyn Fn(&EnvelopeHeader) -> bool + Send + Sync>;

/// Receives the events of the set `S`.
///
/// **An error is final.** It is the reason why the subscription has ended: for example, a consumer
/// was deleted, a permission was withdrawn, or the client does not reconnect any more. No delivery
/// follows an error, even if the events of the set are in several streams. After a
/// [drain](crate::EventBus::drain) or close, the subscription ends without an error. The loop of a
/// service is therefore:
///
/// ```
/// # use event_sdk::{Error, Event, Subscriber};
/// # async fn example<E: Event>(mut orders: Subscriber<E>) -> Result<(), Error> {
/// while let Some(delivery) = orders.next().await {
///     let delivery = delivery?;
///     // handle it
///     delivery.ack().await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// **Everything that does not end the subscription is a [`Notice`]**: events that the stream
/// dropped before they were delivered to the consumer ([`NoticeKind::Gap`]), an event that was
/// delivered `max_deliver` times ([`NoticeKind::Exhausted`]), an unknown event that was terminated
/// ([`NoticeKind::Terminated`]), a new connection, and others. A notice is logged as a warning
/// (`tracing`, target `event_sdk`) and [counted](Self::notices).
/// [`next_incoming`](Self::next_incoming) returns notices and deliveries in order;
/// [`next`](Self::next), [`next_batch`](Self::next_batch) and the [`Stream`] skip notices.
///
/// A message that is not an event of the set is returned as a [`Delivery`], and its
/// [`decode`](crate::Message::decode) fails.
///
/// When the subscriber is dropped, prefetched events that it has not yet returned are delivered to
/// other subscriptions of the consumer.
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
    /// Acks of messages that were not delivered, without an answer so far.
    acking: Vec<Completion<Result<(), Error>>>,
    /// What was received for a batch that was not returned.
    gathered: VecDeque<Delivery<S>>,
    /// Why it has ended, if that was not told.
    ended: Option<Error>,
    notices: NoticeCounts,
    /// Notices of deliveries that were returned.
    reports: Arc<Reports>,
    /// Whether the end was returned.
    over: bool,
    /// What was bound, by stream.
    bound: Vec<(Text, BoundConsumer)>,
    set: PhantomData<fn() -> S>,
}

/// A subscription to one stream.
pub(super) struct Source {
    pub(super) stream: Text,
    pub(super) consumer: Option<Text>,
    pub(super) deliveries: Deliveries,
    pub(super) refusals: Arc<Refusals>,
}

impl<S> Subscriber<S> {
    pub(super) fn new(
        sources: Vec<Source>,
        bound: Vec<(Text, BoundConsumer)>,
        opener: Opener,
        clock: Arc<dyn Clock>,
        filter: Option<EnvelopeFilter>,
        reports: Arc<Reports>,
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
            ended: None,
            notices: NoticeCounts::default(),
            reports,
            over: false,
            bound,
            set: PhantomData,
        }
    }

    /// The settings of the bound consumers that differ from the requested settings, each with the
    /// name of its stream. The subscription uses the settings of the consumer. To change them, call
    /// [`EventBus::apply`](crate::EventBus::apply) in a deployment step.
    ///
    /// The start position is not compared, because it matters only when a consumer is created.
    pub fn differences(&self) -> impl Iterator<Item = (&str, &Difference)> {
        self.bound.iter().flat_map(|(stream, bound)| {
            let differences = bound.differences.iter();
            differences.map(move |difference| (stream.as_str(), difference))
        })
    }

    /// The bound consumers, one for each stream, with the name of the stream.
    pub fn bound(&self) -> impl Iterator<Item = (&str, &BoundConsumer)> {
        let bound = self.bound.iter();
        bound.map(|(stream, bound)| (stream.as_str(), bound))
    }

    /// Returns the next delivery, or `None` when the subscription has ended. Skips notices.
    ///
    /// Cancel-safe: a delivery is either returned or kept for the next call.
    ///
    /// # Errors
    ///
    /// The reason why the subscription has ended: the last item before `None`. It is an error of the
    /// transport, such as [`ConsumerNotFound`](crate::transport::ErrorKind::ConsumerNotFound) or
    /// [`PermissionDenied`](crate::transport::ErrorKind::PermissionDenied).
    pub async fn next(&mut self) -> Option<Result<Delivery<S>, Error>> {
        poll_fn(|cx| self.poll_delivery(cx)).await
    }

    /// Returns the next delivery or notice in order, or `None` when the subscription has ended.
    ///
    /// Cancel-safe: an item is either returned or kept for the next call. A notice that another
    /// method has skipped is not returned.
    ///
    /// # Errors
    ///
    /// The same as for [`next`](Self::next).
    pub async fn next_incoming(&mut self) -> Option<Result<Incoming<S>, Error>> {
        let incoming = poll_fn(|cx| self.poll_incoming(cx)).await;
        if let Some(Ok(Incoming::Delivery(delivery))) = &incoming {
            delivery.record_receive();
        }
        incoming
    }

    /// Counts of all notices by kind. They include the notices that were skipped.
    #[must_use]
    pub fn notices(&self) -> NoticeCounts {
        let mut counts = self.notices;
        counts.terminated = counts.terminated.saturating_add(self.reports.made());
        counts
    }

    /// Returns 1 to `max` deliveries: waits for the first one, and then for up to `within` for more.
    /// Returns `None` when the subscription has ended. Skips notices.
    ///
    /// Use this method to process several events together, for example in one database transaction,
    /// and to [acknowledge](Batch::ack) them together. Set `max_ack_pending` to `max` or more. The
    /// default prefetch adapts to the rate at which events are settled. Set [`prefetch`] to `max`
    /// or more if `max_deliver` is set, or if batches stay small although events are waiting. The
    /// ack wait of the first delivery already runs while the method waits for further deliveries.
    ///
    /// Cancel-safe: deliveries are either returned or kept for the next call of this or another
    /// receiving method.
    ///
    /// # Errors
    ///
    /// The same as for [`next`](Self::next). Deliveries received before the error are returned
    /// first.
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
            while self.gathered.len() < max {
                match self.poll_received(cx) {
                    Poll::Ready(Some(Incoming::Delivery(delivery))) => {
                        self.gathered.push_back(delivery);
                    }
                    Poll::Ready(Some(Incoming::Notice(_))) => {}
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
                return Poll::Ready(self.ended.take().map(Err));
            }
            let rest = self.gathered.split_off(max.min(self.gathered.len()));
            let deliveries = std::mem::replace(&mut self.gathered, rest);
            deliveries.iter().for_each(Delivery::record_receive);
            Poll::Ready(Some(Ok(Batch::new(deliveries.into()))))
        })
        .await
    }

    /// An event that was received and acknowledged before, and kept elsewhere: settling it has no
    /// effect. `None` if the subscription has ended.
    pub(crate) fn restored(
        &self,
        subject: Subject,
        headers: Headers,
        body: Bytes,
        info: DeliveryInfo,
    ) -> Option<Delivery<S>> {
        let mut sources = self.sources.iter();
        let of_stream = sources.find(|source| Some(&source.stream) == info.stream.as_ref());
        let source = of_stream.or_else(|| self.sources.first())?;
        let body = Body::Encoded(body);
        let (opener, refusals) = (&self.opener, &source.refusals);
        let delivery = Delivery::new(subject, headers, body, opener, info, None, refusals);
        Some(delivery)
    }

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Delivery<S>, Error>>> {
        loop {
            match ready!(self.poll_incoming(cx)) {
                Some(Ok(Incoming::Delivery(delivery))) => {
                    delivery.record_receive();
                    return Poll::Ready(Some(Ok(delivery)));
                }
                Some(Ok(Incoming::Notice(_))) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    /// The next delivery or notice, without a `receive` span: a consumer's runtime opens `process`
    /// spans.
    pub(crate) fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Incoming<S>, Error>>> {
        let incoming = match self.gathered.pop_front() {
            Some(delivery) => Some(Incoming::Delivery(delivery)),
            None => ready!(self.poll_received(cx)),
        };
        match incoming {
            Some(incoming) => Poll::Ready(Some(Ok(incoming))),
            None => Poll::Ready(self.ended.take().map(Err)),
        }
    }

    /// The next delivery or notice; `None` at the end, for which `ended` has the reason.
    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Option<Incoming<S>>> {
        if self.over {
            return Poll::Ready(None);
        }
        loop {
            if let Some(notice) = self.reports.take() {
                return Poll::Ready(Some(Incoming::Notice(notice)));
            }
            if let Some(error) = self.poll_acks(cx) {
                return Poll::Ready(Some(self.notice(Notice::new(NoticeKind::AckFailed(error)))));
            }
            let Poll::Ready(item) = self.poll_sources(cx) else {
                self.reports.wake(cx.waker());
                // One may have been made just before.
                return match self.reports.take() {
                    Some(notice) => Poll::Ready(Some(Incoming::Notice(notice))),
                    None => Poll::Pending,
                };
            };
            match item {
                None => {
                    self.over = true;
                    return Poll::Ready(self.reports.take().map(Incoming::Notice));
                }
                Some(Err(error)) => {
                    self.ended = Some(error);
                    self.over = true;
                    // It gives back what the other streams have brought.
                    self.sources.clear();
                    self.acking.clear();
                    return Poll::Ready(None);
                }
                Some(Ok(transport::Incoming::Message(received))) => {
                    let delivery = self.delivery(received);
                    if self.keeps(&delivery) {
                        return Poll::Ready(Some(Incoming::Delivery(delivery)));
                    }
                    self.acking.extend(delivery.ack_left_out());
                }
                Some(Ok(transport::Incoming::Notice(notice))) => {
                    let source = &self.sources[self.asked];
                    let mut notice = notice.at_stream(source.stream.clone());
                    if let Some(consumer) = &source.consumer {
                        notice = notice.at_consumer(consumer.clone());
                    }
                    return Poll::Ready(Some(self.notice(notice)));
                }
            }
        }
    }

    /// Logs and counts a notice.
    fn notice(&mut self, notice: Notice) -> Incoming<S> {
        log(&notice);
        self.notices.add(notice.kind());
        Incoming::Notice(notice)
    }

    /// Polls the sources round-robin. `asked` is the index of the source that returned the item.
    fn poll_sources(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<transport::Incoming, Error>>> {
        let mut asked = 0;
        while asked < self.sources.len() {
            let index = self.next % self.sources.len();
            let source = &mut self.sources[index];
            match source.deliveries.as_mut().poll_next(cx) {
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
        let refusals = &self.sources[self.asked].refusals;
        if settler.is_some() {
            refusals.delivered(&info);
        }
        Delivery::new(
            subject,
            headers,
            body,
            &self.opener,
            info,
            settler,
            refusals,
        )
    }

    fn keeps(&self, delivery: &Delivery<S>) -> bool {
        // The envelope is opened only on request.
        self.filter
            .as_ref()
            .is_none_or(|keep| delivery.head().map_or(true, |head| keep(head)))
    }

    /// Polls the acks of excluded messages; returns the first error.
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

impl<S> Stream for Subscriber<S> {
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

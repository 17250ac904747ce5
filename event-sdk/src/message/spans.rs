//! The spans of a received message: `receive` and `process`.

use tracing::Span;

use super::Message;
use crate::trace::{self, About, Destination};

impl<S> Message<S> {
    /// Opens the span `process` for one attempt of a handler. Its parent is the trace context in
    /// the message; [`trace`](mod@crate::trace) lists its fields. `consumer` is the name of the
    /// consumer.
    ///
    /// Enter the span only while the handler is polled ([`tracing::Instrument`]). The span is
    /// closed when its last copy is dropped. [`trace::failed`](crate::trace::failed) records a
    /// failure.
    ///
    /// ```
    /// use event_sdk::{Error, Event, Subscriber};
    /// use tracing::Instrument as _;
    ///
    /// # async fn handle<E>(_: E) {}
    /// # async fn example<E: Event>(mut orders: Subscriber<E>) -> Result<(), Box<dyn std::error::Error>> {
    /// while let Some(delivery) = orders.next().await {
    ///     let delivery = delivery?;
    ///     let span = delivery.process_span("billing");
    ///     handle(delivery.decode()?).instrument(span).await;
    ///     delivery.ack().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn process_span(&self, consumer: &str) -> Span {
        let tracing = &self.opener.tracing;
        trace::process(tracing, consumer, &self.headers, || self.about())
    }

    /// Opens the span `process` around one attempt at a batch of messages.
    pub(crate) fn process_span_of_batch<'a>(
        consumer: &str,
        batch: impl ExactSizeIterator<Item = &'a Self> + Clone,
    ) -> Span
    where
        S: 'a,
    {
        let count = batch.len();
        let Some(first) = batch.clone().next() else {
            return Span::none();
        };
        trace::process_batch(&first.opener.tracing, consumer, count, || {
            batch.map(|message| (&message.headers, message.destination()))
        })
    }

    /// Records the span `receive`.
    #[inline]
    pub(crate) fn received_by(&self, consumer: Option<&str>) {
        let tracing = &self.opener.tracing;
        trace::receive(tracing, consumer, &self.headers, || self.about());
    }

    fn about(&self) -> About<'_> {
        let head = self.head().ok();
        About {
            destination: self.destination(),
            event_id: head.map(|head| head.event_id),
            conversation: head.and_then(|head| head.metadata.correlation_id.clone()),
        }
    }

    fn destination(&self) -> Destination<'_> {
        let opener = &self.opener;
        Destination::of_any(&self.subject, &opener.prefix, opener.members)
    }
}

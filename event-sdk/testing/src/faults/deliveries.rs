//! `FaultyDeliveries`: the items of a subscription, some later, in another order, or again.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk::time::Sleep;
use event_sdk::transport::{Deliveries, Error, Incoming, Received, Settler};
use futures_core::Stream;

use super::Fault;
use super::injector::Injector;
use super::line::Line;
use super::settle::{FaultySettle, copy_of};

/// The items of one subscription with faults.
pub(super) struct FaultyDeliveries {
    inner: Deliveries,
    line: Arc<Line>,
    injector: Injector,
    consumer: String,
    /// A delivery is held for at most half of it.
    ack_wait: Duration,
    timer: Option<(Duration, Sleep)>,
    ended: bool,
}

impl FaultyDeliveries {
    pub(super) fn new(
        inner: Deliveries,
        injector: Injector,
        consumer: String,
        ack_wait: Duration,
    ) -> Self {
        Self {
            inner,
            line: Arc::default(),
            injector,
            consumer,
            ack_wait,
            timer: None,
            ended: false,
        }
    }

    fn now(&self) -> Duration {
        self.injector.faults().clock.monotonic()
    }

    /// The delivery with a settler of ours, or `None` if it comes later.
    fn pass(&self, mut received: Received) -> Option<Received> {
        let now = self.now();
        // Without acknowledgements nothing is delivered again, so nothing can come later.
        let Some(settler) = received.settler.take() else {
            self.line.passed(now);
            return Some(received);
        };
        let message = self.described(&received);
        let sequence = received.info.sequence.unwrap_or_default();
        let delay = self.injector.fraction(Fault::Delay, &message);
        let reorder = delay.is_none() && self.injector.injects(Fault::Reorder, &message);
        if delay.is_some() || reorder {
            // It was lost on its way, and what comes is the next delivery of it.
            self.line.count(sequence);
        }
        let added = self.line.added(sequence);
        received.info.attempt = received.info.attempt.saturating_add(added);
        let sink = FaultySettle::new(
            settler,
            self.injector.clone(),
            &self.line,
            copy_of(&received),
            message,
        );
        received.settler = Some(Settler::new(Arc::new(sink), sequence));
        if let Some(part) = delay {
            let due = now.saturating_add(self.hold(part));
            self.line.add(due, received);
            return None;
        }
        if reorder {
            let due = now.saturating_add(self.hold(1.0));
            self.line.put(due, true, received);
            return None;
        }
        self.line.passed(now);
        Some(received)
    }

    /// How long a delivery is held.
    fn hold(&self, part: f64) -> Duration {
        let longest = self.injector.rates().delay_limit().min(self.ack_wait / 2);
        longest.mul_f64(part.clamp(0.0, 1.0))
    }

    fn described(&self, received: &Received) -> String {
        let info = &received.info;
        let stream = info.stream.as_deref().unwrap_or("-");
        let sequence = info.sequence.unwrap_or_default();
        format!(
            "{stream} {sequence} for {}, {}",
            self.consumer, received.subject
        )
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.line.next_due(cx.waker()) else {
            self.timer = None;
            return Poll::Pending;
        };
        if self.timer.as_ref().is_none_or(|(at, _)| *at != due) {
            let sleep = self.injector.faults().clock.sleep_until(due);
            self.timer = Some((due, sleep));
        }
        match &mut self.timer {
            Some((_, sleep)) => sleep.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}

impl Stream for FaultyDeliveries {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.injector.is_dead() {
                return Poll::Pending;
            }
            if this.ended {
                return Poll::Ready(None);
            }
            if let Some(received) = this.line.take(this.now()) {
                return Poll::Ready(Some(Ok(Incoming::Message(received))));
            }
            match this.inner.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(Incoming::Message(received)))) => {
                    if let Some(received) = this.pass(received) {
                        return Poll::Ready(Some(Ok(Incoming::Message(received))));
                    }
                }
                // What is held goes back to the consumer, as all that was not returned does.
                Poll::Ready(None) => this.ended = true,
                Poll::Ready(item) => return Poll::Ready(item),
                Poll::Pending => {
                    if this.poll_timer(cx).is_pending() {
                        return Poll::Pending;
                    }
                    this.timer = None;
                }
            }
        }
    }
}

//! Events that are on their way, and how their confirmations are awaited.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::Event;
use event_sdk_core::time::{Clock, Sleep};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{PublishError, PublishFuture, Published};
use crate::bus::EventBus;

/// Events that were handed over and wait for their confirmations.
///
/// Confirmations come in the order of the events unless something is amiss. So only
/// the first is asked, which spares the others a waker and a timer; when it is late,
/// all go on beside each other, each with its own deadline.
pub(super) struct Window<'a, E> {
    in_order: VecDeque<Numbered<'a, E>>,
    late: FuturesUnordered<Numbered<'a, E>>,
    /// Which event was the first when this began to run.
    watch: Option<(usize, Sleep)>,
    clock: Arc<dyn Clock>,
}

/// A publish and the number of its event.
struct Numbered<'a, E> {
    index: usize,
    publish: PublishFuture<'a, E>,
}

type Done<E> = (usize, Result<Published, PublishError<E>>);

/// When the first confirmation is late: longer than most take, and shorter than
/// anybody would notice. It is found out within twice that time.
const PATIENCE: Duration = Duration::from_millis(50);

impl<'a, E: Event> Window<'a, E> {
    pub(super) fn new(bus: &EventBus) -> Self {
        Self {
            in_order: VecDeque::new(),
            late: FuturesUnordered::new(),
            watch: None,
            clock: Arc::clone(bus.clock()),
        }
    }

    /// How many events wait.
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.late.len()
    }

    /// Takes an event that was handed over, behind all others.
    pub(super) fn push(&mut self, index: usize, publish: PublishFuture<'a, E>) {
        self.in_order.push_back(Numbered { index, publish });
    }

    /// The next event of which it is known what became of it; `None` if none waits.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done<E>>> {
        if let Poll::Ready(Some(done)) = self.late.poll_next_unpin(cx) {
            return Poll::Ready(Some(done));
        }
        while let Some(first) = self.in_order.front_mut() {
            if let Poll::Ready(result) = first.publish.poll_confirmed(cx) {
                let index = first.index;
                self.in_order.pop_front();
                return Poll::Ready(Some((index, result)));
            }
            let index = first.index;
            let deadline = first.publish.deadline();
            let (watched, timer) = self.watch.get_or_insert_with(|| {
                let late = self.clock.monotonic().saturating_add(PATIENCE);
                let until = deadline.map_or(late, |deadline| deadline.min(late));
                (index, self.clock.sleep_until(until))
            });
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            let is_late = *watched == index;
            self.watch = None;
            if is_late {
                self.late.extend(self.in_order.drain(..));
                return self.late.poll_next_unpin(cx);
            }
        }
        if self.late.is_empty() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

impl<E: Event> Future for Numbered<'_, E> {
    type Output = Done<E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let index = self.index;
        let result = Pin::new(&mut self.publish).poll(cx);
        result.map(|result| (index, result))
    }
}

//! The in-flight window of `publish_all`: how many publishes run at once, and how their
//! confirmations are polled.

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

/// Events in flight, which wait for their confirmations.
///
/// Confirmations usually arrive soon, and in the order of the events. Therefore only the first one
/// is polled, which saves a waker and a timer for each of the others. When the first is late or
/// fails, all are polled concurrently, each with its own deadline, because a transport may retry a
/// publish only when it is polled.
pub(super) struct Window<'a, E> {
    in_order: VecDeque<Numbered<'a, E>>,
    late: FuturesUnordered<Numbered<'a, E>>,
    /// Runs no longer than until the first is late.
    watch: Option<Sleep>,
    clock: Arc<dyn Clock>,
}

/// A publish and the number of its event.
struct Numbered<'a, E> {
    index: usize,
    publish: PublishFuture<'a, E>,
}

type Done<E> = (usize, Result<Published, PublishError<E>>);

/// The time after which a confirmation is late: longer than most take, and too short for a user to
/// notice.
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

    /// The number of events in flight.
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.late.len()
    }

    /// Adds a sent event, after all others.
    pub(super) fn push(&mut self, index: usize, publish: PublishFuture<'a, E>) {
        self.in_order.push_back(Numbered { index, publish });
    }

    /// Polls for the next event with a result; `None` if none is in flight.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done<E>>> {
        if let Poll::Ready(Some(done)) = self.late.poll_next_unpin(cx) {
            return Poll::Ready(Some(done));
        }
        while let Some(first) = self.in_order.front_mut() {
            if let Poll::Ready(result) = first.publish.poll_confirmed(cx) {
                let index = first.index;
                self.in_order.pop_front();
                if result.is_err() {
                    self.all_are_late();
                }
                return Poll::Ready(Some((index, result)));
            }
            let until = first.publish.late_after(PATIENCE);
            let watch = &mut self.watch;
            let watch = watch.get_or_insert_with(|| self.clock.sleep_until(until));
            if watch.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.watch = None;
            if self.clock.monotonic() >= until {
                self.all_are_late();
                return self.late.poll_next_unpin(cx);
            }
        }
        if self.late.is_empty() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    fn all_are_late(&mut self) {
        self.late.extend(self.in_order.drain(..));
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

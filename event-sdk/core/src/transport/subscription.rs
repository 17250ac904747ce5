//! `Subscription`: the result of a subscribe: a stream of items, and the consumer that was bound.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::{BoundConsumer, Deliveries, Error, Incoming};

/// A subscription: a [`Stream`] of messages and notices, and the bound consumer.
///
/// Polling is cancel-safe: an item is either returned or kept.
pub struct Subscription {
    /// The messages and notices.
    pub deliveries: Deliveries,
    /// The bound consumer.
    pub bound: BoundConsumer,
}

impl Subscription {
    /// A subscription that returns the items of `deliveries`.
    pub fn new(
        deliveries: impl Stream<Item = Result<Incoming, Error>> + Send + 'static,
        bound: BoundConsumer,
    ) -> Self {
        Self {
            deliveries: Box::pin(deliveries),
            bound,
        }
    }

    /// Replaces the items, for a transport that wraps another one.
    #[must_use]
    pub fn map_deliveries<S>(self, change: impl FnOnce(Deliveries) -> S) -> Self
    where
        S: Stream<Item = Result<Incoming, Error>> + Send + 'static,
    {
        Self::new(change(self.deliveries), self.bound)
    }
}

impl Stream for Subscription {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.deliveries.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.deliveries.size_hint()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

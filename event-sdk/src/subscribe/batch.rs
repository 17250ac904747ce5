//! `Batch`: several deliveries that one handler run takes, acks, naks or terminates together.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use event_sdk_core::transport::{Settlement, Settler, Unsettled};

use super::Delivery;
use super::delivery::written;

/// Several [deliveries](Delivery), at least one, that are settled together.
///
/// It comes from [`Subscriber::next_batch`](super::Subscriber::next_batch), and is
/// a slice of deliveries. Those that are dropped unsettled are delivered again
/// after the ack wait.
///
/// ```
/// # use std::time::Duration;
/// # use event_sdk::{Delivery, Error, Event, Subscriber};
/// # async fn handled<S>(_: &Delivery<S>) -> bool { true }
/// # async fn example<E: Event>(orders: &mut Subscriber<E>) -> Result<(), Error> {
/// while let Some(batch) = orders.next_batch(100, Duration::from_millis(20)).await {
///     let mut batch = batch?;
///     for index in 0..batch.len() {
///         if !handled(&batch[index]).await {
///             let rest = batch.split_off(index);
///             rest.nak(Duration::from_secs(5)).await?;
///             break;
///         }
///     }
///     batch.ack().await?;
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "deliveries that are not settled are delivered again after the ack wait"]
pub struct Batch<S> {
    deliveries: Vec<Delivery<S>>,
}

impl<S> Batch<S> {
    pub(super) fn new(deliveries: Vec<Delivery<S>>) -> Self {
        Self { deliveries }
    }

    /// All of them were handled: none is delivered again.
    ///
    /// The acknowledgements are handed to the transport together. As with
    /// [`Delivery::ack`], this waits until it has taken them, and dropping the future
    /// before it is ready leaves open which arrive; this holds for all that settle.
    ///
    /// # Errors
    ///
    /// [`Unsettled`], which names those that the transport did not take: they may be
    /// delivered again. With `?` it becomes an [`Error`](crate::Error), the first of them.
    pub async fn ack(&self) -> Result<(), Unsettled> {
        self.settle(&Settlement::Ack).await
    }

    /// All of them were handled, and the streams know: as
    /// [`Delivery::ack_confirmed`]. It takes one round trip to the server.
    ///
    /// # Errors
    ///
    /// [`Unsettled`], which names those that may be delivered again.
    pub async fn ack_confirmed(&self) -> Result<(), Unsettled> {
        self.settle(&Settlement::AckConfirmed).await
    }

    /// None of them was handled: deliver them again after `delay`.
    ///
    /// # Errors
    ///
    /// [`Unsettled`], which names those that the transport did not take: they are
    /// delivered again after the ack wait.
    pub async fn nak(&self, delay: Duration) -> Result<(), Unsettled> {
        self.settle(&Settlement::Nak(delay)).await
    }

    /// None of them can be handled, for this reason: none is delivered again.
    ///
    /// # Errors
    ///
    /// [`Unsettled`], which names those that the transport did not take: they may be
    /// delivered again.
    pub async fn term(&self, reason: impl fmt::Display) -> Result<(), Unsettled> {
        self.settle(&Settlement::Term(written(reason))).await
    }

    /// All of them are being handled: their ack wait begins anew.
    ///
    /// # Errors
    ///
    /// [`Unsettled`], which names those that the transport did not take.
    pub async fn in_progress(&self) -> Result<(), Unsettled> {
        self.settle(&Settlement::InProgress).await
    }

    /// Settles all of them by one call of the transport.
    async fn settle(&self, settlement: &Settlement) -> Result<(), Unsettled> {
        let answer = {
            let settlers: Vec<&Settler> = self.settlers().collect();
            Settler::settle_all(&settlers, settlement)
        };
        let failed = match answer.await {
            Ok(()) => return Ok(()),
            Err(unsettled) => unsettled.into_errors(),
        };
        // Where some deliveries have nothing to settle, places among the others.
        let places: Vec<usize> = (0..self.deliveries.len())
            .filter(|place| self.deliveries[*place].settler().is_some())
            .collect();
        let failed = failed
            .into_iter()
            .map(|(place, error)| (places.get(place).copied().unwrap_or(place), error));
        Unsettled::check(failed.collect(), self.deliveries.len())
    }

    fn settlers(&self) -> impl Iterator<Item = &Settler> {
        self.deliveries.iter().filter_map(Delivery::settler)
    }

    /// Splits it in two: what is from `at` on is a batch of its own, which may be
    /// empty; so may the rest be.
    pub fn split_off(&mut self, at: usize) -> Self {
        let at = at.min(self.deliveries.len());
        Self::new(self.deliveries.split_off(at))
    }
}

impl<S> Deref for Batch<S> {
    type Target = [Delivery<S>];

    fn deref(&self) -> &[Delivery<S>] {
        &self.deliveries
    }
}

impl<S> IntoIterator for Batch<S> {
    type Item = Delivery<S>;
    type IntoIter = std::vec::IntoIter<Delivery<S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.deliveries.into_iter()
    }
}

impl<'a, S> IntoIterator for &'a Batch<S> {
    type Item = &'a Delivery<S>;
    type IntoIter = std::slice::Iter<'a, Delivery<S>>;

    fn into_iter(self) -> Self::IntoIter {
        self.deliveries.iter()
    }
}

impl<S> fmt::Debug for Batch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.deliveries).finish()
    }
}

//! `Batch`: several deliveries that are acked, naked or terminated together.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use event_sdk_core::transport::{Error, Settlement, Settler, Unsettled};

use super::Delivery;
use super::delivery::written;
use super::refusal::End;

/// One or more [deliveries](Delivery) that are settled together.
///
/// [`Subscriber::next_batch`](super::Subscriber::next_batch) returns it. A batch dereferences to a
/// slice of deliveries. If a delivery is dropped unsettled, its event is delivered again after the
/// ack wait.
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

    /// Acknowledges all deliveries.
    ///
    /// The transport receives the acknowledgements together. Like [`Delivery::ack`], this method
    /// completes when the transport has accepted them. Not cancel-safe: after dropping the future,
    /// some of the acknowledgements may arrive. The same holds for all methods that settle.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries whose acknowledgements the transport did not accept.
    /// Their events may be delivered again. `?` converts `Unsettled` to an [`Error`](crate::Error):
    /// the first error of the list.
    pub async fn ack(&self) -> Result<(), Unsettled> {
        self.settle(&Settlement::Ack).await
    }

    /// Acknowledges all deliveries, and completes when the streams have stored the
    /// acknowledgements; see [`Delivery::ack_confirmed`]. Takes one round trip to the server.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries whose events may be delivered again.
    pub async fn ack_confirmed(&self) -> Result<(), Unsettled> {
        self.settle(&Settlement::AckConfirmed).await
    }

    /// Rejects all deliveries: the events are delivered again after `delay`.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries whose naks the transport did not accept. Their events are
    /// delivered again after the ack wait.
    pub async fn nak(&self, delay: Duration) -> Result<(), Unsettled> {
        self.settle(&Settlement::Nak(delay)).await
    }

    /// Terminates all deliveries with this reason: the events are not delivered again.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries whose terminations the transport did not accept. Their
    /// events may be delivered again.
    pub async fn term(&self, reason: impl fmt::Display) -> Result<(), Unsettled> {
        self.settle(&Settlement::Term(written(reason))).await
    }

    /// Restarts the ack wait of all deliveries. Call it repeatedly while a handler needs more time
    /// than the ack wait.
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries whose ack waits may not have been restarted.
    pub async fn in_progress(&self) -> Result<(), Unsettled> {
        self.settle(&Settlement::InProgress).await
    }

    /// Settles all deliveries in one call of the transport.
    async fn settle(&self, settlement: &Settlement) -> Result<(), Unsettled> {
        let answer = {
            let settlers: Vec<&Settler> = self.settlers().collect();
            Settler::settle_all(&settlers, settlement)
        };
        let failed = match answer.await {
            Ok(()) => {
                self.settled(settlement, &[]);
                return Ok(());
            }
            Err(unsettled) => unsettled.into_errors(),
        };
        // Where some deliveries have nothing to settle, places among the others.
        let places: Vec<usize> = (0..self.deliveries.len())
            .filter(|place| self.deliveries[*place].settler().is_some())
            .collect();
        let failed = failed
            .into_iter()
            .map(|(place, error)| (places.get(place).copied().unwrap_or(place), error));
        let failed: Vec<_> = failed.collect();
        self.settled(settlement, &failed);
        Unsettled::check(failed, self.deliveries.len())
    }

    /// The transport has taken the settlement of all of them but these.
    fn settled(&self, settlement: &Settlement, failed: &[(usize, Error)]) {
        let end = End::of(settlement);
        for (place, delivery) in self.deliveries.iter().enumerate() {
            if failed.iter().all(|(other, _)| *other != place) {
                delivery.settled(end);
            }
        }
    }

    fn settlers(&self) -> impl Iterator<Item = &Settler> {
        self.deliveries.iter().filter_map(Delivery::settler)
    }

    /// Splits the batch: returns the deliveries from `at` on, and keeps the others. Both parts
    /// may be empty.
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

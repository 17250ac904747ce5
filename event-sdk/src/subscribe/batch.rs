//! Several deliveries that are handled and settled together.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use event_sdk_core::EventSet;
use event_sdk_core::transport::{Answer, Error, Settlement};
use futures_util::future::join_all;

use super::Delivery;

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

impl<S: EventSet> Batch<S> {
    pub(super) fn new(deliveries: Vec<Delivery<S>>) -> Self {
        Self { deliveries }
    }

    /// All of them were handled: none is delivered again.
    ///
    /// As with [`Delivery::ack`], this waits until the transport has taken the
    /// acknowledgements, and dropping the future before it is ready leaves open
    /// which arrive.
    ///
    /// # Errors
    ///
    /// The transport's, the first of them: any of the deliveries may come again then.
    pub async fn ack(&self) -> Result<(), Error> {
        settled(self.deliveries.iter(), || Settlement::Ack).await
    }

    /// All of them were handled, and the streams know: as
    /// [`Delivery::ack_confirmed`]. It takes one round trip to the server.
    ///
    /// # Errors
    ///
    /// The transport's, the first of them: any of the deliveries may come again then.
    pub async fn ack_confirmed(&self) -> Result<(), Error> {
        settled(self.deliveries.iter(), || Settlement::AckConfirmed).await
    }

    /// None of them was handled: deliver them again after `delay`.
    ///
    /// # Errors
    ///
    /// The transport's: those that it did not take are delivered again after the
    /// ack wait.
    pub async fn nak(&self, delay: Duration) -> Result<(), Error> {
        settled(self.deliveries.iter(), || Settlement::Nak(delay)).await
    }

    /// Splits it in two: what is from `at` on is a batch of its own, which may be
    /// empty; so may the rest be.
    pub fn split_off(&mut self, at: usize) -> Self {
        let at = at.min(self.deliveries.len());
        Self::new(self.deliveries.split_off(at))
    }
}

/// Settles each of them; the first error.
async fn settled<'a, S: EventSet>(
    deliveries: impl Iterator<Item = &'a Delivery<S>>,
    how: impl Fn() -> Settlement,
) -> Result<(), Error> {
    let mut failed = None;
    let mut waiting: Vec<Answer<_>> = Vec::new();
    for answer in deliveries.filter_map(|delivery| delivery.settle(how())) {
        match answer.try_into_ready() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                failed.get_or_insert(error);
            }
            Err(answer) => waiting.push(answer),
        }
    }
    let mut answers = join_all(waiting).await.into_iter();
    let late = answers.find_map(Result::err);
    failed.or(late).map_or(Ok(()), Err)
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

//! `Received`, `DeliveryInfo`: a delivered message, and how a delivery is settled (ack, nak with a
//! delay, term, in progress).

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Body, Completion, Error, SettleCompletions, Unsettled};
use crate::headers::Headers;
use crate::subject::Subject;
use crate::text::Text;

/// A delivered message.
#[derive(Debug)]
pub struct Received {
    /// The subject.
    pub subject: Subject,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// Stream, sequence, delivery number and times of this delivery.
    pub info: DeliveryInfo,
    /// Settles the delivery; `None` if the consumer has no acknowledgements.
    pub settler: Option<Settler>,
}

/// Information about a message and one delivery of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryInfo {
    /// The stream that stores the message.
    pub stream: Option<Text>,
    /// The sequence of the message in that stream.
    pub sequence: Option<u64>,
    /// The number of this delivery, starting at one.
    pub attempt: u32,
    /// The number of this delivery among all deliveries of the consumer: of all messages, to all
    /// subscriptions, starting at one. A subscription that misses a number misses a delivery.
    /// `None` without a stored consumer.
    pub number: Option<u64>,
    /// When the message was stored.
    pub stored_at: Option<Timestamp>,
    /// Number of messages that the consumer had not yet delivered when it delivered this one; an
    /// upper bound if the transport does not count by filter.
    pub pending: Option<u64>,
}

/// Settles one delivery.
#[derive(Clone)]
pub struct Settler {
    sink: Arc<dyn Settle>,
    token: u64,
}

impl Settler {
    /// Makes a settler that calls `sink` with `token`.
    pub fn new(sink: Arc<dyn Settle>, token: u64) -> Self {
        Self { sink, token }
    }

    /// Settles the delivery. Not cancel-safe: after dropping the future, the settlement may arrive
    /// or not.
    ///
    /// # Errors
    ///
    /// Errors of the transport, such as [`Closed`](super::ErrorKind::Closed): the message may be
    /// delivered again.
    pub fn settle(&self, settlement: Settlement) -> Completion<Result<(), Error>> {
        self.sink.settle(self.token, settlement)
    }

    /// Settles several deliveries in the same way, in one call. Not cancel-safe, like
    /// [`settle`](Self::settle).
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries that were not settled, by their index in `deliveries`.
    pub fn settle_all(
        deliveries: &[&Self],
        settlement: &Settlement,
    ) -> Completion<Result<(), Unsettled>> {
        match deliveries.first() {
            Some(first) => first.sink.settle_all(deliveries, settlement),
            None => Completion::ready(Ok(())),
        }
    }

    /// Returns the sink and the token, if the sink is an `S`.
    pub fn sink<S: Settle>(&self) -> Option<(&S, u64)> {
        let sink: &dyn Any = &*self.sink;
        Some((sink.downcast_ref()?, self.token))
    }
}

impl fmt::Debug for Settler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Settler").field(&self.token).finish()
    }
}

/// The receiver of settlements in a transport.
pub trait Settle: Any + Send + Sync {
    /// Settles the delivery `token`. See [`Transport`](super::Transport) for the guarantees.
    fn settle(&self, token: u64, settlement: Settlement) -> Completion<Result<(), Error>>;

    /// Settles these deliveries in the same way, in order. The default calls
    /// [`settle`](Self::settle) for each.
    ///
    /// The first delivery belongs to this sink; the others may belong to other sinks, see
    /// [`Settler::sink`].
    ///
    /// # Errors
    ///
    /// [`Unsettled`] lists the deliveries that were not settled, by their index in `deliveries`.
    fn settle_all(
        &self,
        deliveries: &[&Settler],
        settlement: &Settlement,
    ) -> Completion<Result<(), Unsettled>> {
        let mut all = SettleCompletions::new(deliveries.len());
        for (place, settler) in deliveries.iter().enumerate() {
            all.add(place, settler.settle(settlement.clone()));
        }
        all.answer()
    }
}

/// How a delivery is settled.
///
/// The enum is exhaustive, because a transport must handle each variant; a new variant requires a
/// new major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Handled: not delivered again.
    Ack,
    /// Handled, and completed only when the stream has stored the acknowledgement.
    AckConfirmed,
    /// Not handled: delivered again after this delay.
    Nak(Duration),
    /// Cannot be handled, for this reason: not delivered again.
    Term(String),
    /// Like [`Term`](Self::Term), and completed only when the stream has stored the termination.
    TermConfirmed(String),
    /// Still being handled: restarts the ack wait.
    InProgress,
}

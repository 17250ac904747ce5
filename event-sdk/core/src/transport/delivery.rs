//! Items of a subscription: messages, gaps, exhausted deliveries; and settling them (ack, nak,
//! term).

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use jiff::Timestamp;

use super::{Body, Completion, Error, SettleCompletions, Unsettled};
use crate::headers::Headers;
use crate::subject::Subject;
use crate::text::Text;

/// What arrives for a consumer. Its end means that the transport was closed or
/// the consumer deleted; the last item says which.
///
/// Polling is cancel-safe: an item is either returned or kept.
pub type Subscription = Pin<Box<dyn Stream<Item = Result<Incoming, Error>> + Send>>;

/// One item of a subscription.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every item is a message, and a box would be an allocation for each"
)]
#[non_exhaustive]
pub enum Incoming {
    /// A message.
    Message(Received),
    /// The stream dropped messages before this consumer had read them.
    Gap(Gap),
    /// A message was delivered as often as the consumer allows, and not settled.
    Exhausted(Exhausted),
}

/// A delivered message.
#[derive(Debug)]
pub struct Received {
    /// The subject.
    pub subject: Subject,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// Stream, sequence, attempt and times of this delivery.
    pub info: DeliveryInfo,
    /// Settles the delivery; `None` if the consumer has no acknowledgements.
    pub settler: Option<Settler>,
}

/// Information about a message and one delivery of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryInfo {
    /// The stream that stores it.
    pub stream: Option<Text>,
    /// Its sequence in that stream.
    pub sequence: Option<u64>,
    /// The number of this delivery, starting at one.
    pub attempt: u32,
    /// When it was stored.
    pub stored_at: Option<Timestamp>,
    /// Number of messages that the consumer had not yet delivered when it delivered this one; an
    /// upper bound if the transport does not count by filter.
    pub pending: Option<u64>,
}

/// Messages that the stream dropped before the consumer had handled them.
///
/// Between the first and the last there may be others, which were for other
/// consumers, were handled, or are still there and come: a stream drops from its
/// middle too, to keep so many of each subject. `lost` counts what was dropped,
/// and of several gaps each counts what no other does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The sequence of the first message that was dropped.
    pub from: u64,
    /// The sequence of the last.
    pub to: u64,
    /// How many were dropped that were for this consumer.
    pub lost: LostCount,
}

/// How many messages were lost for a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostCount {
    /// So many; the first and the last of the gap are two of them.
    Exactly(u64),
    /// So many or fewer: the transport does not know which were for this consumer.
    AtMost(u64),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, lost } = self;
        match lost {
            LostCount::Exactly(1) => write!(f, "the message at sequence {from}"),
            LostCount::Exactly(many) => write!(f, "{many} messages from sequence {from} to {to}"),
            LostCount::AtMost(many) => {
                write!(f, "at most {many} messages from sequence {from} to {to}")
            }
        }
    }
}

/// A message that was delivered as often as the consumer allows. It stays in
/// its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhausted {
    /// Where it was published.
    pub subject: Subject,
    /// Its sequence in the stream.
    pub sequence: u64,
    /// How often it was delivered.
    pub attempts: u32,
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

    /// Settles the delivery.
    pub fn settle(&self, settlement: Settlement) -> Completion<Result<(), Error>> {
        self.sink.settle(self.token, settlement)
    }

    /// Settles several deliveries alike, in one call.
    ///
    /// # Errors
    ///
    /// The deliveries that were not settled, by their place in `deliveries`.
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

    /// Settles each of these deliveries alike, in order. The default calls
    /// [`settle`](Self::settle) for each.
    ///
    /// The first delivery belongs to this sink; others may belong to another one, see
    /// [`Settler::sink`].
    ///
    /// # Errors
    ///
    /// The deliveries that were not settled, by their place in `deliveries`.
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
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settlement {
    /// Handled: not delivered again.
    Ack,
    /// Handled, and completed only when the stream has stored the acknowledgement.
    AckConfirmed,
    /// Not handled: delivered again after this delay.
    Nak(Duration),
    /// Cannot be handled, for this reason: not delivered again.
    Term(String),
    /// Still being handled: restarts the ack wait.
    InProgress,
}

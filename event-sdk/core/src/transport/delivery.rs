//! Items of a subscription: messages, gaps, exhausted deliveries; and settling them (ack, nak,
//! term).

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use jiff::Timestamp;

use super::{Body, Completion, Error, Notice, SettleCompletions, Unsettled};
use crate::headers::Headers;
use crate::subject::Subject;
use crate::text::Text;

/// What arrives for a consumer.
///
/// An error is final: it says why the subscription has ended, and `None` follows. Where the
/// transport is drained or closed, the subscription ends with `None` and without an error.
/// Everything after which the subscription goes on is a [`Notice`].
///
/// Polling is cancel-safe: an item is either returned or kept.
pub type Subscription = Pin<Box<dyn Stream<Item = Result<Incoming, Error>> + Send>>;

/// One item of a subscription.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every item is a message, and a box would be an allocation for each"
)]
pub enum Incoming {
    /// A message.
    Message(Received),
    /// What the consumer has to know beside its messages. The subscription goes on.
    Notice(Notice),
}

/// A message that was delivered.
#[derive(Debug)]
pub struct Received {
    /// Where it was published.
    pub subject: Subject,
    /// What travelled beside the body.
    pub headers: Headers,
    /// The event.
    pub body: Body,
    /// What the transport knows about the message and this delivery of it.
    pub info: DeliveryInfo,
    /// How to settle it; `None` where there is nothing to settle.
    pub settler: Option<Settler>,
}

/// What a transport knows about a message and one delivery of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryInfo {
    /// The stream that stores it.
    pub stream: Option<Text>,
    /// Its sequence in that stream.
    pub sequence: Option<u64>,
    /// Which delivery this is, from one.
    pub attempt: u32,
    /// When it was stored.
    pub stored_at: Option<Timestamp>,
    /// How many messages the consumer has still to deliver for the first time
    /// after this one, when it was delivered; an upper bound where the transport
    /// does not count by filter.
    pub pending: Option<u64>,
}

/// Settles one delivery.
#[derive(Clone)]
pub struct Settler {
    sink: Arc<dyn Settle>,
    token: u64,
}

impl Settler {
    /// Settles through `sink`, which knows the delivery as `token`.
    pub fn new(sink: Arc<dyn Settle>, token: u64) -> Self {
        Self { sink, token }
    }

    /// Tells the transport what became of the delivery.
    pub fn settle(&self, settlement: Settlement) -> Completion<Result<(), Error>> {
        self.sink.settle(self.token, settlement)
    }

    /// Tells the transport what became of several deliveries, in one call.
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

    /// Where it is settled and as what, if that is an `S`.
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

/// Where a transport hears what became of its deliveries.
pub trait Settle: Any + Send + Sync {
    /// Settles the delivery that `token` names. See [`Transport`](super::Transport)
    /// for what holds of it.
    fn settle(&self, token: u64, settlement: Settlement) -> Completion<Result<(), Error>>;

    /// Settles each of these deliveries alike, in their order, as if by
    /// [`settle`](Self::settle). Unless a transport does better, by that.
    ///
    /// The first of them is settled here; others may be settled elsewhere, which
    /// [`Settler::sink`] tells.
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

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settlement {
    /// It was handled, and is not delivered again.
    Ack,
    /// The same, and the answer comes when the stream knows it.
    AckConfirmed,
    /// It was not, and is to be delivered again after this long.
    Nak(Duration),
    /// It cannot be handled, for this reason, and is not delivered again.
    Term(String),
    /// It is being handled: its ack wait begins anew.
    InProgress,
}

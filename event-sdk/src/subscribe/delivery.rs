//! `Delivery`: ack, nak with a delay, term, in progress, and `refuse` (a bounded nak with a delay
//! for a newer major version or an event outside the set, a term for anything else).

use std::fmt::{self, Write};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use event_sdk_core::Subject;
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{Body, Completion, DeliveryInfo, Error, Settlement, Settler};
use jiff::Timestamp;

use super::refusal::{End, Refusal, Refusals};
use crate::cause::{AsCause, Cause};
use crate::message::{DecodeError, Message, Opener};

/// One delivery of an event: a [`Message`] to be settled.
///
/// Settle a delivery with [`ack`](Self::ack), [`nak`](Self::nak) or [`term`](Self::term); settling
/// it twice is harmless. If a delivery is dropped unsettled, the event is delivered again after the
/// ack wait. If the ack wait ends before the delivery is settled or dropped, another subscription
/// of the consumer may receive the event. The same subscription does not return the event again
/// while this delivery exists.
///
/// For a consumer without acknowledgements, settling has no effect.
#[must_use = "a delivery that is not settled is delivered again after the ack wait"]
pub struct Delivery<S> {
    message: Message<S>,
    info: DeliveryInfo,
    settler: Option<Settler>,
    refusals: Arc<Refusals>,
    /// How it was refused.
    refused: OnceLock<Box<Settlement>>,
}

impl<S> Delivery<S> {
    pub(super) fn new(
        subject: Subject,
        headers: Headers,
        body: Body,
        opener: &Arc<Opener>,
        info: DeliveryInfo,
        settler: Option<Settler>,
        refusals: &Arc<Refusals>,
    ) -> Self {
        Self {
            message: Message::new(subject, headers, body, opener),
            info,
            settler,
            refusals: Arc::clone(refusals),
            refused: OnceLock::new(),
        }
    }

    /// Acknowledges the event: it was handled, and is not delivered again.
    ///
    /// Completes when the transport has accepted the acknowledgement. The server may not have
    /// received it yet. If the connection is lost at that time, the result is `Ok` although the
    /// acknowledgement is lost, and the event is delivered again after its ack wait.
    /// [`ack_confirmed`](Self::ack_confirmed) waits for the server.
    ///
    /// Not cancel-safe: after dropping the future, the acknowledgement may arrive or not. The same
    /// holds for all methods that settle.
    ///
    /// # Errors
    ///
    /// Errors of the transport, such as [`Closed`](event_sdk_core::ErrorKind::Closed) or
    /// [`Disconnected`](event_sdk_core::ErrorKind::Disconnected): the event may be delivered again.
    ///
    /// On NATS, this call returns `Ok` even if the permission to acknowledge is missing, because
    /// the server denies the acknowledgement later. The denial ends the subscription:
    /// [`next`](super::Subscriber::next) returns
    /// [`PermissionDenied`](event_sdk_core::ErrorKind::PermissionDenied).
    pub async fn ack(&self) -> Result<(), Error> {
        self.settle_now(Settlement::Ack).await
    }

    /// Acknowledges the event, and completes when the stream has stored the acknowledgement. From
    /// then on the event is not delivered again, even if this program or its connection fails. (If
    /// another subscription has already received the event again, it may still return that
    /// delivery.)
    ///
    /// Takes a round trip to the server. Use this method if the handler must not be repeated and
    /// could not detect a repetition.
    ///
    /// Not cancel-safe, like [`ack`](Self::ack).
    ///
    /// # Errors
    ///
    /// Errors of the transport, such as [`Closed`](event_sdk_core::ErrorKind::Closed),
    /// [`Timeout`](event_sdk_core::ErrorKind::Timeout),
    /// [`ConsumerNotFound`](event_sdk_core::ErrorKind::ConsumerNotFound) or
    /// [`PermissionDenied`](event_sdk_core::ErrorKind::PermissionDenied): the event may be
    /// delivered again. [`Error::outcome`] says whether the server may have the acknowledgement.
    pub async fn ack_confirmed(&self) -> Result<(), Error> {
        self.settle_now(Settlement::AckConfirmed).await
    }

    /// Rejects the delivery: the event was not handled, and is delivered again after `delay`.
    ///
    /// Not cancel-safe, like [`ack`](Self::ack).
    ///
    /// # Errors
    ///
    /// The same as for [`ack`](Self::ack): the event is then delivered again after the ack wait.
    pub async fn nak(&self, delay: Duration) -> Result<(), Error> {
        self.settle_now(Settlement::Nak(delay)).await
    }

    /// Terminates the event: it is not delivered again. `reason` says why the event cannot be
    /// handled.
    ///
    /// Not cancel-safe, like [`ack`](Self::ack).
    ///
    /// # Errors
    ///
    /// The same as for [`ack`](Self::ack): the event may be delivered again.
    pub async fn term(&self, reason: impl fmt::Display) -> Result<(), Error> {
        self.settle_now(Settlement::Term(written(reason))).await
    }

    /// Restarts the ack wait of the event. Call it repeatedly while a handler needs more time than
    /// the ack wait.
    ///
    /// Not cancel-safe, like [`ack`](Self::ack).
    ///
    /// # Errors
    ///
    /// The same as for [`ack`](Self::ack): the ack wait may not have been restarted.
    pub async fn in_progress(&self) -> Result<(), Error> {
        self.settle_now(Settlement::InProgress).await
    }

    /// Settles a message that could not be decoded.
    ///
    /// An event of a newer major version, or of a subject that the set does not know, is normal
    /// during a rolling deploy. `refuse` gives such an event back by a nak with a delay, so that an
    /// instance that knows the event can receive it. The delay is `delay` (at least 1 ms) for
    /// [delivery number](Self::attempt) 1, and doubles with each further delivery, up to
    /// [`LONGEST_DELAY`](Self::LONGEST_DELAY). Any other message is terminated with the error as
    /// the reason.
    ///
    /// **Bounds.** A delayed event counts for `max_ack_pending`. Therefore `refuse` delays a
    /// further event only while fewer than a tenth of `max_ack_pending` events are delayed (see
    /// [`DelayUnknown`](super::DelayUnknown)), and delays an event for at most 15 minutes from its
    /// first delivery. [`delay_unknown`](super::Subscribe::delay_unknown) changes both bounds.
    /// Beyond a bound the event is terminated with a reason that names the bound, and reported as
    /// [`NoticeKind::Terminated`](crate::transport::NoticeKind::Terminated).
    ///
    /// If `max_deliver` is set, each redelivery counts, and the event may be exhausted before the
    /// 15 minutes are over.
    ///
    /// Not cancel-safe, like [`ack`](Self::ack). A termination is reported even if the future is
    /// dropped after its first poll.
    ///
    /// # Errors
    ///
    /// The same as for [`ack`](Self::ack). If a termination fails, the event may be delivered again
    /// although it was reported as terminated.
    ///
    /// A second call for the same delivery settles it as the first call did, and reports nothing.
    pub async fn refuse(&self, error: &DecodeError, delay: Duration) -> Result<(), Error> {
        if self.settler.is_none() {
            return Ok(());
        }
        let settlement = self.refused.get_or_init(|| {
            Box::new(match self.refusal(error, delay) {
                Refusal::Nak(delay) => Settlement::Nak(delay),
                Refusal::Term => Settlement::Term(written(error)),
                Refusal::Terminated(terminated) => {
                    let settlement = Settlement::Term(terminated.reason.clone());
                    // Before the answer, so that a dropped future does not lose it.
                    self.refusals.report(terminated);
                    settlement
                }
            })
        });
        self.settle_now((**settlement).clone()).await
    }

    /// The longest delay of a nak by [`refuse`](Self::refuse): 15 minutes.
    pub const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

    /// The stream of the event; `None` on a transport without streams.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.info.stream.as_deref()
    }

    /// The sequence in the stream; `None` on a transport without streams.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.info.sequence
    }

    /// The number of this delivery of the event, starting at one.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.info.attempt
    }

    /// The time when the event was stored; `None` on a transport without streams.
    #[must_use]
    pub fn stored_at(&self) -> Option<Timestamp> {
        self.info.stored_at
    }

    /// The number of events that the consumer still had to deliver when it delivered this event;
    /// `None` if this number is unknown.
    #[must_use]
    pub fn pending(&self) -> Option<u64> {
        self.info.pending
    }

    /// Records the span `receive`.
    #[inline]
    pub(super) fn record_receive(&self) {
        self.received_by(self.refusals.consumer.as_deref());
    }

    pub(crate) fn settler(&self) -> Option<&Settler> {
        self.settler.as_ref()
    }

    /// Takes another subject for that of the message.
    pub(crate) fn set_subject(&mut self, subject: Subject) {
        self.message.set_subject(subject);
    }

    /// Stream, sequence, number and times of the delivery.
    pub(crate) fn info(&self) -> &DeliveryInfo {
        &self.info
    }

    /// How [`refuse`](Self::refuse) would settle the delivery; the place of a delayed event is
    /// taken.
    pub(crate) fn refusal(&self, error: &DecodeError, delay: Duration) -> Refusal {
        let head = || self.head().ok();
        (self.refusals).refuse(error, head, &self.info, delay, Self::LONGEST_DELAY)
    }

    /// Acknowledges an event that its subscriber leaves out, whose answer others await.
    pub(super) fn ack_left_out(&self) -> Option<Completion<Result<(), Error>>> {
        let settler = self.settler.as_ref()?;
        // If the acknowledgement is lost, the event is left out once more: it needs no place.
        self.settled(Some(End::Acked));
        Some(settler.settle(Settlement::Ack))
    }

    /// Frees the place that the event has among the delayed ones, if the transport has taken a
    /// settlement that is for good.
    pub(crate) fn settled(&self, end: Option<End>) {
        if let (Some(end), Some(sequence)) = (end, self.info.sequence) {
            self.refusals.settled(sequence, end);
        }
    }

    async fn settle_now(&self, settlement: Settlement) -> Result<(), Error> {
        let Some(settler) = &self.settler else {
            return Ok(());
        };
        let end = End::of(&settlement);
        settler.settle(settlement).await?;
        self.settled(end);
        Ok(())
    }
}

/// The reason of a term.
pub(super) fn written(reason: impl fmt::Display) -> String {
    let mut text = String::new();
    // A reason whose Display fails is cut where it does.
    let _ = write!(text, "{reason}");
    text
}

impl<S> Deref for Delivery<S> {
    type Target = Message<S>;

    fn deref(&self) -> &Message<S> {
        &self.message
    }
}

impl<S> AsCause for Delivery<S> {
    fn as_cause(&self) -> Option<Cause> {
        Message::as_cause(self)
    }
}

impl<S> fmt::Debug for Delivery<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("message", &self.message)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

//! `Delivery`: ack, nak with a delay, term, in progress, and `refuse` (a nak for a newer major
//! version, a term for anything else).

use std::fmt::{self, Write};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::Subject;
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{Body, Completion, DeliveryInfo, Error, Settlement, Settler};
use jiff::Timestamp;

use crate::cause::{AsCause, Cause};
use crate::message::{DecodeError, Message, Opener};

/// One delivery of an event: a [`Message`] that waits to be settled.
///
/// Settle it with [`ack`](Self::ack), [`nak`](Self::nak) or [`term`](Self::term); one that is dropped unsettled is delivered again after
/// the ack wait. Settling twice is harmless. Where nothing is to be
/// acknowledged, settling does nothing.
#[must_use = "a delivery that is not settled is delivered again after the ack wait"]
pub struct Delivery<S> {
    message: Message<S>,
    info: DeliveryInfo,
    settler: Option<Settler>,
}

impl<S> Delivery<S> {
    pub(super) fn new(
        subject: Subject,
        headers: Headers,
        body: Body,
        opener: &Arc<Opener>,
        info: DeliveryInfo,
        settler: Option<Settler>,
    ) -> Self {
        Self {
            message: Message::new(subject, headers, body, opener),
            info,
            settler,
        }
    }

    /// The event was handled: it is not delivered again.
    ///
    /// That the transport has taken the acknowledgement is all that this waits
    /// for: if the connection breaks before the server has it, the event is
    /// delivered again. [`ack_confirmed`](Self::ack_confirmed) waits for the server.
    ///
    /// Dropping the future before it is ready leaves open whether the
    /// acknowledgement arrives; this holds for all that settle.
    ///
    /// # Errors
    ///
    /// The transport's: the event may be delivered again then.
    pub async fn ack(&self) -> Result<(), Error> {
        self.settle_now(Settlement::Ack).await
    }

    /// The event was handled, and the stream knows: once this is ready, it is not
    /// delivered again, whatever becomes of this program and its connection. (A
    /// copy that another subscription has already may still be handed out there.)
    ///
    /// It takes a round trip to the server. For a handler that does something
    /// which must not be repeated and cannot be recognized as a repetition.
    ///
    /// # Errors
    ///
    /// The transport's: the event may be delivered again then.
    /// [`Error::outcome`] says whether the server may have the acknowledgement.
    pub async fn ack_confirmed(&self) -> Result<(), Error> {
        self.settle_now(Settlement::AckConfirmed).await
    }

    /// The event was not handled: deliver it again after `delay`.
    ///
    /// # Errors
    ///
    /// The transport's: the event is delivered again after the ack wait then.
    pub async fn nak(&self, delay: Duration) -> Result<(), Error> {
        self.settle_now(Settlement::Nak(delay)).await
    }

    /// The event cannot be handled, for this reason: it is not delivered again.
    ///
    /// # Errors
    ///
    /// The transport's: the event may be delivered again then.
    pub async fn term(&self, reason: impl fmt::Display) -> Result<(), Error> {
        self.settle_now(Settlement::Term(written(reason))).await
    }

    /// The event is being handled: its ack wait begins anew.
    ///
    /// # Errors
    ///
    /// The transport's.
    pub async fn in_progress(&self) -> Result<(), Error> {
        self.settle_now(Settlement::InProgress).await
    }

    /// Does what fits a message that could not be decoded: an event of a newer
    /// major version is put back for `delay`, until a program that knows it is
    /// deployed; anything else is terminated with the reason.
    ///
    /// # Errors
    ///
    /// The transport's.
    pub async fn refuse(&self, error: &DecodeError, delay: Duration) -> Result<(), Error> {
        if error.is_newer() {
            self.nak(delay).await
        } else {
            self.term(error).await
        }
    }

    /// The stream that stores it; `None` where there is none.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.info.stream.as_deref()
    }

    /// Its sequence in the stream; `None` where there is no stream.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.info.sequence
    }

    /// Which delivery of the event this is, from one.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.info.attempt
    }

    /// When the event was stored; `None` where it is not.
    #[must_use]
    pub fn stored_at(&self) -> Option<Timestamp> {
        self.info.stored_at
    }

    /// How many events the consumer had still to deliver for the first time
    /// after this one; `None` where it does not know.
    #[must_use]
    pub fn pending(&self) -> Option<u64> {
        self.info.pending
    }

    pub(super) fn settler(&self) -> Option<&Settler> {
        self.settler.as_ref()
    }

    pub(super) fn settle(&self, settlement: Settlement) -> Option<Completion<Result<(), Error>>> {
        self.settler
            .as_ref()
            .map(|settler| settler.settle(settlement))
    }

    async fn settle_now(&self, settlement: Settlement) -> Result<(), Error> {
        match self.settle(settlement) {
            Some(answer) => answer.await,
            None => Ok(()),
        }
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

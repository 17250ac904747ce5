//! The contract between the SDK and what carries its messages.

mod admin;
mod capability;
mod completion;
mod consumer;
mod consumer_change;
mod delivery;
mod difference;
mod error;
mod ext;
mod history;
mod message;
mod settle_answers;
mod stream_change;
mod subscription;
mod unsettled;

pub use admin::{ConsumerAdmin, ConsumerInfo, StreamAdmin, StreamState};
pub use capability::{Capabilities, Capability};
pub use completion::Completion;
pub use consumer::{
    AckPolicy, BoundConsumer, ConsumerConfig, ConsumerName, DeliverPolicy, SubscribeRequest,
};
pub use consumer_change::ConsumerChange;
pub use delivery::{
    Deliveries, DeliveryInfo, Exhausted, Gap, Incoming, LostCount, Received, Settle, Settlement,
    Settler,
};
pub use difference::Difference;
pub use error::{Error, ErrorKind, Operation, Outcome};
pub use ext::TransportExt;
pub use history::{History, HistoryRequest, HistoryStart, HistoryStream, Order, StoredMessage};
pub use message::{Body, Confirmation, Expectations, MessageId, PublishRequest, Stored, ValueBody};
pub use settle_answers::SettleCompletions;
pub use stream_change::StreamChange;
pub use subscription::Subscription;
pub use unsettled::Unsettled;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Carries messages: stores them in streams, delivers them to consumers.
///
/// The conformance suite (`event_sdk_conformance`) holds each
/// implementation to what follows; what a transport
/// [cannot do](Self::capabilities) it answers with [`ErrorKind::Unsupported`],
/// never by doing something else.
///
/// This trait is the data plane. What not every transport has beside it are abilities, traits of
/// their own: [`History`], [`StreamAdmin`], [`ConsumerAdmin`]. A transport declares an ability by
/// returning it, and in no other way; [`TransportExt`] calls them where they may be missing.
///
/// **Publishing**
/// - A message is stored in the one stream whose subjects match its subject; if
///   there is none, the error says so ([`ErrorKind::NoStream`]).
/// - The outer answer means that the message is on its way and keeps its place
///   before messages published later through the same transport; the inner one
///   that it is stored, with its sequence. Dropping either takes nothing back.
/// - Who publishes many asks for the inner answers in any order, and for some of them
///   late: that holds up neither the others nor what is published after them.
/// - A message with the id of one stored within the stream's deduplication
///   window is not stored again: the answer has the sequence of the first and
///   says that it is a duplicate.
/// - A message id travels in a header and counts as one; one that cannot
///   ([`MessageId::check`]) is refused ([`ErrorKind::InvalidHeader`]).
/// - A failed expectation stores nothing and answers [`ErrorKind::WrongLastSequence`].
/// - An error says whether the message may have been stored ([`Error::outcome`]).
///
/// **Delivering**
/// - Subscribing binds a consumer that exists or creates one; it never changes one. The
///   subscription follows the settings of one that exists, and the answer says in what
///   they differ ([`BoundConsumer`]). One that would lose or misread messages is refused
///   ([`ErrorKind::ConsumerMismatch`], [`ConsumerConfig::bind`]).
/// - A consumer none of whose messages the stream stores is not created
///   ([`ErrorKind::InvalidSubject`]).
/// - Subscriptions of one durable or group share its messages: each goes to one
///   of them. Every other consumer gets its own copy.
/// - Messages come in order of sequence, first deliveries at least; a
///   redelivery comes when it is due.
/// - A message that is neither acknowledged nor put back within the ack wait is
///   delivered again, to any subscription of the consumer, with a higher attempt.
/// - Settling is idempotent: a second `ack` is fine, and an `ack` of a message
///   that was delivered again in the meantime acknowledges it. A `nak` of a
///   settled message does nothing.
/// - Settling several deliveries together ([`Settle::settle_all`]) does to each what
///   settling it alone does. That one fails keeps no other from being settled, and the
///   answer names those that were not. Dropping the answer leaves open which of them are.
/// - The answer to [`Settlement::AckConfirmed`] comes when the stream has the
///   acknowledgement: the message is not delivered again, whatever becomes of
///   this process and its connection. What a crash of a server takes from it is
///   for the transport to say. The answer to another settlement may come before
///   the stream knows.
/// - What a dropped subscription had received and not settled is delivered to
///   others of its consumer, at the latest after the ack wait; what it had not
///   yet handed to its caller at once.
/// - Nothing is lost silently: what a stream drops before a consumer read it
///   arrives as [`Incoming::Gap`], what ran out of deliveries as
///   [`Incoming::Exhausted`], where the capability is declared.
/// - A slow subscription slows no publisher and no other consumer.
/// - A stream that keeps messages by acknowledgement ([`Retention`](crate::stream::Retention))
///   drops one with the last that it waits for, whatever was stored before it; a term counts
///   as one, and so does a late one of what ran out of deliveries, which stays until then.
///   A work queue refuses a consumer that overlaps another, begins later than with what is
///   there, or does not acknowledge each message ([`ErrorKind::InvalidOption`]).
///
/// **Closing**
/// - After [`close`](Self::close) everything answers [`ErrorKind::Closed`], and
///   subscriptions end.
/// - [`drain`](Self::drain) closes in good order. Once it has begun, subscriptions
///   end and hand nothing more out, and everything but settling answers
///   [`ErrorKind::Closed`].
/// - What subscriptions had received and not handed out is there for others of
///   their consumer at once.
/// - Publishes that were handed over before are confirmed.
/// - What had been handed out can be settled as before, until the drain's time is
///   over. The drain ends as soon as all of it is settled; what is not when its
///   time is over is put back, as by a `nak` without delay.
/// - The answer comes when the transport is closed. [`Drained`] counts the
///   deliveries that were handed out and not settled when the drain began, and
///   those that were given back.
/// - Of several drains at once the first whose time is over ends all of them, and
///   so does closing. Draining or closing what is closed changes nothing.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// What the transport is called, for errors and traces.
    fn name(&self) -> &str;

    /// What it can do, and how much it takes.
    fn capabilities(&self) -> Capabilities;

    /// Sends a message: see "Publishing" above.
    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>>;

    /// Binds or creates a consumer and receives from it: see "Delivering" above.
    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>>;

    /// Reads what streams have stored, where the transport can.
    fn history(&self) -> Option<&dyn History> {
        None
    }

    /// Finds, creates and changes streams, where the transport can.
    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        None
    }

    /// Looks after consumers, where the transport can.
    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        None
    }

    /// What to do about a capability that is missing, as the end of a sentence: an option to be
    /// set, or the version of a server that has it.
    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        let _ = missing;
        Cow::Borrowed("use a transport that can")
    }

    /// Ends all subscriptions, waits no longer than `within` until everything that
    /// is in hand is settled, gives the rest back, and closes: see "Closing" above.
    ///
    /// Dropping the answer leaves open how far the drain gets: drain again, or
    /// close.
    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>>;

    /// Ends all subscriptions and refuses everything from now on.
    fn close(&self) -> Completion<Result<(), Error>>;
}

/// What became of the deliveries that a [drain](Transport::drain) found.
///
/// Deliveries that are not acknowledged at all are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// How many had been handed out, and were settled during the drain.
    pub settled: u64,
    /// How many were not settled, and are delivered again: those that had been
    /// received and not handed out, and those still in hand at the end.
    pub given_back: u64,
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<T: Transport + ?Sized> Transport for $pointer {
            fn name(&self) -> &str {
                self.deref().name()
            }

            fn capabilities(&self) -> Capabilities {
                self.deref().capabilities()
            }

            fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
                self.deref().publish(message)
            }

            fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
                self.deref().subscribe(request)
            }

            fn history(&self) -> Option<&dyn History> {
                self.deref().history()
            }

            fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
                self.deref().stream_admin()
            }

            fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
                self.deref().consumer_admin()
            }

            fn remedy(&self, missing: Capability) -> Cow<'static, str> {
                self.deref().remedy(missing)
            }

            fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
                self.deref().drain(within)
            }

            fn close(&self) -> Completion<Result<(), Error>> {
                self.deref().close()
            }
        }
    )*};
}

forward!(Box<T>, Arc<T>);

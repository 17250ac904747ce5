//! The `Transport` trait: what publishing, subscribing, draining and closing guarantee on every
//! transport.

mod account;
mod admin;
mod advisories;
mod bucket;
mod capability;
mod completion;
mod connection;
mod consumer;
mod consumer_change;
mod coordination;
mod delivery;
mod difference;
mod error;
mod ext;
mod history;
mod incoming;
mod message;
mod message_admin;
mod notice;
mod prefetch;
mod roll_up;
mod scheduler;
mod settle_answers;
mod snapshots;
mod stream_change;
mod subscription;
mod unsettled;
mod user;

pub use account::{AccountLimits, AccountTier, AccountUsage, SpaceUsage};
pub use admin::{ConsumerAdmin, ConsumerInfo, ForeignSetting, StreamAdmin, StreamState};
pub use advisories::{
    Advisories, Advisory, AdvisoryItem, AdvisoryKind, AdvisoryRequest, AdvisoryStream,
    StoredAdvisories, StoredAdvisory, UnreadableAdvisory,
};
pub use bucket::Bucket;
pub use capability::{Capabilities, Capability};
pub use completion::Completion;
pub use connection::{Certificate, CertificateOwner, ConnectionStatus, Disconnect, LinkState};
pub use consumer::{
    AckPolicy, BoundConsumer, ConsumerConfig, ConsumerName, DeliverPolicy, SubscribeRequest,
};
pub use consumer_change::ConsumerChange;
pub use coordination::{BucketConfig, Coordination, CoordinationEntry, PutRequest, Revision};
pub use delivery::{DeliveryInfo, Received, Settle, Settlement, Settler};
pub use difference::Difference;
pub use error::{Error, ErrorKind, Operation, Outcome};
pub use ext::TransportExt;
pub use history::{History, HistoryRequest, HistoryStart, HistoryStream, Order, StoredMessage};
pub use incoming::{Deliveries, Incoming};
pub use message::{Body, Confirmation, Expectations, MessageId, PublishRequest, Stored, ValueBody};
pub use message_admin::{
    Deletion, FoundMessage, MessageAdmin, PurgeRequest, UnreadableHeaders, WhichMessage,
};
pub use notice::{Exhausted, Gap, LostCount, Notice, NoticeKind, Terminated, WentBack};
pub use prefetch::Prefetch;
pub use roll_up::RollUp;
pub use scheduler::{
    CancelRequest, Cancellation, ScheduleRequest, Scheduled, ScheduledMessage, Scheduler,
};
pub use settle_answers::SettleCompletions;
pub use snapshots::{
    RestoreRequest, Snapshot, SnapshotContent, SnapshotInfo, SnapshotRequest, Snapshots,
};
pub use stream_change::StreamChange;
pub use subscription::Subscription;
pub use unsettled::Unsettled;
pub use user::{Allowed, Permissions, UserInfo};

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Stores messages in streams, and delivers them to consumers.
///
/// The conformance suite (`event_sdk_conformance`) tests the following guarantees. If an operation
/// needs a [capability](Self::capabilities) that the transport lacks, it returns
/// [`ErrorKind::Unsupported`], and has no effect.
///
/// This trait is the data plane. Each optional ability is a separate trait: [`History`],
/// [`StreamAdmin`], [`ConsumerAdmin`], [`MessageAdmin`], [`Advisories`], [`Coordination`],
/// [`Scheduler`], [`Snapshots`]. A transport declares an ability by returning it, and in no other
/// way. [`TransportExt`] calls abilities that may be missing.
///
/// **Publishing**
/// - A message is stored in the one stream whose subjects match its subject. Without such a
///   stream the error is [`ErrorKind::NoStream`].
/// - `publish` returns a future that completes with a second future. The outer future completes
///   when the transport has accepted the message. The message stays ahead of all messages that are
///   published later through the same transport. The inner future completes with the sequence when
///   the message is stored. Dropping either future does not take the message back.
/// - Callers may await confirmations in any order and at any time: this delays neither other
///   confirmations nor later publishes.
/// - A message whose id was stored within the stream's duplicate window is not stored again: the
///   result has the sequence of the first message, and says that it is a duplicate.
/// - A message id is a header, and counts towards the size of the message like other headers. An
///   invalid id ([`MessageId::check`]) is refused with [`ErrorKind::InvalidHeader`].
/// - If an expectation fails, nothing is stored, and the error is
///   [`ErrorKind::WrongLastSequence`].
/// - An error says whether the message may have been stored ([`Error::outcome`]).
///
/// **Delivering**
/// - Subscribing binds an existing consumer or creates one; it never changes one. The subscription
///   follows the settings of an existing consumer, and [`BoundConsumer`] lists the settings that
///   differ from the requested ones. An existing consumer that would lose or misread messages is
///   refused ([`ErrorKind::ConsumerMismatch`], [`ConsumerConfig::bind`]).
/// - If a filter matches no subject of the stream, no consumer is created. An existing consumer is
///   then bound only if it still has messages to deliver or unsettled deliveries. Otherwise the
///   error is [`ErrorKind::InvalidSubject`].
/// - Subscriptions of one durable or group share its messages: each message goes to one of them.
///   Every other consumer gets its own copy.
/// - First deliveries are in order of sequence; a redelivery follows when it is due.
/// - A message that is not settled within the ack wait is delivered again, to any subscription of
///   the consumer, with a higher delivery number. A subscription does not return a message again
///   while its caller still has an unsettled delivery of the message. If the caller settles that
///   delivery, this settles the newest delivery of the message. To receive the message again, the
///   caller drops the delivery or settles it with a `nak`.
/// - If the ack wait of a message ends before the subscription returns it, the subscription
///   discards that delivery and returns a later one.
/// - Settling is idempotent: a second `ack` succeeds, and an `ack` of a message that was
///   delivered again in the meantime acknowledges it. A `nak` of a message that is already
///   acknowledged or terminated has no effect.
/// - With [`AckPolicy::All`], an ack or a term settles its message and all unsettled messages with
///   lower sequences, even if other subscriptions have these messages. It settles no message with a
///   higher sequence. It takes effect even if its own message is already settled. So the caller
///   must acknowledge a message only after all messages before it are done. A `nak` and a restart
///   of the ack wait apply to one message.
/// - Settling several deliveries together ([`Settle::settle_all`]) has the same effect on each
///   delivery as settling it alone. If some deliveries cannot be settled, the others are still
///   settled, and the error lists those that failed. After dropping the future, any of the
///   deliveries may be settled or not.
/// - The futures of [`Settlement::AckConfirmed`] and [`Settlement::TermConfirmed`] complete when the
///   stream has the settlement: the message is then not delivered again, even if this process or its
///   connection fails. Each transport documents what a crash of its server may lose. Other
///   settlements may complete earlier.
/// - When a subscription is dropped, its unsettled messages are delivered to other subscriptions of
///   the consumer. Messages that had not been returned to the caller are delivered at once, others
///   at the latest after the ack wait.
/// - Losses are reported. If the stream drops messages before they were delivered to a consumer,
///   the subscription reports [`NoticeKind::Gap`] (capability
///   [`ReportsGaps`](Capability::ReportsGaps)). Exhausted messages are reported as
///   [`NoticeKind::Exhausted`] (capability [`ReportsExhausted`](Capability::ReportsExhausted)).
/// - If a stream goes back to an older state, the position of a consumer may lie beyond the last
///   sequence of the stream. The consumer then delivers nothing new. If the capability
///   [`ReportsGaps`](Capability::ReportsGaps) is declared, the subscription reports
///   [`NoticeKind::WentBack`] and ends with [`ErrorKind::StreamWentBack`]. Streams and consumers in
///   the memory of one process go back together.
/// - An error of a subscription is final: it is the reason why the subscription has ended.
///   Everything that does not end a subscription is a [`Notice`].
/// - A slow subscription slows no publisher and no other consumer.
/// - A stream with retention by acknowledgement ([`Retention`](crate::stream::Retention)) drops a
///   message as soon as the last required acknowledgement arrives, even if older messages stay. A
///   term counts as an acknowledgement. An exhausted message stays until its last delivery is
///   acknowledged or terminated after all. With
///   [`Retention::Interest`](crate::stream::Retention::Interest), it is also dropped when its
///   consumer is deleted.
/// - A work queue refuses a consumer ([`ErrorKind::InvalidOption`]) if its filters overlap those of
///   another consumer, if it does not start at the oldest message, or if it does not acknowledge
///   each message.
///
/// **Closing**
/// - After [`close`](Self::close) every operation returns [`ErrorKind::Closed`], and
///   subscriptions end without an error.
/// - [`drain`](Self::drain) closes gracefully. Once it has begun, subscriptions end without an
///   error and deliver nothing more, and every operation except publishing, settling,
///   [scheduling](Scheduler) and [coordination](Coordination) returns [`ErrorKind::Closed`].
/// - Messages that subscriptions had not yet returned to their callers go to other
///   subscriptions of their consumer at once.
/// - Callers can publish and settle their deliveries until the last delivery is settled or the
///   drain's time is over. So a handler can finish if it publishes before it acknowledges. After
///   that, publishing and settling return [`ErrorKind::Closed`] too. Deliveries that are unsettled
///   when the time is over are given back, as by a `nak` without delay.
/// - Publishes that were accepted before that time are still confirmed.
/// - The drain completes when the transport is closed. [`Drained`] counts the deliveries that
///   were settled during the drain, and those that were given back.
/// - If several drains run at the same time, all of them end when the time of one of them is over.
///   Closing the transport also ends all drains. Draining or closing a closed transport has no
///   effect.
///
/// **Errors**: every operation may also return errors of the connection
/// ([`ErrorKind::Disconnected`], [`ErrorKind::Timeout`], [`ErrorKind::Unauthenticated`],
/// [`ErrorKind::Tls`]), [`ErrorKind::PermissionDenied`], and [`ErrorKind::Other`].
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// The name of the transport, for errors and traces.
    fn name(&self) -> &str;

    /// Its capabilities, and the maximum size of a message.
    fn capabilities(&self) -> Capabilities;

    /// Publishes a message: see "Publishing" above.
    ///
    /// Not cancel-safe: after dropping either future, the message may be stored or not.
    ///
    /// # Errors
    ///
    /// The outer future: [`Closed`](ErrorKind::Closed), [`Unsupported`](ErrorKind::Unsupported),
    /// [`InvalidHeader`](ErrorKind::InvalidHeader), [`TooLarge`](ErrorKind::TooLarge), errors of
    /// the connection. The inner future: [`NoStream`](ErrorKind::NoStream),
    /// [`StreamFull`](ErrorKind::StreamFull), [`WrongLastSequence`](ErrorKind::WrongLastSequence),
    /// [`TooLarge`](ErrorKind::TooLarge) for the stream, [`Closed`](ErrorKind::Closed), errors of
    /// the connection.
    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>>;

    /// Binds or creates a consumer and subscribes to it: see "Delivering" above.
    ///
    /// Cancel-safe, except that a durable or group that was already created stays.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](ErrorKind::StreamNotFound),
    /// [`ConsumerNotFound`](ErrorKind::ConsumerNotFound) if the consumer must exist,
    /// [`ConsumerMismatch`](ErrorKind::ConsumerMismatch),
    /// [`InvalidOption`](ErrorKind::InvalidOption), [`InvalidSubject`](ErrorKind::InvalidSubject)
    /// if a filter matches no subject of the stream, [`Unsupported`](ErrorKind::Unsupported),
    /// [`Closed`](ErrorKind::Closed), errors of the connection.
    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>>;

    /// The ability to read stored messages; `None` if the transport lacks it.
    fn history(&self) -> Option<&dyn History> {
        None
    }

    /// The ability to find, create and change streams; `None` if the transport lacks it.
    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        None
    }

    /// The ability to manage consumers; `None` if the transport lacks it.
    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        None
    }

    /// The ability to get, delete and purge stored messages; `None` if the transport lacks it.
    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        None
    }

    /// The ability to hear advisories of a server about consumers; `None` if the transport lacks it.
    fn advisories(&self) -> Option<&dyn Advisories> {
        None
    }

    /// The ability to keep entries by key, changed by compare-and-set; `None` if the transport
    /// lacks it.
    fn coordination(&self) -> Option<&dyn Coordination> {
        None
    }

    /// How many connections to a server the transport has made so far, for publishing.
    ///
    /// If the number has changed, the server or its streams may have changed too. A caller that
    /// must not lose confirmed messages should then check whether its last messages are still
    /// stored. The default is zero, for transports without a server.
    fn connections(&self) -> u64 {
        0
    }

    /// Whether the transport has a connection to a server now, for publishing.
    ///
    /// A message that is published without a connection waits for the next connection. That
    /// connection may be to a server with an older state. The default is `true`, for transports
    /// without a server. A closed transport returns `true` too, because no message waits there.
    fn is_connected(&self) -> bool {
        true
    }

    /// The state of all connections of the transport, for publishing and for deliveries, and the
    /// last time when a connection was missing. It is for health checks of a service. After a drain
    /// or close, the state is [`Closed`](LinkState::Closed). The default only knows
    /// [`is_connected`](Self::is_connected), and never reports `Closed`, so a transport with a
    /// server overrides it.
    fn connection_status(&self) -> ConnectionStatus {
        ConnectionStatus::new(if self.is_connected() {
            LinkState::Connected
        } else {
            LinkState::Disconnected
        })
    }

    /// Asks the server for the user of this connection and the user's permissions. The default is
    /// `None`, for a transport without users.
    ///
    /// A NATS server answers at `$SYS.REQ.USER.INFO`, to which the user must be allowed to publish.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](ErrorKind::PermissionDenied), [`Closed`](ErrorKind::Closed), errors of the
    /// connection.
    fn user(&self) -> Completion<Result<Option<UserInfo>, Error>> {
        Completion::ready(Ok(None))
    }

    /// The ability to store messages at a later time; `None` if the transport lacks it.
    fn scheduler(&self) -> Option<&dyn Scheduler> {
        None
    }

    /// The ability to write whole streams into backups and to restore them; `None` if the transport
    /// lacks it.
    fn snapshots(&self) -> Option<&dyn Snapshots> {
        None
    }

    /// What to do about a missing capability, as the end of a sentence: an option to set, or the
    /// server version that has it.
    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        let _ = missing;
        Cow::Borrowed("use a transport that can")
    }

    /// Ends all subscriptions, waits up to `within` until all deliveries are settled, gives
    /// unsettled deliveries back, and closes: see "Closing" above.
    ///
    /// The drain begins when the method is called. Dropping the future leaves it unfinished: drain
    /// again, or close.
    ///
    /// # Errors
    ///
    /// Errors of the transport while it closes.
    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>>;

    /// Ends all subscriptions, and refuses every further operation.
    ///
    /// Closing begins when the method is called; dropping the future does not stop it.
    ///
    /// # Errors
    ///
    /// Errors of the transport while it closes.
    fn close(&self) -> Completion<Result<(), Error>>;
}

/// The result of a [drain](Transport::drain): counts of the deliveries that were unsettled when
/// it began.
///
/// Deliveries of consumers without acknowledgements are not counted: they are settled when they are
/// returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Deliveries that the caller had, and settled during the drain.
    pub settled: u64,
    /// Deliveries that were not settled, and are delivered again: prefetched deliveries, and those
    /// that the caller still had when the drain's time was over.
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

            fn message_admin(&self) -> Option<&dyn MessageAdmin> {
                self.deref().message_admin()
            }

            fn advisories(&self) -> Option<&dyn Advisories> {
                self.deref().advisories()
            }

            fn coordination(&self) -> Option<&dyn Coordination> {
                self.deref().coordination()
            }

            fn connections(&self) -> u64 {
                self.deref().connections()
            }

            fn is_connected(&self) -> bool {
                self.deref().is_connected()
            }

            fn connection_status(&self) -> ConnectionStatus {
                self.deref().connection_status()
            }

            fn user(&self) -> Completion<Result<Option<UserInfo>, Error>> {
                self.deref().user()
            }

            fn scheduler(&self) -> Option<&dyn Scheduler> {
                self.deref().scheduler()
            }

            fn snapshots(&self) -> Option<&dyn Snapshots> {
                self.deref().snapshots()
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

//! `StreamAdmin` and `ConsumerAdmin`: optional abilities to find, inspect, create, change and
//! delete streams and consumers.

use std::fmt;

use jiff::Timestamp;

use super::{
    AccountUsage, Completion, ConsumerChange, ConsumerConfig, Difference, Error, StreamChange,
};
use crate::shown::Shown;
use crate::stream::StreamConfig;
use crate::subject::Pattern;
use crate::text::Text;

/// Finds, creates and changes streams.
///
/// - Only [`apply`](Self::apply) creates or changes a stream. After it, the stream matches the
///   configuration, and the result lists the changes.
/// - Applying an unchanged configuration has no effect.
/// - Refused with [`ErrorKind::InvalidOption`](super::ErrorKind::InvalidOption), without any
///   change: an invalid configuration, a subject of another stream, another storage or another
///   mirror for an existing stream, a change to or from a work queue, and turning
///   [schedules](crate::stream::StreamConfig::schedules) off.
/// - With [`PromoteMirror`](super::Capability::PromoteMirror), a mirror can become a stream of its
///   own. With [`ChangeRetention`](super::Capability::ChangeRetention), the retention can change
///   between limits and interest.
/// - If new limits have no room for stored messages, a stream with
///   [`Discard::Old`](crate::stream::Discard::Old) drops the oldest ones. Consumers that had not
///   yet received these messages report a [gap](super::NoticeKind::Gap).
/// - Messages under a subject that is removed from the stream stay, for consumers with a matching
///   filter.
/// - Consumers, sequences, and settings that are not part of the configuration stay unchanged.
pub trait StreamAdmin: Send + Sync {
    /// Returns the names of the streams that store a subject which `pattern` matches.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Unsupported`](super::ErrorKind::Unsupported) on a server without JetStream,
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection.
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>>;

    /// Returns a stream's configuration and current counts.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound), and the errors of [`find`](Self::find).
    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>>;

    /// Returns what the account of this connection stores and reserves, and its limits.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The errors of [`find`](Self::find).
    fn account(&self) -> Completion<Result<AccountUsage, Error>>;

    /// Creates the stream, or changes it to match `config`.
    ///
    /// Not cancel-safe: after dropping the future, the stream may have been created or changed.
    /// Applying it again is safe.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) as above,
    /// [`Unsupported`](super::ErrorKind::Unsupported) if the server lacks a setting,
    /// [`StreamFull`](super::ErrorKind::StreamFull) if a limit of the account or server is reached,
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection. After a
    /// [`Timeout`](super::ErrorKind::Timeout), [`Error::outcome`] says whether the change may have
    /// been made.
    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>>;
}

/// Lists, inspects, creates, changes, pauses, resets and deletes the consumers of streams.
///
/// - [`apply`](Self::apply) creates or changes a durable. A changed durable keeps its position:
///   acknowledged messages are not delivered again, and unsettled deliveries stay unsettled.
/// - A message that only the new filters match is delivered if its sequence is higher than the
///   sequence of the last delivered message, and the consumer has not passed over it yet. Earlier
///   messages are not delivered.
/// - A new ack wait applies from the next delivery on.
/// - The start position matters only when a consumer is created; it is neither compared nor
///   changed.
/// - A refused change has no effect: see the errors of [`apply`](Self::apply).
/// - A [paused](Self::pause) consumer delivers nothing, neither new messages nor redeliveries; its
///   subscriptions stay open. Deliveries can be settled, and their ack waits go on. A subscription
///   may still return messages that it had received before the pause.
/// - A [reset](Self::reset) consumer delivers the messages from a sequence on as if for the first
///   time, whatever was delivered or acknowledged before. If a delivery from before the reset is
///   settled after it, this may settle a later delivery of the same message. So stop the
///   subscriptions first.
pub trait ConsumerAdmin: Send + Sync {
    /// Returns all consumers of a stream that have a name, each with its configuration and position,
    /// by name.
    ///
    /// A server names ephemeral consumers too; the transport in the process does not.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection.
    fn list(&self, stream: &str) -> Completion<Result<Vec<ConsumerInfo>, Error>>;

    /// Returns a consumer's configuration and its position in the stream.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`ConsumerNotFound`](super::ErrorKind::ConsumerNotFound),
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection.
    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>>;

    /// Creates the durable, or changes it to match `config`.
    ///
    /// Not cancel-safe: after dropping the future, the durable may have been created or changed.
    /// Applying it again is safe.
    ///
    /// # Errors
    ///
    /// [`ConsumerMismatch`](super::ErrorKind::ConsumerMismatch) if a setting cannot be changed,
    /// [`InvalidSubject`](super::ErrorKind::InvalidSubject) if a filter matches no subject of the
    /// stream, [`InvalidOption`](super::ErrorKind::InvalidOption) for an invalid configuration or a
    /// consumer that is not a durable, [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection. After a
    /// [`Timeout`](super::ErrorKind::Timeout), [`Error::outcome`] says whether the change may have
    /// been made.
    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>>;

    /// Pauses a consumer until a time, after which it continues automatically. `None` lets it
    /// continue now; a time in the past pauses nothing.
    ///
    /// Needs [`Capability::PauseConsumer`](super::Capability::PauseConsumer).
    ///
    /// Not cancel-safe: after dropping the future, the consumer may be paused. Pausing it again is safe.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](super::ErrorKind::Unsupported) on a transport or server without this
    /// capability, and the errors of [`info`](Self::info). After a
    /// [`Timeout`](super::ErrorKind::Timeout), [`Error::outcome`] says whether the consumer may be
    /// paused.
    fn pause(
        &self,
        stream: &str,
        consumer: &str,
        until: Option<Timestamp>,
    ) -> Completion<Result<(), Error>>;

    /// Resets a consumer. The next message that it delivers is the first one from `sequence` on
    /// that its filters match, and unsettled deliveries are forgotten. To deliver all unsettled
    /// messages again, pass the [ack floor](ConsumerInfo::acknowledged) plus one. Messages that
    /// were acknowledged above the floor are then delivered again too.
    ///
    /// Needs [`Capability::ResetConsumer`](super::Capability::ResetConsumer).
    ///
    /// Not cancel-safe: after dropping the future, the consumer may be reset. If it is reset again,
    /// messages that were delivered in the meantime are delivered again.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) for a consumer that started neither at
    /// the oldest message nor at a sequence or time, for a sequence before its start, and possibly
    /// on a stream that drops messages when they are acknowledged;
    /// [`Unsupported`](super::ErrorKind::Unsupported) on a transport or server without this
    /// capability, and the errors of [`info`](Self::info). After a
    /// [`Timeout`](super::ErrorKind::Timeout), [`Error::outcome`] says whether the consumer may be
    /// reset.
    fn reset(&self, stream: &str, consumer: &str, sequence: u64) -> Completion<Result<(), Error>>;

    /// Deletes a consumer. Its subscriptions end with
    /// [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
    ///
    /// Not cancel-safe: after dropping the future, the consumer may have been deleted.
    ///
    /// # Errors
    ///
    /// The errors of [`info`](Self::info).
    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>>;
}

/// A consumer's configuration and its position in the stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsumerInfo {
    /// The configuration.
    pub config: ConsumerConfig,
    /// Settings that [`ConsumerConfig`] does not have, and that prevent a subscription from binding
    /// the consumer; for example a push consumer.
    pub foreign: Vec<Difference>,
    /// The stream sequence up to which the consumer has delivered messages, or passed over
    /// messages that its filters do not match; zero if it has not begun.
    pub delivered: u64,
    /// The number of deliveries of all messages to all subscriptions; see
    /// [`DeliveryInfo::number`](super::DeliveryInfo::number).
    pub deliveries: u64,
    /// The ack floor: the stream sequence up to which all delivered messages are acknowledged or
    /// terminated.
    pub acknowledged: u64,
    /// The number of unsettled deliveries.
    pub ack_pending: u64,
    /// The number of unsettled messages that were delivered more than once.
    pub redelivered: u64,
    /// The number of messages that were not yet delivered for the first time.
    pub pending: u64,
    /// The number of requests for messages that wait at the server; `None` on a transport without
    /// a server.
    pub waiting: Option<u64>,
    /// The time at which the [pause](ConsumerAdmin::pause) of the consumer ends; `None` if it is not paused.
    pub paused_until: Option<Timestamp>,
}

impl ConsumerInfo {
    /// A consumer that has not begun and has nothing to deliver.
    #[must_use]
    pub fn new(config: ConsumerConfig) -> Self {
        Self {
            config,
            foreign: Vec::new(),
            delivered: 0,
            deliveries: 0,
            acknowledged: 0,
            ack_pending: 0,
            redelivered: 0,
            pending: 0,
            waiting: None,
            paused_until: None,
        }
    }
}

/// A stream's configuration and current counts.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamState {
    /// The configuration.
    pub config: StreamConfig,
    /// Number of messages.
    pub messages: u64,
    /// Bytes of subjects, headers and bodies. Values that were passed without encoding count with
    /// their known size.
    pub bytes: u64,
    /// Sequence of the oldest message, or the next sequence if there is none.
    pub first_sequence: u64,
    /// Sequence of the newest message ever stored; zero if there was none.
    pub last_sequence: u64,
    /// Number of consumers. In a cluster, the count may lag behind consumers that were just
    /// created or deleted.
    pub consumers: usize,
    /// Settings that [`StreamConfig`] does not have and that differ from the server's defaults, for
    /// example a description. [`apply`](StreamAdmin::apply) leaves them as they are.
    pub foreign: Vec<ForeignSetting>,
}

/// A setting of a stream on its server that [`StreamConfig`] does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignSetting {
    /// The name of the setting on the server.
    pub field: String,
    /// The value of the setting, as JSON.
    pub value: String,
}

impl ForeignSetting {
    /// A setting with this value.
    pub fn new(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: value.into(),
        }
    }
}

impl fmt::Display for ForeignSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, value) = (Shown(&self.field, 100), Shown(&self.value, 500));
        write!(f, "{field}: {value}")
    }
}

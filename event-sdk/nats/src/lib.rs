//! The NATS transport: publishes to and consumes from JetStream, servers 2.10.25 or newer.
//!
//! Services use it as `event_sdk::transport::nats`.
//!
//! ```no_run
//! use event_sdk::EventBus;
//! use event_sdk::stream::StreamSpec;
//! use event_sdk::transport::nats::Nats;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Nats::options("nats://one.example,nats://two.example")
//!     .name("billing")
//!     .credentials_file("/run/secrets/billing.creds");
//! let bus = EventBus::builder()
//!     .stream(StreamSpec::new("ORDERS").subject("orders.>").replicas(3))
//!     .transport(Nats::connect(options).await?)?;
//! bus.apply_streams().await?; // creates the stream, or returns what it changed
//! # Ok(())
//! # }
//! ```
//!
//! [`Transport`] specifies the guarantees of every transport. This page describes the properties
//! that only the NATS transport has, and its behaviour where the contract leaves a choice:
//!
//! - **Connection.** When the connection is lost, the client reconnects to any of the servers. It
//!   never gives up unless [`max_reconnects`](NatsOptions::max_reconnects) is set.
//!   [`Nats::connection`] returns the state and waits for changes. Each change is also logged with
//!   `tracing` under the target `event_sdk::nats`.
//! - **Two connections.** The first subscription or history request opens a second connection for
//!   deliveries, pull requests, settlements and stored messages. It has the same options, and the
//!   name `<name>-deliveries`. The client reconnects it like the first connection, and each
//!   subscription then reports [`Reconnected`](event_sdk_core::transport::NoticeKind::Reconnected).
//!   Settlements that were not yet written are written after the reconnect. While `next` has
//!   further messages to return, a settlement is delayed by up to about 1 ms and written together
//!   with the next ones.
//! - **Unreadable messages.** A message is unreadable if its subject is invalid for an event, if it
//!   has more than 1,024 headers, or if its headers are malformed: not UTF-8, a line without a
//!   colon, a blank in a name, or a version other than `NATS/1.0`. A subscription terminates such a
//!   message and reports it as [`Unreadable`](event_sdk_core::transport::NoticeKind::Unreadable).
//!   With the ack policy `All`, a term would also settle everything before the message: the notice
//!   then has a [settler](event_sdk_core::transport::Notice::settler) instead. History and
//!   [`CoreNats`] skip the message, with a warning in the log.
//! - **Publishing** sends messages in the order of the calls, and waits while too many are in
//!   flight or the connection is lost. If a message cannot be sent in time, it is not stored, and
//!   the error is [`Disconnected`](event_sdk_core::transport::ErrorKind::Disconnected), or
//!   [`Unauthenticated`](event_sdk_core::transport::ErrorKind::Unauthenticated) or
//!   [`Tls`](event_sdk_core::transport::ErrorKind::Tls) if that prevents the connection. If a
//!   message was sent and not confirmed, it may have been stored. If it is published again, the
//!   stream recognizes the duplicate.
//! - **In flight at a disconnect.** After a reconnect, the transport sends unconfirmed messages
//!   again, before waiting ones, until their [`ack_timeout`](NatsOptions::ack_timeout). If the
//!   duplicate window of the stream is longer than the ack timeout, the stream recognizes the
//!   second copy by the message id, and the result is a duplicate. Messages that the client had
//!   accepted and not yet written can arrive before the repeated ones. A message without an id is
//!   not sent again: its publish waits for a late confirmation until the ack timeout, and then has
//!   an unknown outcome.
//! - **No responders.** If no stream responds to a publish, the stream may have no leader, or a
//!   cluster may not know a new stream yet. The transport then keeps sending the message for up to
//!   three seconds, or until a message that was published later has been stored. After that, the
//!   error is [`Timeout`](event_sdk_core::transport::ErrorKind::Timeout), and the publish can be
//!   retried. If the stream does not exist, the error is
//!   [`NoStream`](event_sdk_core::transport::ErrorKind::NoStream) at once.
//! - **Wrong last sequence.** A server from 2.12 on may return this error for the second copy of a
//!   message that it has stored. If the last message has the id of the published one, the result is
//!   a duplicate.
//! - **Permissions.** If a permission is missing, the error is
//!   [`PermissionDenied`](event_sdk_core::transport::ErrorKind::PermissionDenied), with the
//!   subject. It is returned at once. For a settlement that does not wait for the server, the error
//!   ends the subscription instead. To distinguish the errors above, the transport requests
//!   information about streams (`$JS.API.STREAM.NAMES`, `.INFO`, `.MSG.GET`). Without these
//!   permissions, it returns the server's own error. With [`Management::Never`], it makes no such
//!   request.
//! - **Ending a subscription.** If a subscription ends, the transport naks the messages that it had
//!   received and not returned, so that other subscriptions of the consumer receive them. It does
//!   this at once on a single server, and within two seconds in a cluster. A cluster may still
//!   deliver messages to the inbox of the ended subscription. So the transport listens until the
//!   open pull requests end, and naks the messages that arrive. Each of these messages counts as
//!   delivered once. A [drain](Transport::drain) waits for this.
//! - **Groups.** A group ends when no delivery is unsettled and no subscription has requested
//!   messages for [`inactive_threshold`](NatsOptions::inactive_threshold). A subscription that is
//!   created at that moment starts a new group.
//! - **Gaps.** If a limit, a purge or a deletion dropped messages before they were delivered to the
//!   consumer, a subscription reports a gap
//!   ([`NoticeKind::Gap`](event_sdk_core::transport::NoticeKind::Gap)).
//!   - *Exact or at most.* The number is exact if the filters of the consumer cover the subjects of
//!     the stream and no other subscription receives from the consumer. Otherwise it is "at most",
//!     because the server does not say which subjects were dropped. If subjects or filters have
//!     changed during the subscription, the number is "at most" too. A subscription does not know
//!     of changes that were made while no subscription ran. An exact number assumes that there were
//!     no such changes.
//!   - *Shared consumers.* Each subscription reports the gaps that it sees. Messages that other
//!     subscriptions received count as delivered. If some of these deliveries may have been
//!     redeliveries, the subscription checks the stream within four seconds. It then reports
//!     missing messages as "at most", even if another subscription has received them.
//!   - *Order.* The notice comes before the message that follows the gap; that message waits for a
//!     check of stream and consumer. If the filters are narrower than the stream, the notice can
//!     come after that message.
//!   - *Requests.* The checks use `$JS.API.STREAM.INFO` and `$JS.API.CONSUMER.INFO`. They are made
//!     when a subscription begins, when no more messages arrive, at a gap, and at most once a
//!     second after a consumer with narrower filters has passed over messages.
//!
//!   Not reported, because the server does not provide the information:
//!   - messages that a purge removes while no subscription runs;
//!   - messages that a limit drops at the moment when a subscription ends, if the server has
//!     already sent a later message to the subscription. The position of the consumer is then after
//!     the dropped messages, as if they had been delivered, and the ended subscription reads
//!     nothing more;
//!   - messages that were delivered, not settled, and then dropped by the stream. Exception: if a
//!     running subscription gave such messages back or dropped their deliveries, it reports them as
//!     "at most";
//!   - if the filters are narrower than the stream: messages of a stream with `WorkQueue` or
//!     `Interest` retention, and messages that a limit for each subject drops while a subscription
//!     runs;
//!   - which messages are missing, if more than 10,000 are missing from the middle of the stream:
//!     the subscription only reports their number, as "at most", when it begins;
//!   - messages that a consumer with `LastPerSubject`, or with a start time in the future, passes
//!     over at its start.
//!
//!   Conversely, a gap may contain messages that were not dropped. This happens if a consumer that
//!   starts at a sequence is [reset](event_sdk_core::transport::ConsumerAdmin::reset) to a later
//!   one. Until the consumer has delivered a message, a subscription reports the skipped messages
//!   as a gap.
//! - **Streams that went back.** If a stream is restored from an older copy and its consumer is
//!   not, a server before 2.15 does not deliver the new messages up to the position of the
//!   consumer. A subscription therefore compares the stream with the consumer
//!   (`$JS.API.STREAM.INFO`, `$JS.API.CONSUMER.INFO`) when it begins, after a reconnect, and when
//!   no more messages arrive. If the position of the consumer is beyond the end of the stream, the
//!   subscription reports [`NoticeKind::WentBack`](event_sdk_core::transport::NoticeKind::WentBack)
//!   and ends with
//!   [`ErrorKind::StreamWentBack`](event_sdk_core::transport::ErrorKind::StreamWentBack). After a
//!   reconnect, nothing is delivered until the comparison is made.
//! - **History** is read from any replica if the stream has `allow_direct`, as streams created by
//!   this transport have, and from the leader otherwise. It needs no consumer. From server 2.11 on,
//!   it is read in batches.
//! - **Streams.** [Applying a stream](StreamAdmin::apply) changes the fields that the configuration
//!   names and leaves all others. In a cluster, the call waits until the stream can be found by its
//!   subjects (`$JS.API.STREAM.NAMES`, if permitted). A server limits deduplication by time only,
//!   so the number of remembered ids is not compared. The minimum window is 100 ms.
//! - **Buckets** ([`Coordination`]) have the layout of NATS's key-value store, so other clients and the
//!   command `nats kv` can read and write them. The bucket `B` is the stream `KV_B`.
//!   - *Reading.* An entry is read by a direct get on a single server, and from the leader in a
//!     cluster. While a cluster elects a leader, the old leader may return an entry that was
//!     replaced.
//!   - *Writing.* A write is sent again if no answer arrives, until
//!     [`request_timeout`](NatsOptions::request_timeout). The transport recognizes the first copy
//!     by a message id. If another client has replaced that copy in the meantime, the error is
//!     [`WrongRevision`](event_sdk_core::transport::ErrorKind::WrongRevision) with an unknown
//!     outcome.
//!   - *Deleting* stores a marker. The server drops the marker after an hour; a server before 2.11
//!     drops it after the maximum age of the bucket.
//!   - *Expiry* needs server 2.11, and is rounded up to whole seconds. A bucket that was created by
//!     an older server has to be applied again.
//!   - With [`Management::Never`], coordination is not available.
//! - **Schedules** ([`Scheduler`]) are stored and fired by the server. They need server 2.12, and a
//!   stream that was applied with [`schedules`](event_sdk_core::stream::StreamSpec::schedules).
//!   - A waiting schedule is a message of the stream, under `schedules.<stream>.<key>`. The message
//!     has a sequence, and counts towards the limits by number and bytes, which may **drop it
//!     without notice**. The maximum age does not apply to it. A consumer of another client that
//!     has no filter receives the schedule at once. In a work queue, that consumer's
//!     acknowledgement removes the schedule.
//!   - Consumers of a stream with schedules report no gaps, since a schedule that fires leaves a
//!     gap in the sequences.
//!   - A server looks for due schedules at most once every 250 ms. Schedules that it finds together
//!     are stored in the order in which they were scheduled.
//!   - A message that a schedule fires has no message id, so the stream cannot recognize a
//!     duplicate of it.
//!   - Cancelling or replacing a schedule at the moment when it is due takes up to two seconds,
//!     until it is known whether the server has fired it.
//!   - If a key has no waiting schedule, a cancellation searches the newest 1,000 messages of its
//!     subjects for the fired message. This distinguishes a late cancellation from an unknown key.
//! - **Single messages** ([`MessageAdmin`]) are read from the leader, so that a confirmed message
//!   is always found. A purge before a sequence never moves the end of the stream, although the
//!   server's own purge does so for a sequence beyond the end. So a purge without a filter first
//!   requests the last sequence.
//! - **Advisories** of another JetStream domain or account do not arrive on this connection. So
//!   with another [`api_prefix`](NatsOptions::api_prefix) the transport does not offer advisories.
//!   A stream in the other domain can store them.
//! - **Headers** of a received message are sorted by name, and their values have no surrounding
//!   white space.
//! - **Versions.** [`Nats::connect`] refuses a server older than [`Version::OLDEST`] (2.10.25) with
//!   [`Unsupported`](event_sdk_core::transport::ErrorKind::Unsupported), because older servers lose
//!   redeliveries, and accept options that they ignore. It checks only the server that it connects
//!   to; the servers of another domain or API prefix are not checked, and must not be older either.
//!   A reconnect to an older server logs a warning. If a capability needs a newer version, the
//!   error is `Unsupported` and names the version; the expected sequence of an entity needs 2.11.
//!
//! # Modules
//!
//! Connecting:
//! - `options`: servers, authentication, TLS, reconnects, limits;
//! - `connect`: opens the connection;
//! - `connection`: its state, and the server's permission violations;
//! - `server`: version and capabilities of the server;
//! - `context`: state that all parts share, and requests to the JetStream API;
//! - `error`: server errors as error kinds.
//!
//! Publishing:
//! - `headers`: headers on the wire;
//! - `publish`: checks, retries and confirms a publish;
//! - `send_queue`: sends publishes in order, and limits those in flight;
//! - `pending_replies`: matches replies to publishes by a token.
//!
//! Streams, consuming and reading:
//! - `stream_answer`: the answer of a stream to an entry of a bucket, or to a schedule;
//! - `streams`: finds, creates and changes streams;
//! - `user`: the user of the connection, and the permissions of this user;
//! - `receiver`: the connection for pull requests, deliveries and settlements;
//! - `consumer`: binds consumers, pulls, settles, recovers, reports gaps;
//! - `history`: reads stored messages without a consumer;
//! - `scheduler`: messages that the server stores at a later time;
//! - `message_admin`: gets, deletes and purges stored messages;
//! - `snapshots`: whole streams as the server's own archives, and back;
//! - `coordination`: entries by key in buckets, changed by compare-and-set;
//! - `core_nats`: publish and subscribe without streams;
//! - `advisories`: listens to the server's advisories about consumers;
//! - [`config_file`]: configurations as files of the `nats` command line.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connect;
mod connection;
mod context;
mod error;
mod options;
mod server;

mod headers;
mod publish;

mod pending_replies;
mod send_queue;

mod stream_answer;
mod streams;
mod user;

mod receiver;

mod consumer;
mod consumer_admin;

mod history;

mod coordination;
mod message_admin;
mod scheduler;
mod snapshots;

mod in_runtime;

pub mod config_file;

mod core_nats;

mod advisories;

#[doc(hidden)]
#[path = "fuzz.rs"]
pub mod __fuzz;

pub use connection::{ConnectionState, ConnectionWatch, DisconnectReason};
pub use core_nats::CoreNats;
pub use options::{LoginError, Management, NatsLogin, NatsOptions};
pub use server::Version;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use self::consumer::Consumers;
use self::context::NatsContext;
use self::publish::StreamPublisher;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AccountUsage, Advisories, Capabilities, Capability, Completion, Confirmation, ConnectionStatus,
    ConsumerAdmin, Coordination, Drained, Error, History, HistoryRequest, HistoryStream,
    MessageAdmin, Operation, PublishRequest, Scheduler, Snapshots, StreamAdmin, StreamChange,
    StreamState, SubscribeRequest, Subscription, Transport, UserInfo,
};

/// The target of everything that this transport logs with `tracing`, in all modules.
const TRACING_TARGET: &str = "event_sdk::nats";

/// The NATS JetStream transport; see the [crate docs](crate).
///
/// Confirmed publishes are kept even if the server is killed by `kill -9`. Recent acknowledgements
/// may be lost, because a server writes the state of its consumers up to 0.1 s later (nats-server
/// 2.15, `consumerFileStore`). So after a kill, the server may deliver acknowledged messages again,
/// unless another server of the cluster has a replica of the consumer.
///
/// A clone is another handle of the same connection.
#[derive(Debug, Clone)]
pub struct Nats {
    context: Arc<NatsContext>,
    publisher: Arc<StreamPublisher>,
    consumers: Arc<Consumers>,
}

impl Nats {
    /// Starts the options of a connection to `servers`: one URL, or several separated by commas.
    pub fn options(servers: impl AsRef<str>) -> NatsOptions {
        NatsOptions::new(servers)
    }

    /// Connects to a server.
    ///
    /// The connection runs in the tokio runtime in which this method is called, and ends with that
    /// runtime. The runtime needs the I/O driver and the time driver: call `enable_all` on its
    /// builder. The operations of the transport can be awaited in any executor.
    ///
    /// `connect` checks for both drivers. If one of them is missing, tokio panics; `connect`
    /// catches this panic, and returns `InvalidOption`. The panic hook still prints the panic, and
    /// under `panic = "abort"` the process ends.
    ///
    /// Cancel-safe: dropping the future stops connecting.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](event_sdk_core::transport::ErrorKind::InvalidOption) for contradictory
    /// options, outside of a tokio runtime, and in a tokio runtime without I/O or timers;
    /// [`Disconnected`](event_sdk_core::transport::ErrorKind::Disconnected) or
    /// [`Timeout`](event_sdk_core::transport::ErrorKind::Timeout) if no server answers,
    /// [`Unauthenticated`](event_sdk_core::transport::ErrorKind::Unauthenticated) if the server
    /// refuses the credentials, [`Tls`](event_sdk_core::transport::ErrorKind::Tls) for wrong
    /// certificates, [`Unsupported`](event_sdk_core::transport::ErrorKind::Unsupported) if the
    /// server is older than [`Version::OLDEST`].
    pub async fn connect(options: NatsOptions) -> Result<Self, Error> {
        // A large future, which its callers need not carry.
        let context = Box::pin(NatsContext::connect(options)).await?;
        Ok(Self {
            publisher: Arc::new(StreamPublisher::new(Arc::clone(&context))),
            context,
            consumers: Arc::default(),
        })
    }

    /// Returns a watch on the state of the connection. After the first subscription or history
    /// request, the watch covers both connections: its state is connected only if both connections
    /// are.
    pub fn connection(&self) -> ConnectionWatch {
        self.context.watch_both()
    }

    /// Returns a transport without streams, for at-most-once events. It uses the same connection.
    pub fn core(&self) -> CoreNats {
        CoreNats::new(Arc::clone(&self.context), Arc::clone(&self.consumers))
    }

    /// The version of the connected server. While there is no connection, it is the version of the
    /// last server.
    pub fn server_version(&self) -> Version {
        self.context.server().version
    }
}

impl Transport for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn capabilities(&self) -> Capabilities {
        self.context.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.publisher.publish(message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        let (context, consumers) = (Arc::clone(&self.context), Arc::clone(&self.consumers));
        consumer::subscribe(context, consumers, request)
    }

    fn history(&self) -> Option<&dyn History> {
        self.context.may_manage().then_some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.context.may_manage().then_some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.context.may_manage().then_some(self)
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.context.may_manage().then_some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.context.may_manage().then_some(self)
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.context.hears_advisories().then_some(self)
    }

    fn connections(&self) -> u64 {
        self.context.connections()
    }

    fn is_connected(&self) -> bool {
        self.context.can_publish()
    }

    fn connection_status(&self) -> ConnectionStatus {
        self.context.connection_status()
    }

    fn user(&self) -> Completion<Result<Option<UserInfo>, Error>> {
        user::user(Arc::clone(&self.context))
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        self.context.has_schedules().then_some(self)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.context.may_manage().then_some(self)
    }

    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        self.context.remedy(missing)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        drain(&self.context, &self.consumers, within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        close(&self.context, &self.consumers)
    }
}

impl History for Nats {
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        history::history(Arc::clone(&self.context), request)
    }
}

impl StreamAdmin for Nats {
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        streams::streams_for(Arc::clone(&self.context), pattern.clone())
    }

    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        streams::stream_state(Arc::clone(&self.context), Text::copy_of(stream))
    }

    fn account(&self) -> Completion<Result<AccountUsage, Error>> {
        streams::account(Arc::clone(&self.context))
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        streams::apply_stream(Arc::clone(&self.context), config.clone())
    }
}

/// Drains and closes the connection.
fn drain(
    context: &Arc<NatsContext>,
    consumers: &Consumers,
    within: Duration,
) -> Completion<Result<Drained, Error>> {
    let context = Arc::clone(context);
    // The drain begins now, even if the future is dropped.
    context.begin_drain();
    let draining = consumers.drain(within);
    if draining.is_settled() {
        context.end_publishing();
    }
    let owner = Arc::clone(&context);
    owner.later(
        Operation::Close,
        async move { Ok(draining.run(&context).await) },
    )
}

/// Closes the connection.
fn close(context: &Arc<NatsContext>, consumers: &Consumers) -> Completion<Result<(), Error>> {
    let context = Arc::clone(context);
    // The transport is closed now, even if the future is dropped. The phase must be set before a
    // subscription ends, or the subscription would report a failure.
    context.begin_drain();
    consumers.end();
    context.end();
    if context.monitor().has_lost_runtime() {
        return Completion::ready(Ok(()));
    }
    let owner = Arc::clone(&context);
    owner.later(Operation::Close, async move {
        context.close().await;
        Ok(())
    })
}

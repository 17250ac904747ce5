//! The memory transport: an embedded broker in this process with JetStream's semantics.
//!
//! Services use it as `event_sdk::transport::memory`, or through `EventBus::memory()`.
//!
//! [`Transport`] specifies the guarantees of every transport, so a program that works on the memory
//! transport works on a server. This page describes the properties that only the memory transport
//! has, and its behaviour where the contract leaves a choice:
//!
//! - **Limits.** The size of a message counts its subject, message id, header names and values, and
//!   body. A message larger than the stream's byte limit is refused. Ages and duplicate windows are
//!   checked on access, without a timer. They are measured by how long the clock has run
//!   ([`Clock::monotonic`]), so changing the time of day does not make messages older. The stored
//!   time of a message is the time of day, and never decreases from message to message.
//! - **Gaps.** For each consumer, the transport counts exactly which undelivered messages the
//!   stream drops. It reports them at the next poll, or when a durable without subscription is
//!   bound again. All gaps until then are reported as one gap, from the first to the last sequence.
//!   If a message is dropped while a handler has it, the message counts as lost only after a nak or
//!   the end of the ack wait, when it would be delivered again. Messages that were dropped before a
//!   consumer was created count only if the consumer starts at a sequence, and only from that
//!   sequence on.
//! - **Memory** is bounded by the limits of the streams. A consumer stores its position and the
//!   state of its unsettled deliveries, but no messages.
//! - **Publishing** holds one lock for a short time and visits only consumers whose filters match
//!   the subject. For a subject that the stream already holds, it allocates only the message. An
//!   expected last sequence of a pattern is looked up in all subjects that match the pattern. This
//!   is fast for the actions of one entity. For other patterns, the time is proportional to the
//!   number of matching subjects.
//! - **Order of checks.** Message id; expected sequence of the subject or pattern, then of the
//!   stream; size and room. Servers up to 2.11 use the same order. (From 2.12, a server that is not
//!   clustered checks the message id last.)
//! - **Redelivery.** When the ack wait of an unsettled delivery has ended, the next poll counts as
//!   the next delivery of the message, and starts a new ack wait. If the caller of this
//!   subscription still has the message, the poll does not return the message again.
//! - **Settling.** A `nak` applies to the newest delivery of a message, even if it is called on an
//!   earlier delivery. A nak of the last allowed delivery makes the message
//!   [exhausted](event_sdk_core::transport::NoticeKind::Exhausted) at once.
//! - **Work-queue and interest retention.** A message is dropped with its last required
//!   acknowledgement. An exhausted message stays until its last delivery is acknowledged or
//!   terminated after all. With interest retention, it is also dropped when its consumer is
//!   deleted. If a consumer has no acknowledgements, a message counts as settled when the
//!   subscription polls for the next message, or ends. Messages that are dropped by retention are
//!   not a gap for consumers that are created later. The
//!   [`Retention`](event_sdk_core::stream::Retention) of a stream cannot be changed. (A server can
//!   switch between limits and interest.)
//! - **Changing a stream.** New limits apply to stored messages too, except in a stream that
//!   refuses new messages when it is full: there the stored messages stay. If a stream gets a byte
//!   limit, values that it stored without encoding count with an estimated size. Storage, replicas
//!   and compression are kept in the configuration, and have no effect.
//! - **Draining.** A drain has no task of its own: polling its future drives it. An ephemeral
//!   consumer stays until its unsettled deliveries are settled. Undelivered messages go to other
//!   [connections](MemoryTransport::connect); the streams end with the last connection.
//! - **Buckets** are shared by the connections, and end with the last one. Expired entries are
//!   dropped on the next access to their bucket. Ages and expiries are measured by how long the
//!   clock has run, without rounding. Replicas and storage are kept in the configuration, and have
//!   no effect.
//! - **Schedules** are not messages until they fire: they have no sequence, and do not count
//!   towards the limits of the stream. The limits of the stream by number and bytes also limit the
//!   waiting schedules, separately; further schedules are refused with
//!   [`StreamFull`](event_sdk_core::transport::ErrorKind::StreamFull). The transport has no task of
//!   its own, so a schedule fires at the first access to the stream after its time; a waiting
//!   subscription has a timer for it. Times are measured by how long the clock has run, plus how
//!   long the machine was suspended. For the last 1,000 schedules that fired in the stream, a
//!   cancellation that comes too late is distinguished from a cancellation of an unknown key.
//! - **Prefetch.** With acknowledgements, a subscription takes a message only when it is polled,
//!   and the ack wait starts at that time. Without acknowledgements, it takes up to its prefetch,
//!   at most 256 messages, and keeps the messages until it is polled or dropped.
//! - **Groups.** All waiting subscriptions of a consumer are woken for a message, and the first one
//!   that polls receives it. While a delivery has a deadline, each waiting subscription has a
//!   timer, so a subscription that is not polled does not delay the others.
//! - **Runtimes.** Only deadlines need a runtime; see [`TokioClock`](event_sdk_clock::TokioClock),
//!   the default clock.
//!
//! # Modules
//!
//! Set-up and connections:
//! - `builder`: declares streams, clock, codec and limits;
//! - `connection`, `phase`: phases (open, draining, closed), drain and close;
//! - `list`, `streams`: the shared streams, and the lookup by subject;
//! - `settings`: a stream's configuration;
//! - `check`: validates requests.
//!
//! Publishing and storing:
//! - `publish`: duplicate check, expectations, sizes, room by number and bytes;
//! - `dedup`: message ids within the duplicate window;
//! - `elapsed`: age of a stream;
//! - `stream`, `state`: one stream and its lock; drops by age and limits, retention by
//!   acknowledgement;
//! - `log`, `subjects`: stored messages by sequence and by subject.
//!
//! From a stored message to its consumers:
//! - `filters`, `interest`, `token_tree`: which consumers match a subject;
//! - `bind`: binds or creates a consumer;
//! - `consumer`: a consumer's state: deliveries, redelivery, backoff, limits;
//! - `position`, `pending`: the messages that it has read, and its unsettled deliveries with their
//!   deadlines;
//! - `ack_pending`: unsettled deliveries by connection;
//! - `retention_ledger`: the messages that it still has to settle;
//! - `notices`: gaps and exhausted messages that it reports;
//! - `subscribers`, `subscription`, `own_subjects`: the subscriptions that poll it;
//! - `settle`: ack, nak, term, in progress;
//! - `reporter`, `advisories`: the advisories that a server would send about consumers.
//!
//! Reading, entries by key, and data structures:
//! - `history`: reads stored messages without a consumer;
//! - `message_admin`: gets, deletes and purges stored messages;
//! - `scheduler`, `schedules`: messages that are stored at a later time;
//! - `snapshots`: whole streams as bytes, and back;
//! - `coordination`, `buckets`: entries by key, changed by compare-and-set;
//! - `changeable`, `deferred_actions`, `sequenced`, `slab`: data structures for the above.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod builder;
mod check;
mod connection;
mod list;
mod phase;
mod settings;
mod streams;

mod publish;

mod dedup;
mod elapsed;
mod log;
mod state;
mod stream;
mod subjects;

mod filters;
mod interest;
mod token_tree;

mod ack_pending;
mod bind;
mod consumer;
mod consumer_admin;
mod notices;
mod pending;
mod position;
mod reporter;
mod retention_ledger;

mod own_subjects;
mod settle;
mod subscribers;
mod subscription;

mod history;
mod message_admin;

mod advisories;

mod scheduler;
mod schedules;

mod snapshots;

mod buckets;
mod coordination;

mod changeable;
mod deferred_actions;
mod sequenced;
mod slab;

pub use builder::MemoryTransportBuilder;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use self::advisories::AdvisoryHub;
use self::connection::Connection;
use self::phase::Phase;
use self::stream::MemoryStream;
use self::streams::Streams;
use event_sdk_clock::Clock;
use event_sdk_core::codec::Codec;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AccountUsage, Advisories, Body, BucketConfig, Capabilities, Capability, Completion,
    Confirmation, ConnectionStatus, ConsumerAdmin, Coordination, Drained, Error, History,
    HistoryRequest, HistoryStream, LinkState, MessageAdmin, Operation, PublishRequest, Scheduler,
    Snapshots, Stored, StreamAdmin, StreamChange, StreamState, SubscribeRequest, Subscription,
    Transport, TransportExt as _,
};

/// The memory transport: streams in this process with the semantics of JetStream; see the
/// [module](self).
///
/// A clone is another handle of the same connection; [`connect`](Self::connect) makes another
/// connection to the same streams. The streams exist until the last handle, subscription and
/// settler is dropped, or until [`close`](Transport::close) drops the messages at once.
///
/// ```
/// use std::time::Duration;
///
/// use event_sdk::stream::StreamSpec;
/// use event_sdk::transport::memory::MemoryTransport;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let orders = StreamSpec::new("ORDERS")
///     .subject("orders.>")
///     .max_age(Duration::from_secs(24 * 3600));
/// let transport = MemoryTransport::builder()
///     .stream(orders.config("events")?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct MemoryTransport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: Arc<Connection>,
    advisories: Arc<AdvisoryHub>,
    capabilities: Capabilities,
}

impl MemoryTransport {
    /// Name of the stream that exists if none is declared.
    pub const DEFAULT_STREAM: &str = "EVENTS";

    /// Number of messages that the [default stream](Self::DEFAULT_STREAM) keeps.
    pub const DEFAULT_MAX_MESSAGES: u64 = 100_000;

    /// Default maximum size of a message, headers and body together, in bytes: 1 MiB, as on a NATS
    /// server.
    pub const DEFAULT_MAX_PAYLOAD: usize = 1024 * 1024;

    /// Starts the builder of a transport.
    pub fn builder() -> MemoryTransportBuilder {
        MemoryTransportBuilder::new()
    }

    /// Creates a transport with only the [default stream](Self::DEFAULT_STREAM) and the [default
    /// bucket](event_sdk_core::transport::BucketConfig::default). It uses `clock`, and `codec` for
    /// values that must be encoded. Unlike building with [`builder`](Self::builder), this cannot
    /// fail.
    #[must_use]
    pub fn with_default_stream(clock: Arc<dyn Clock>, codec: Arc<dyn Codec>) -> Self {
        MemoryTransportBuilder::new()
            .bucket(BucketConfig::default())
            .clock(clock)
            .codec(codec)
            .build_checked()
    }

    fn new(streams: Streams, max_payload: usize, hand_over: bool) -> Self {
        let mut capabilities = Capabilities::none(max_payload);
        for capability in Capability::ALL {
            let has = match capability {
                Capability::ValueHandover => hand_over,
                // Streams of the process have no other servers and regions.
                Capability::Copies
                | Capability::PromoteMirror
                | Capability::Placement
                | Capability::ChangeRetention => false,
                _ => true,
            };
            if has {
                capabilities = capabilities.with(capability);
            }
        }
        let streams = Arc::new(streams);
        Self(Arc::new(Inner {
            advisories: AdvisoryHub::of(&streams),
            connection: Arc::new(Connection::new(streams.open(), streams)),
            capabilities,
        }))
    }

    /// Makes another connection to the same streams, like the connection of another process to a
    /// server.
    ///
    /// The new connection is drained and closed independently. The streams exist as long as one
    /// connection is open. A clone, by contrast, is the same connection.
    ///
    /// ```
    /// use std::time::Duration;
    /// use event_sdk::transport::{Transport, TransportExt};
    /// use event_sdk::transport::memory::MemoryTransport;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let old = MemoryTransport::builder().build()?;
    /// let new = old.connect()?;
    /// old.drain(Duration::from_secs(10)).await?;
    /// assert_eq!(new.stream_state("EVENTS").await?.messages, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`](event_sdk_core::transport::ErrorKind::Closed) if this connection was
    /// closed or is being drained.
    pub fn connect(&self) -> Result<Self, Error> {
        self.0.connection.phase().check(Operation::Configure)?;
        let streams = Arc::clone(self.0.connection.streams());
        Ok(Self(Arc::new(Inner {
            connection: Arc::new(Connection::new(streams.connect()?, streams)),
            advisories: Arc::clone(&self.0.advisories),
            capabilities: self.0.capabilities,
        })))
    }

    fn streams(&self) -> &Streams {
        self.0.connection.streams()
    }

    fn publish_now(&self, message: PublishRequest<'_>) -> Result<Result<Stored, Error>, Error> {
        self.check_open(Operation::Publish)?;
        self.check_hand_over(&message.body, Operation::Publish)
            .map_err(|error| error.at_subject(message.subject))?;
        let streams = self.streams().list();
        let Some(stream) = streams.storing(message.subject) else {
            return Ok(Err(self.streams().no_stream(message.subject)));
        };
        stream.publish(
            self.0.connection.phase(),
            message,
            self.0.capabilities.max_payload(),
        )
    }

    fn stream(&self, name: &str, operation: Operation) -> Result<Arc<MemoryStream>, Error> {
        self.check_open(operation)?;
        self.streams().named(name, operation)
    }

    fn phase(&self) -> &Phase {
        self.0.connection.phase()
    }

    fn check_open(&self, operation: Operation) -> Result<(), Error> {
        self.0.connection.phase().check(operation)
    }

    /// Refuses a value unless the capability is declared: its publisher relies on the value not being
    /// encoded with another codec than its own.
    fn check_hand_over(&self, body: &Body, operation: Operation) -> Result<(), Error> {
        let handed_over = matches!(body, Body::Value(_));
        if handed_over && !self.0.capabilities.has(Capability::ValueHandover) {
            return Err(self.unsupported(Capability::ValueHandover, operation));
        }
        Ok(())
    }
}

impl Transport for MemoryTransport {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        Completion::ready(self.publish_now(message).map(Completion::ready))
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        let stream = self.stream(&request.stream, Operation::Subscribe);
        Completion::ready(stream.and_then(|stream| stream.subscribe(&self.0.connection, &request)))
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        Some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        Some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        Some(self)
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        Some(self)
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        Some(self)
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        Some(self)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        Some(self)
    }

    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        Cow::Borrowed(match missing {
            Capability::ValueHandover => {
                "encode the event, or build the transport with `hand_over(true)`"
            }
            _ => "use a transport that can",
        })
    }

    fn connection_status(&self) -> ConnectionStatus {
        let open = self.check_open(Operation::Publish).is_ok();
        ConnectionStatus::new(if open {
            LinkState::Connected
        } else {
            LinkState::Closed
        })
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.0.connection.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.0.connection.close();
        Completion::ready(Ok(()))
    }
}

impl History for MemoryTransport {
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        let stream = self.stream(&request.stream, Operation::Read);
        Completion::ready(
            stream
                .and_then(|stream| stream.history(&self.0.connection, &request))
                .map(|history| Box::pin(history) as HistoryStream),
        )
    }
}

impl StreamAdmin for MemoryTransport {
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        let stores = |stream: &&Arc<MemoryStream>| {
            let settings = stream.settings();
            let mut subjects = settings.config.subjects.iter();
            subjects.any(|stored| stored.overlaps(pattern))
        };
        Completion::ready(self.check_open(Operation::Read).map(|()| {
            let streams = self.streams().list();
            let found = streams.iter().filter(stores);
            found.map(|stream| stream.name().clone()).collect()
        }))
    }

    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        let stream = self.stream(stream, Operation::Read);
        Completion::ready(stream.and_then(|stream| stream.state(self.0.connection.phase())))
    }

    fn account(&self) -> Completion<Result<AccountUsage, Error>> {
        let open = self.check_open(Operation::Read);
        Completion::ready(open.and_then(|()| self.streams().usage(self.0.connection.phase())))
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        let open = self.check_open(Operation::Manage);
        Completion::ready(open.and_then(|()| self.streams().apply(config)))
    }
}

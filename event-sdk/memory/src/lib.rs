//! The memory transport: streams in the memory of this process.
//!
//! Services reach it as `event_sdk::transport::memory`, or by `EventBus::memory()`.
//!
//! It keeps JetStream's semantics, so that what was written against it runs
//! against a server; [`Transport`] says what holds of both. What it adds, and
//! where a server leaves a choice:
//!
//! - **Limits.** A message counts its subject, its message id, the names and
//!   values of its headers, and its body. One that is larger than the whole stream may be is
//!   refused. Ages and deduplication windows end when somebody uses the stream,
//!   not by a timer. They are measured by how long the clock has run
//!   ([`Clock::monotonic`](event_sdk_clock::Clock::monotonic)): setting the time of
//!   day makes no message older. A time of storing is the time of day, but never
//!   before that of the message before.
//! - **Gaps.** What a stream drops before a consumer has read it is counted for
//!   that consumer, exactly, and reported with the next poll, or the next bind of
//!   a durable that nobody polls; until then it is one gap, from the first to the
//!   last. A message that is dropped while a handler has it is a gap only if the
//!   handler puts it back or lets its ack wait pass. What was dropped before a
//!   consumer was created is a gap only where that is to start at a sequence, from
//!   which on it is counted.
//! - **Memory** is bounded by the limits, whatever subscribers do: a consumer
//!   keeps its position and what is known of its unsettled deliveries, no messages.
//! - **Publishing** takes one lock for a short time, touches the consumers whose
//!   filters match the subject and no others, and for a subject that the stream
//!   holds already allocates nothing but room for the message. What is expected
//!   of the subjects under a pattern is looked for among those that it matches:
//!   under the actions of one entity that is quick, under a pattern that matches
//!   many subjects, but not all of the stream, it costs by their number.
//! - **Order of checks.** Message id, expected sequence of the subject or the
//!   pattern, of the stream, room: as a server up to version 2.11. (From 2.12 on
//!   one that is not clustered looks at the message id last.)
//! - **Settling.** A `nak` goes for the delivery that is out now, whichever
//!   attempt it was given to. A last delivery that is put back is
//!   [exhausted](event_sdk_core::transport::Incoming::Exhausted) at once.
//! - **Keeping by acknowledgement.** A message goes with the last acknowledgement that is
//!   awaited; one that ran out of deliveries stays until its last is settled after all, or
//!   its consumer goes. Where nothing is acknowledged, what was handed out is settled once its
//!   subscription is asked for more, or ends. What is gone is no gap for a consumer that
//!   begins later, wherever it starts. A stream does not change from one
//!   [`Retention`](event_sdk_core::stream::Retention) to another. (A server lets one that is kept by
//!   limits be kept by interest, and back.)
//! - **Changing a stream.** Its new limits hold for what it has already, but for
//!   one that refuses what is new: there the old stays. A value that was handed
//!   over before the stream had a limit in bytes counts what is known of it.
//!   Storage, replicas and compression mean nothing in one process and are kept
//!   as they were configured.
//! - **Draining.** A drain takes no task: whoever awaits its answer drives it. A
//!   consumer that ends with its last subscription stays until what is in hand is
//!   settled. What is given back is there for other
//!   [connections](MemoryTransport::connect); with the last one the streams end.
//! - **Prefetch.** Where deliveries are settled, a subscription takes a message
//!   when it is asked for one: the ack wait begins when the caller has it. Where
//!   they are not, it takes up to its prefetch, 256 at the most, and holds those
//!   messages beside the stream until it is asked for them or dropped.
//! - **Groups.** A message is for whichever subscription of its consumer asks
//!   first, so all that wait are woken for it, and all have a timer while a
//!   delivery has a deadline: one that does not come holds nothing back.
//! - **Runtimes.** Nothing but a deadline needs one; see
//!   [`TokioClock`](event_sdk_clock::TokioClock), from which a transport has its time
//!   unless it is given another.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod ack_pending;
mod bind;
mod builder;
mod changeable;
mod check;
mod connection;
mod consumer;
mod dedup;
mod deferred_actions;
mod elapsed;
mod filters;
mod history;
mod interest;
mod list;
mod log;
mod notices;
mod own_subjects;
mod pending;
mod position;
mod publish;
mod retention_ledger;
mod sequenced;
mod settings;
mod settle;
mod slab;
mod state;
mod stream;
mod streams;
mod subjects;
mod subscribers;
mod subscription;
mod token_tree;

pub use builder::MemoryTransportBuilder;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use self::connection::Connection;
use self::stream::MemoryStream;
use self::streams::Streams;
use event_sdk_clock::Clock;
use event_sdk_core::codec::Codec;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Body, Capabilities, Capability, Completion, Confirmation, ConsumerAdmin, ConsumerChange,
    ConsumerConfig, ConsumerInfo, Drained, Error, History, HistoryRequest, HistoryStream,
    Operation, PublishRequest, Stored, StreamAdmin, StreamChange, StreamState, SubscribeRequest,
    Subscription, Transport, TransportExt as _,
};

/// Streams in the memory of this process, with the semantics of JetStream; see
/// the [module](self).
///
/// Cloning it makes another handle to the same streams. They are there until
/// the last handle, subscription and settler is dropped, or it is
/// [closed](Transport::close), which drops the messages at once.
/// [`connect`](Self::connect) makes a transport to them that is closed by itself.
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
    capabilities: Capabilities,
}

impl MemoryTransport {
    /// The stream that there is when none is declared.
    pub const DEFAULT_STREAM: &str = "EVENTS";

    /// How many messages the [default stream](Self::DEFAULT_STREAM) keeps.
    pub const DEFAULT_MAX_MESSAGES: u64 = 100_000;

    /// How many bytes of headers and body a message may have, unless said
    /// otherwise: as many as on a NATS server.
    pub const DEFAULT_MAX_PAYLOAD: usize = 1024 * 1024;

    /// Declares a transport.
    pub fn builder() -> MemoryTransportBuilder {
        MemoryTransportBuilder::new()
    }

    /// A transport that has the [default stream](Self::DEFAULT_STREAM) alone, takes the time from
    /// `clock` and writes values with `codec`. Unlike [`builder`](Self::builder), it cannot fail.
    #[must_use]
    pub fn with_default_stream(clock: Arc<dyn Clock>, codec: Arc<dyn Codec>) -> Self {
        MemoryTransportBuilder::new()
            .clock(clock)
            .codec(codec)
            .build_checked()
    }

    fn new(streams: Streams, max_payload: usize, hand_over: bool) -> Self {
        let mut capabilities = Capabilities::none(max_payload);
        for capability in Capability::ALL {
            let has = match capability {
                Capability::ValueHandover => hand_over,
                _ => true,
            };
            if has {
                capabilities = capabilities.with(capability);
            }
        }
        Self(Arc::new(Inner {
            connection: Arc::new(Arc::new(streams).open()),
            capabilities,
        }))
    }

    /// Another connection to the same streams, as another process would have to
    /// those of a server.
    ///
    /// It is drained and closed by itself; the streams are there as long as one
    /// connection is open. A clone is the same connection.
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
    /// [`ErrorKind::Closed`](event_sdk_core::transport::ErrorKind::Closed) when this one was closed, or
    /// is being drained.
    pub fn connect(&self) -> Result<Self, Error> {
        self.0.connection.check(Operation::Configure)?;
        let streams = Arc::clone(self.0.connection.streams());
        Ok(Self(Arc::new(Inner {
            connection: Arc::new(streams.connect()?),
            capabilities: self.0.capabilities,
        })))
    }

    fn streams(&self) -> &Streams {
        self.0.connection.streams()
    }

    fn publish_now(&self, message: PublishRequest<'_>) -> Result<Result<Stored, Error>, Error> {
        self.check_open(Operation::Publish)?;
        self.check_hand_over(&message)?;
        let streams = self.streams().list();
        let Some(stream) = streams.storing(message.subject) else {
            return Ok(Err(self.streams().no_stream(message.subject)));
        };
        stream.publish(
            &self.0.connection,
            message,
            self.0.capabilities.max_payload(),
        )
    }

    fn stream(&self, name: &str, operation: Operation) -> Result<Arc<MemoryStream>, Error> {
        self.check_open(operation)?;
        self.streams().named(name, operation)
    }

    fn check_open(&self, operation: Operation) -> Result<(), Error> {
        self.0.connection.check(operation)
    }

    /// A value is taken only where that is declared: a publisher that hands one
    /// over counts on nobody encoding it with another codec than its own.
    fn check_hand_over(&self, message: &PublishRequest<'_>) -> Result<(), Error> {
        let handed_over = matches!(message.body, Body::Value(_));
        if handed_over && !self.0.capabilities.has(Capability::ValueHandover) {
            let error = self.unsupported(Capability::ValueHandover, Operation::Publish);
            return Err(error.at_subject(message.subject));
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

    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        Cow::Borrowed(match missing {
            Capability::ValueHandover => {
                "encode the event, or build the transport with `hand_over(true)`"
            }
            _ => "use a transport that can",
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
        Completion::ready(stream.and_then(|stream| stream.state(&self.0.connection)))
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        let open = self.check_open(Operation::Manage);
        Completion::ready(open.and_then(|()| self.streams().apply(config)))
    }
}

impl ConsumerAdmin for MemoryTransport {
    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>> {
        let stream = self.stream(stream, Operation::Read);
        Completion::ready(
            stream.and_then(|stream| stream.consumer_info(&self.0.connection, consumer)),
        )
    }

    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        let stream = self.stream(stream, Operation::Manage);
        Completion::ready(
            stream.and_then(|stream| stream.apply_consumer(&self.0.connection, config)),
        )
    }

    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        let stream = self.stream(stream, Operation::Manage);
        Completion::ready(
            stream.and_then(|stream| stream.delete_consumer(&self.0.connection, consumer)),
        )
    }
}

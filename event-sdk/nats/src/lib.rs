//! The NATS transport: streams and consumers of a JetStream server, 2.10.25 or newer.
//!
//! Services reach it as `event_sdk::transport::nats`.
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
//! bus.apply_streams().await?; // creates it, or says in what it was changed
//! # Ok(())
//! # }
//! ```
//!
//! [`Transport`] says what holds of every transport. What a server adds, and
//! where it leaves a choice:
//!
//! - **Connection.** When it is lost it is made anew, to any of the servers, for
//!   as long as it takes; [`Nats::connection`] shows it and waits for it. What
//!   happens is told through `tracing`, too (target `event_sdk::nats`).
//! - **Publishing** hands a message to the connection in the order of the calls,
//!   and waits while too many are in flight or there is no connection. A message
//!   that could not be sent in time was not done
//!   ([`Disconnected`](event_sdk_core::transport::ErrorKind::Disconnected), or why there is no
//!   connection); one that was sent and not confirmed may have been, and is the
//!   same when it is published again.
//! - **No stream heard of it**, for the stream has no leader at the moment, or a
//!   cluster does not know yet of one that was just created: it is sent again
//!   for three seconds, if nothing that was published later was stored in the
//!   meantime. Then the error is one to try again
//!   ([`Timeout`](event_sdk_core::transport::ErrorKind::Timeout)); if there is no such stream, it
//!   is [`NoStream`](event_sdk_core::transport::ErrorKind::NoStream) at once.
//! - **Wrong last sequence.** From 2.12 on a server may say so of a message that
//!   it has stored before. If the last message has the id of the one that is
//!   published, the answer is that it is a duplicate.
//! - **Permissions.** What the server does not allow is
//!   [`Denied`](event_sdk_core::transport::ErrorKind::PermissionDenied) at once, with the subject. To tell the
//!   errors above apart, the transport looks at streams
//!   (`$JS.API.STREAM.NAMES`, `.INFO`, `.MSG.GET`); without the permission they
//!   are told as the server does. [`Management::Never`] makes no such call.
//! - **Leaving.** What a subscription had not handed out goes to others of its
//!   consumer at once where the server is by itself. In a cluster it does within two
//!   seconds: its servers may count as delivered what nobody listens for any more, so
//!   that the open requests are listened to until they end. What they bring in that
//!   time is put back too, as another attempt.
//!   A [drain](Transport::drain) waits for it.
//! - **Groups** end when nobody has asked for messages for as long as
//!   [`inactive_threshold`](NatsOptions::inactive_threshold) says. Who subscribes in
//!   that very moment gets the group that begins after it.
//! - **History** is read from any copy of the stream that allows it
//!   (`allow_direct`, as streams that are created here do) and from the leader
//!   otherwise, in batches from 2.11 on; it makes no consumer.
//! - **Streams.** [Applying a stream](StreamAdmin::apply) changes what the
//!   configuration names and leaves everything else as it is; in a cluster it
//!   waits until the stream is found by its subjects (`$JS.API.STREAM.NAMES`, if
//!   that is allowed). A server bounds
//!   message ids by time alone, so that their number is not compared, and cannot
//!   forget them in less than 100 ms.
//! - **Headers** arrive in the order of their names. White space around a value
//!   is not kept.
//! - **Versions.** [`Nats::connect`] refuses a server older than 2.10.25
//!   ([`Version::OLDEST`]) with [`Unsupported`](event_sdk_core::transport::ErrorKind::Unsupported): older ones
//!   lose redeliveries and do not know options that they answer as if they did. It looks
//!   at the server that it connects to; the servers of another domain or prefix behind
//!   that one have to be as new. A connection that is made anew to an older server logs a
//!   warning. What a newer version is needed for is `Unsupported` too, with that
//!   version: the expected sequence of an entity needs 2.11.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connect;
mod connection;
mod consumer;
mod context;
mod core_nats;
mod error;
mod headers;
mod history;
mod options;
mod pending_replies;
mod publish;
mod send_queue;
mod server;
mod streams;

pub use connection::{ConnectionState, ConnectionWatch, DisconnectReason};
pub use core_nats::CoreNats;
pub use options::{Management, NatsOptions};
pub use server::Version;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use self::context::NatsContext;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Capabilities, Capability, Completion, Confirmation, ConsumerAdmin, ConsumerChange,
    ConsumerConfig, ConsumerInfo, Drained, Error, History, HistoryRequest, HistoryStream,
    PublishRequest, StreamAdmin, StreamChange, StreamState, SubscribeRequest, Subscription,
    Transport,
};

/// The target of all that this transport reports through `tracing`, whichever module reports it.
const TRACING_TARGET: &str = "event_sdk::nats";

/// Streams and consumers of a NATS JetStream server; see the [crate](crate).
///
/// What a server has confirmed to be stored survives its end, also by `kill -9`.
/// Acknowledgements do not quite: a server writes what its consumers know up to a
/// tenth of a second later (nats-server 2.15, `consumerFileStore`), so one that is
/// killed, not stopped, may deliver again what was acknowledged just before, unless
/// other servers of its cluster have a copy of the consumer.
///
/// Cloning it makes another handle to the same connection.
#[derive(Debug, Clone)]
pub struct Nats(Arc<NatsContext>);

impl Nats {
    /// Begins the options of a connection to `servers`: a URL, or several with
    /// commas between them.
    pub fn options(servers: impl AsRef<str>) -> NatsOptions {
        NatsOptions::new(servers)
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// The options contradict themselves, no server answers, or it refuses the
    /// connection. [`Unsupported`](super::ErrorKind::Unsupported): the server is older than
    /// [`Version::OLDEST`].
    ///
    /// Cancel-safe: dropping the future ends the attempt.
    pub async fn connect(options: NatsOptions) -> Result<Self, Error> {
        // A large future, which its callers need not carry.
        Ok(Self(Box::pin(NatsContext::connect(options)).await?))
    }

    /// Shows whether there is a connection, and waits for that to change.
    pub fn connection(&self) -> ConnectionWatch {
        self.0.watch()
    }

    /// The same connection without streams: for events that nobody has to have.
    pub fn core(&self) -> CoreNats {
        CoreNats::new(Arc::clone(&self.0))
    }

    /// The version of the server that is connected, or was last.
    pub fn server_version(&self) -> Version {
        self.0.server().version
    }
}

impl Transport for Nats {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        publish::publish(&self.0, message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        consumer::subscribe(Arc::clone(&self.0), request)
    }

    fn history(&self) -> Option<&dyn History> {
        self.0.may_manage().then_some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.0.may_manage().then_some(self)
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.0.may_manage().then_some(self)
    }

    fn remedy(&self, missing: Capability) -> Cow<'static, str> {
        self.0.remedy(missing)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        drain(&self.0, within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        close(&self.0)
    }
}

impl History for Nats {
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        history::history(Arc::clone(&self.0), request)
    }
}

impl StreamAdmin for Nats {
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        streams::streams_for(Arc::clone(&self.0), pattern.clone())
    }

    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        streams::stream_state(Arc::clone(&self.0), Text::copy_of(stream))
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        streams::apply_stream(Arc::clone(&self.0), config.clone())
    }
}

impl ConsumerAdmin for Nats {
    fn info(&self, stream: &str, consumer: &str) -> Completion<Result<ConsumerInfo, Error>> {
        consumer::info(
            Arc::clone(&self.0),
            Text::copy_of(stream),
            Text::copy_of(consumer),
        )
    }

    fn apply(
        &self,
        stream: &str,
        config: &ConsumerConfig,
    ) -> Completion<Result<ConsumerChange, Error>> {
        consumer::apply(Arc::clone(&self.0), Text::copy_of(stream), config.clone())
    }

    fn delete(&self, stream: &str, consumer: &str) -> Completion<Result<(), Error>> {
        consumer::delete(
            Arc::clone(&self.0),
            Text::copy_of(stream),
            Text::copy_of(consumer),
        )
    }
}

/// Ends the connection in good order.
fn drain(context: &Arc<NatsContext>, within: Duration) -> Completion<Result<Drained, Error>> {
    let context = Arc::clone(context);
    // It has begun when this returns, whoever waits for the rest.
    context.begin_drain();
    let draining = context.consumers().drain(within);
    Completion::later(async move {
        let confirmed = tokio::time::timeout(within, context.confirmed());
        let (drained, _) = tokio::join!(draining.run(&context), confirmed);
        context.close().await;
        Ok(drained)
    })
}

/// Ends the connection.
fn close(context: &Arc<NatsContext>) -> Completion<Result<(), Error>> {
    let context = Arc::clone(context);
    // It is closed when this returns, whoever waits for the rest.
    context.consumers().end();
    context.end();
    Completion::later(async move {
        context.close().await;
        Ok(())
    })
}

//! The NATS transport: streams and consumers of a JetStream server, 2.9 or newer.

mod options;

mod server;

mod connect;

mod connection;

mod link;

mod fault;

mod answers;

mod outbox;

mod headers;

mod publish;

mod streams;

mod history;

mod consumer;

mod core;

pub use self::core::CoreNats;
pub use connection::{ConnectionState, ConnectionWatch, DisconnectReason};
pub use options::{Management, NatsOptions};
pub use server::Version;

use std::sync::Arc;
use std::time::Duration;

use self::link::Link;
use super::{
    Answer, Capabilities, Confirmation, Drained, Error, HistoryRequest, HistoryStream, Outgoing,
    StreamChange, StreamState, SubscribeRequest, Subscription, Transport,
};
use crate::stream::StreamConfig;
use crate::subject::Pattern;
use crate::text::Text;

/// Streams and consumers of a NATS JetStream server; see the [module](self).
///
/// Cloning it makes another handle to the same connection.
#[derive(Debug, Clone)]
pub struct Nats(Arc<Link>);

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
    /// connection.
    ///
    /// Cancel-safe: dropping the future ends the attempt.
    pub async fn connect(options: NatsOptions) -> Result<Self, Error> {
        // A large future, which its callers need not carry.
        Ok(Self(Box::pin(Link::connect(options)).await?))
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

    fn publish(&self, message: Outgoing<'_>) -> Answer<Result<Confirmation, Error>> {
        publish::publish(&self.0, message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Answer<Result<Subscription, Error>> {
        consumer::subscribe(Arc::clone(&self.0), request)
    }

    fn history(&self, request: HistoryRequest) -> Answer<Result<HistoryStream, Error>> {
        history::history(Arc::clone(&self.0), request)
    }

    fn streams_for(&self, pattern: &Pattern) -> Answer<Result<Vec<Text>, Error>> {
        streams::streams_for(Arc::clone(&self.0), pattern.clone())
    }

    fn stream_state(&self, stream: &str) -> Answer<Result<StreamState, Error>> {
        streams::stream_state(Arc::clone(&self.0), Text::copy_of(stream))
    }

    fn apply_stream(&self, config: &StreamConfig) -> Answer<Result<StreamChange, Error>> {
        streams::apply_stream(Arc::clone(&self.0), config.clone())
    }

    fn delete_consumer(&self, stream: &str, consumer: &str) -> Answer<Result<(), Error>> {
        consumer::delete(
            Arc::clone(&self.0),
            Text::copy_of(stream),
            Text::copy_of(consumer),
        )
    }

    fn drain(&self, within: Duration) -> Answer<Result<Drained, Error>> {
        drain(&self.0, within)
    }

    fn close(&self) -> Answer<Result<(), Error>> {
        close(&self.0)
    }
}

/// Ends the connection in good order.
fn drain(link: &Arc<Link>, within: Duration) -> Answer<Result<Drained, Error>> {
    let link = Arc::clone(link);
    // It has begun when this returns, whoever waits for the rest.
    link.begin_drain();
    let draining = link.consumers().drain(within);
    Answer::later(async move {
        let confirmed = tokio::time::timeout(within, link.confirmed());
        let (drained, _) = tokio::join!(draining.run(&link), confirmed);
        link.close().await;
        Ok(drained)
    })
}

/// Ends the connection.
fn close(link: &Arc<Link>) -> Answer<Result<(), Error>> {
    let link = Arc::clone(link);
    // It is closed when this returns, whoever waits for the rest.
    link.consumers().end();
    link.end();
    Answer::later(async move {
        link.close().await;
        Ok(())
    })
}

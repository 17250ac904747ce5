//! Test support: a server with a stream, and helpers for consumers.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use async_nats::Client;
use event_sdk::Pattern;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk::transport::{
    Body, ConsumerConfig, ConsumerName, Error, Incoming, NoticeKind, Prefetch, Received,
    Settlement, SubscribeRequest, Subscription, Transport,
};
use event_sdk_test_servers::{Options, Server};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(crate) const STREAM: &str = "EVENTS";

/// How long anything may take; a loaded machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that has a stream `EVENTS` of everything under `events.`.
pub(crate) struct Rig {
    pub(crate) server: Server,
    /// A connection without our transport: for what others do.
    pub(crate) admin: Client,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with(Server::options()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let server = options.start().await.unwrap();
        let admin = async_nats::connect(server.url()).await.unwrap();
        let rig = Self { server, admin };
        rig.create_stream(json!({})).await;
        rig
    }

    /// Creates the stream, with more settings than its name and subjects.
    pub(crate) async fn create_stream(&self, settings: Value) {
        let mut config = json!({ "name": STREAM, "subjects": ["events.>"] });
        config
            .as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        self.api(&format!("STREAM.CREATE.{STREAM}"), config).await;
    }

    /// Calls the server's API, which must succeed.
    pub(crate) async fn api(&self, call: &str, request: Value) -> Value {
        let answer = self.try_api(call, request).await;
        assert!(answer.get("error").is_none(), "{call}: {answer}");
        answer
    }

    pub(crate) async fn try_api(&self, call: &str, request: Value) -> Value {
        let payload = serde_json::to_vec(&request).unwrap();
        let begun = Instant::now();
        loop {
            let subject = format!("$JS.API.{call}");
            match self.admin.request(subject, payload.clone().into()).await {
                Ok(answer) => return serde_json::from_slice(&answer.payload).unwrap(),
                // Just restarted, it has no JetStream yet.
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{call}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stores messages whose bodies are these numbers.
    pub(crate) async fn publish(&self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.publish_to("events.a", number).await;
        }
    }

    /// Stores a message that is this number, with as many zeros before it as it takes to
    /// have so many bytes.
    pub(crate) async fn publish_of_size(&self, number: u64, bytes: usize) {
        let number = number.to_string();
        let zeros = "0".repeat(bytes - number.len());
        self.store("events.a", zeros + &number).await;
    }

    pub(crate) async fn publish_to(&self, subject: &'static str, number: u64) {
        self.store(subject, number.to_string()).await;
    }

    async fn store(&self, subject: &'static str, payload: String) {
        let begun = Instant::now();
        loop {
            match self.admin.request(subject, payload.clone().into()).await {
                Ok(answer) => {
                    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
                    assert!(answer.get("error").is_none(), "{answer}");
                    return;
                }
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
            }
        }
    }

    /// Sends commands of the protocol as they are, without a client that checks them. The server
    /// has taken all of them when this returns.
    pub(crate) async fn send_raw(&self, commands: &[u8]) {
        let address = ("127.0.0.1", self.server.port());
        let mut socket = BufReader::new(TcpStream::connect(address).await.unwrap());
        let mut sent = b"CONNECT {\"verbose\":false,\"headers\":true}\r\n".to_vec();
        sent.extend_from_slice(commands);
        sent.extend_from_slice(b"PING\r\n");
        socket.write_all(&sent).await.unwrap();
        let mut line = String::new();
        while line != "PONG\r\n" {
            line.clear();
            let read = tokio::time::timeout(PATIENCE, socket.read_line(&mut line));
            assert!(read.await.unwrap().unwrap() > 0, "the server hung up");
            assert!(!line.starts_with("-ERR"), "{line}");
        }
    }

    /// A transport of its own connection.
    pub(crate) async fn connect(&self) -> Nats {
        self.connect_with(|options| options).await
    }

    pub(crate) async fn connect_with(
        &self,
        options: impl FnOnce(NatsOptions) -> NatsOptions,
    ) -> Nats {
        Nats::connect(options(Nats::options(self.server.url())))
            .await
            .unwrap()
    }

    /// What the server says of a consumer.
    pub(crate) async fn consumer(&self, name: &str) -> Value {
        self.try_api(&format!("CONSUMER.INFO.{STREAM}.{name}"), json!({}))
            .await
    }

    /// Waits until the stream has so many consumers.
    pub(crate) async fn consumers(&self, wanted: u64) {
        self.until("the number of consumers", async |rig: &Self| {
            let info = rig.api(&format!("STREAM.INFO.{STREAM}"), json!({})).await;
            info["state"]["consumer_count"] == wanted
        })
        .await;
    }

    /// Asks until it is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self).await {
            assert!(begun.elapsed() < PATIENCE, "{what} did not come");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A durable of everything that comes again after a minute.
pub(crate) fn durable(name: &'static str) -> ConsumerConfig {
    let mut config = config(ConsumerName::Durable(name.into()));
    config.ack_wait = Duration::from_secs(60);
    config
}

pub(crate) fn config(name: ConsumerName) -> ConsumerConfig {
    ConsumerConfig::new(name, vec![Pattern::parse("events.>").unwrap()])
}

pub(crate) async fn try_subscribe(
    nats: &Nats,
    config: &ConsumerConfig,
    prefetch: impl Into<Prefetch>,
) -> Result<Reader, Error> {
    let mut request = SubscribeRequest::new(STREAM, config.clone());
    request.prefetch = prefetch.into();
    nats.subscribe(request).await.map(Reader)
}

pub(crate) async fn subscribe(
    nats: &Nats,
    config: &ConsumerConfig,
    prefetch: impl Into<Prefetch>,
) -> Reader {
    try_subscribe(nats, config, prefetch).await.unwrap()
}

pub(crate) fn times(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

/// A subscription, read with patience.
pub(crate) struct Reader(pub(crate) Subscription);

impl Reader {
    /// The next item but for what says that it goes on; `None` at the end.
    pub(crate) async fn item(&mut self) -> Option<Result<Incoming, Error>> {
        loop {
            let item = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("the next item did not come");
            match &item {
                Some(Ok(Incoming::Notice(notice)))
                    if matches!(
                        notice.kind(),
                        NoticeKind::Reconnected | NoticeKind::Recreated
                    ) => {}
                _ => return item,
            }
        }
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Received {
        match self.item().await {
            Some(Ok(Incoming::Message(received))) => received,
            other => panic!("{other:?} came instead of a message"),
        }
    }

    /// The next message, which must have this number.
    pub(crate) async fn expect(&mut self, number: u64) -> Received {
        let received = self.next().await;
        assert_eq!(body(&received), number);
        received
    }

    /// The next messages, which must have these numbers; each is acknowledged.
    pub(crate) async fn expect_and_ack(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            let received = self.expect(number).await;
            settle(&received, Settlement::Ack).await.unwrap();
        }
    }

    /// What is there now.
    pub(crate) async fn ready(&mut self) -> Option<Result<Incoming, Error>> {
        futures_util::future::poll_immediate(self.0.next())
            .await
            .flatten()
    }

    /// The error that ends it, after no other item.
    pub(crate) async fn end(&mut self) -> Error {
        match self.item().await {
            Some(Err(error)) => {
                let after = self.item().await;
                assert!(after.is_none(), "{after:?} came after {error}");
                error
            }
            other => panic!("{other:?} came instead of an error"),
        }
    }
}

/// The number in a body.
pub(crate) fn body(received: &Received) -> u64 {
    let Body::Encoded(bytes) = &received.body else {
        panic!("a value came");
    };
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

pub(crate) async fn settle(received: &Received, settlement: Settlement) -> Result<(), Error> {
    let settler = received.settler.as_ref().expect("nothing to settle");
    tokio::time::timeout(PATIENCE, settler.settle(settlement))
        .await
        .expect("it was not settled")
}

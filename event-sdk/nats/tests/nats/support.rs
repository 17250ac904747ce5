//! Test support: servers, streams and messages.

use std::time::{Duration, Instant};

use bytes::Bytes;
use event_sdk::headers::Headers;
use event_sdk::stream::{StreamConfig, StreamSpec};
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk::transport::{
    Body, Confirmation, ConsumerConfig, ConsumerName, Error, Expectations, Incoming, MessageId,
    PublishRequest, Stored, StreamState, SubscribeRequest, Transport,
};
use event_sdk::{Pattern, Subject};
use event_sdk_test_servers::{Options, Server};
use futures_util::StreamExt as _;

/// How long a test waits for one thing that it is owed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server and a connection to it.
pub(crate) struct Rig {
    pub(crate) nats: Nats,
    pub(crate) server: Server,
}

/// A message that a test is about to publish.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    pub(crate) subject: String,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
    pub(crate) message_id: Option<MessageId>,
    pub(crate) expect: Expectations,
}

/// A message to `subject` with a body of its own.
pub(crate) fn draft(subject: &str) -> Draft {
    Draft {
        subject: subject.to_owned(),
        body: Bytes::from_static(b"body"),
        ..Draft::default()
    }
}

impl Draft {
    pub(crate) fn id(mut self, id: &str) -> Self {
        self.message_id = Some(MessageId::Text(id.to_owned().into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value).unwrap();
        self
    }

    pub(crate) fn expect(mut self, say: impl FnOnce(&mut Expectations)) -> Self {
        say(&mut self.expect);
        self
    }
}

impl Rig {
    /// A server, and a connection to it with the usual options.
    pub(crate) async fn start() -> Self {
        Self::start_with(Server::options(), |options| options).await
    }

    pub(crate) async fn start_with(
        server: Options,
        say: impl FnOnce(NatsOptions) -> NatsOptions,
    ) -> Self {
        let server = server.start().await.unwrap();
        let nats = Nats::connect(say(Nats::options(server.url())))
            .await
            .unwrap();
        Self { nats, server }
    }

    /// The same with a stream `S` that stores `s.>`.
    pub(crate) async fn with_stream(say: impl FnOnce(StreamSpec) -> StreamSpec) -> Self {
        let rig = Self::start().await;
        apply(&rig.nats, &stream("S", "s.>", say)).await;
        rig
    }
}

/// A stream that stores the subjects of one pattern.
pub(crate) fn stream(
    name: &str,
    pattern: &str,
    say: impl FnOnce(StreamSpec) -> StreamSpec,
) -> StreamConfig {
    let stream = StreamSpec::new(name.to_owned()).absolute(pattern.to_owned());
    say(stream).config("events").unwrap()
}

pub(crate) async fn apply(nats: &Nats, config: &StreamConfig) {
    within(nats.apply_stream(config)).await.unwrap();
}

pub(crate) async fn state(nats: &Nats, stream: &str) -> StreamState {
    within(nats.stream_state(stream)).await.unwrap()
}

/// Receives the first message of the stream `S`, over the connection for deliveries.
pub(crate) async fn receives(nats: &Nats) {
    let config = ConsumerConfig::new(ConsumerName::Ephemeral, vec![pattern("s.>")]);
    let mut request = SubscribeRequest::new("S", config);
    request.prefetch = 1.into();
    let mut subscription = within(nats.subscribe(request)).await.unwrap();
    let item = within(subscription.next()).await;
    assert!(matches!(item, Some(Ok(Incoming::Message(_)))), "{item:?}");
}

/// Publishes as far as the first answer.
pub(crate) async fn send(transport: &dyn Transport, draft: Draft) -> Result<Confirmation, Error> {
    within(begin(transport, draft)).await
}

/// Calls `publish`, no more.
pub(crate) fn begin(
    transport: &dyn Transport,
    draft: Draft,
) -> event_sdk::transport::Completion<Result<Confirmation, Error>> {
    let subject = Subject::parse(draft.subject).unwrap();
    transport.publish({
        let mut request = PublishRequest::new(&subject, Body::Encoded(draft.body));
        request.headers = draft.headers;
        request.message_id = draft.message_id;
        request.expect = draft.expect;
        request
    })
}

/// Publishes and waits for both answers.
pub(crate) async fn publish(transport: &dyn Transport, draft: Draft) -> Result<Stored, Error> {
    within(send(transport, draft).await?).await
}

/// Publishes what has to be refused.
pub(crate) async fn refused(transport: &dyn Transport, draft: Draft) -> Error {
    publish(transport, draft).await.unwrap_err()
}

pub(crate) fn pattern(text: &str) -> Pattern {
    Pattern::parse(text.to_owned()).unwrap()
}

/// Waits for something that is owed.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("what was owed did not come")
}

/// Asks until the answer is there.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Makes a call of the JetStream API as another client does.
pub(crate) async fn raw_call(url: &str, call: &str, request: &str) -> String {
    let client = async_nats::connect(url).await.unwrap();
    let subject = format!("$JS.API.{call}");
    let answer = client
        .request(subject, request.to_owned().into())
        .await
        .unwrap();
    let answer = String::from_utf8(answer.payload.to_vec()).unwrap();
    assert!(!answer.contains("\"error\""), "{call}: {answer}");
    answer
}

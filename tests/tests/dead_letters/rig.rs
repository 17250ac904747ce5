//! Test support: a bus on memory and one on a server, both with dead-letter streams; letters.

use std::time::Duration;

use bytes::Bytes;
use event_sdk::codec::{Codec as _, JsonCodec};
use event_sdk::dead_letters::{DeadLetter, DeadLetterClass, DeadLetterStream, DeadLetters, Origin};
use event_sdk::headers::Headers;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Body, HistoryRequest, StoredMessage, TransportExt as _};
use event_sdk::{BusBuilder, EnvelopeHeader, Event, EventBus, Pattern, Pii};
use event_sdk_test_servers::Server;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Personal data in every letter.
pub(crate) const PLANTED: &str = "ada.lovelace@example.com";

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) id: u64,
    pub(crate) customer: Pii<String>,
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) async fn within<T>(what: &str, future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future.into_future())
        .await
        .unwrap_or_else(|_| panic!("{what} took too long"))
}

/// Declares a stream of orders, and the streams of dead letters.
pub(crate) fn builder() -> BusBuilder {
    let place = DeadLetterStream::new("DLQ");
    EventBus::builder()
        .source("letters")
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(place.spec())
        .stream(place.retry_spec())
}

/// A bus on a server, whose streams are not applied yet.
pub(crate) async fn connect(server: &Server, builder: BusBuilder) -> EventBus {
    let nats = Nats::connect(Nats::options(server.url()).request_timeout(PATIENCE));
    let nats = within("a connection", nats).await.unwrap();
    builder.transport(nats).unwrap()
}

/// Memory, and a server, which is stopped when it is dropped.
pub(crate) async fn buses() -> (Server, [EventBus; 2]) {
    let server = Server::start().await.unwrap();
    let nats = connect(&server, builder()).await;
    within("the streams", nats.apply_streams()).await.unwrap();
    (server, [builder().memory().unwrap(), nats])
}

/// The body of an order with this number.
pub(crate) fn body(id: Uuid, number: u64) -> Bytes {
    let head = EnvelopeHeader::new(id, "order.placed", time(0));
    let event = OrderPlaced {
        id: number,
        customer: Pii::new(PLANTED.to_owned()),
    };
    let mut out = Vec::new();
    let written = JsonCodec.encode(&head, &event, &mut Headers::new(), &mut out);
    written.unwrap();
    out.into()
}

/// A letter of the order with this number: each has another id.
pub(crate) fn letter(number: u64) -> DeadLetter {
    let id = Uuid::from_u64_pair(0x0193_a5c2_7b1e_7c4a, 0x8000_0000_0000_0000 | number);
    let subject = "events.orders.order.placed";
    let origin = Origin::new("ORDERS", number, subject, "events");
    let class = DeadLetterClass::RetryExhausted;
    let mut letter = DeadLetter::new("billing", origin, class, time(6), body(id, number));
    letter.first_failure = time(1);
    letter.event_id = Some(id);
    letter.event_type = Some("order.placed".into());
    letter.key = Some(number.to_string());
    letter.errors = vec!["shop::PaymentError".to_owned()];
    letter.attempts = 5;
    letter.headers.insert("Tenant", "north").unwrap();
    letter
}

/// Seconds after the start of these tests' time.
pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_762_430_400 + seconds).unwrap()
}

pub(crate) async fn put(bus: &EventBus, letter: &DeadLetter) {
    let store = DeadLetters::stream("DLQ").open(bus);
    within("a letter", store.put(letter)).await.unwrap();
}

/// Everything in a stream that a pattern matches.
pub(crate) async fn stored(bus: &EventBus, stream: &str, pattern: &str) -> Vec<StoredMessage> {
    let filters = vec![Pattern::parse(pattern.to_owned()).unwrap()];
    let request = HistoryRequest::new(stream.to_owned(), filters);
    let messages = bus.transport().read_history(request).await.unwrap();
    within("history", messages.try_collect()).await.unwrap()
}

pub(crate) fn bytes(message: &StoredMessage) -> &Bytes {
    match &message.body {
        Body::Encoded(bytes) => bytes,
        Body::Value(_) => panic!("{message:?} was not encoded"),
    }
}

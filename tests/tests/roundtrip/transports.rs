//! Events from publisher to subscriber, with their envelopes and headers, over memory and NATS.

use std::time::Duration;

use event_sdk::headers::Headers;
use event_sdk::stream::{Discard, Storage, StreamSpec};
use event_sdk::transport::nats::Nats;
use event_sdk::{BusBuilder, EnvelopeHeader, Event, EventBus, Subject, Subscriber};
use event_sdk_test_servers::Server;
use fastrand::Rng;
use tokio::time::timeout;

use crate::random::{Random, any};
use crate::values::{
    AllValues, ContainerValues, Converted, EnumValues, FieldAttributes, Newtype, Nothing,
    NumberValues, OtherValues, Tagged, Transparent, Tuple,
};
use crate::{envelopes, seed, values};

/// How many events of a type are published before they are read.
const BATCH: u64 = 100;

/// No delivery takes longer.
const PATIENCE: Duration = Duration::from_secs(59);

fn builder() -> BusBuilder {
    let stream = StreamSpec::new("ROUNDTRIP")
        .subject("roundtrip.>")
        .absolute("Foreign.>")
        .storage(Storage::Memory)
        .max_messages(BATCH * 20)
        .when_full(Discard::Old);
    EventBus::builder()
        .source("round \u{e9}\u{1f600} \"trip\"\\")
        .metadata("region", "\u{2028}\u{0}\u{10ffff}")
        .stream(stream)
}

/// An event as it was published, and what belongs to it.
struct Expected {
    event: AllValues,
    subject: Subject,
    head: EnvelopeHeader,
    headers: Headers,
    seed: u64,
}

/// Publishes `events` random values of each type, and reads them.
async fn through(bus: &EventBus, events: u64) {
    let mut subscriber: Subscriber<AllValues> = bus.subscribe().await.expect("it subscribes");
    let mut first = 0;
    while first < events {
        let numbers = first..events.min(first + BATCH);
        first = numbers.end;
        let mut expected = Vec::new();
        macro_rules! publish {
            ($($event:ident as $variant:ident),* $(,)?) => {$(
                publish::<$event>(bus, numbers.clone(), AllValues::$variant, &mut expected).await;
            )*};
        }
        publish!(
            NumberValues as Numbers,
            ContainerValues as Containers,
            EnumValues as Enums,
            FieldAttributes as Attributes,
            OtherValues as Others,
            Tuple as Tuple,
            Newtype as Newtype,
            Transparent as Transparent,
            Tagged as Tagged,
            Converted as Converted,
            Nothing as Nothing,
        );
        for expected in expected {
            read(&mut subscriber, expected).await;
        }
    }
}

/// Publishes one random value for each number.
async fn publish<E: Event + Random + Clone>(
    bus: &EventBus,
    numbers: std::ops::Range<u64>,
    variant: fn(E) -> AllValues,
    expected: &mut Vec<Expected>,
) {
    let publisher = bus.publisher::<E>();
    let mut prepared = Vec::new();
    for number in numbers {
        let seed = seed(number);
        let mut rng = Rng::with_seed(seed);
        let event: E = any(&mut rng);
        let mut one = publisher
            .prepare(event.clone())
            .occurred_at(envelopes::instant(&mut rng))
            .metadata(any::<String>(&mut rng), any::<String>(&mut rng));
        if rng.bool() {
            one = one.correlation_id(envelopes::id(&mut rng));
        }
        if let Some(before) = prepared.last().filter(|_| rng.bool()) {
            one = one.caused_by(before);
        }
        for (name, value) in headers(&mut rng).iter() {
            one = one
                .header(name.to_owned(), value)
                .expect("a header that travels");
        }
        expected.push(Expected {
            subject: publisher.subject_of(&event).expect("the key is short"),
            event: variant(event),
            head: one.head().into_owned(),
            headers: one.headers().clone(),
            seed,
        });
        prepared.push(one);
    }
    let outcome = publisher.publish_all(prepared).await;
    outcome.unwrap_or_else(|why| panic!("{}: {why:?}", E::SPEC.name()));
}

/// Headers of every character that is allowed.
fn headers(rng: &mut Rng) -> Headers {
    let mut headers = Headers::new();
    for _ in 0..rng.usize(..3) {
        let name: String = (0..rng.usize(1..9)).map(|_| rng.char('!'..='~')).collect();
        let value: String = any(rng);
        // Those with a colon in the name or a control character are refused, and not sent.
        let _ = headers.insert(format!("X-{name}"), value);
    }
    headers
}

async fn read(subscriber: &mut Subscriber<AllValues>, expected: Expected) {
    let delivery = timeout(PATIENCE, subscriber.next()).await;
    let delivery = delivery.expect("it arrives in time");
    let delivery = delivery
        .expect("the subscription goes on")
        .expect("no error");
    let shown = || {
        let body = delivery.body().expect("it is encoded");
        let body = String::from_utf8_lossy(&body).into_owned();
        format!("ROUNDTRIP_SEED={}: {body}", expected.seed)
    };
    assert_eq!(delivery.subject(), &expected.subject, "{}", shown());
    let head = delivery
        .head()
        .unwrap_or_else(|why| panic!("{why}: {}", shown()));
    assert!(
        *head == expected.head,
        "{head:?} is not {:?}: {}",
        expected.head,
        shown()
    );
    let event = delivery.decode();
    let event = event.unwrap_or_else(|why| panic!("{why} ({:?}): {}", why.expose(), shown()));
    assert!(event == expected.event, "{}", shown());
    let sorted = |headers: &Headers| {
        let all = headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        all.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(
        sorted(delivery.headers()),
        sorted(&expected.headers),
        "{}",
        shown()
    );
    delivery.ack().await.expect("it is acknowledged");
}

#[tokio::test]
async fn through_memory() {
    let bus = builder().memory().expect("the bus is right");
    through(&bus, values().div_ceil(10)).await;
}

/// The values themselves travel, and no bytes.
#[tokio::test]
async fn through_memory_by_value() {
    let bus = builder().memory_with(|memory| memory.hand_over(true));
    through(&bus.expect("the bus is right"), values().div_ceil(100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_nats() {
    let server = Server::start().await.expect("a server starts");
    let nats = Nats::connect(Nats::options(server.url()))
        .await
        .expect("it connects");
    let bus = builder().transport(nats).expect("the bus is right");
    bus.apply_streams().await.expect("the stream is made");
    through(&bus, values().div_ceil(100)).await;
}

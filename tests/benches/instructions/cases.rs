//! The cases: encode, decode, publish, receive, acknowledge, consume; memory transport, JSON, one task.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use event_sdk::codec::{Codec as _, JsonCodec};
use event_sdk::headers::Headers;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::AckPolicy;
use event_sdk::{EnvelopeHeader, EventBus, Readable, Subscriber, Version};
use event_sdk_core::event::decode_data;
use jiff::Timestamp;
use uuid::Uuid;

use crate::consume::{by_consumer, by_loop};
use crate::events::{BookingMade, ByHand, ByHandRef, booking};

/// What a case does with so many events.
type Run = fn(u64);

pub(crate) const CASES: &[(&str, Run)] = &[
    ("encode", encode),
    ("encode, serde_json by hand", encode_by_hand),
    ("decode", decode),
    ("decode, serde_json by hand", decode_by_hand),
    ("publish", |events| {
        flow(events, Until::Published);
    }),
    ("publish, receive", |events| {
        flow(events, Until::Received);
    }),
    ("publish, receive, decode", |events| {
        flow(events, Until::Decoded);
    }),
    ("publish, receive, decode, ack", |events| {
        flow(events, Until::Acknowledged);
    }),
    ("loop over JSON", by_loop::<BookingMade, false>),
    ("consumer of JSON", by_consumer::<BookingMade, false>),
    ("loop over values", by_loop::<Arc<BookingMade>, true>),
    ("consumer of values", by_consumer::<Arc<BookingMade>, true>),
];

/// What is counted as one case less another.
pub(crate) const DIFFERENCES: [(&str, &str, &str); 4] = [
    ("receive alone", "publish, receive", "publish"),
    (
        "ack alone, with keeping the delivery until then",
        "publish, receive, decode, ack",
        "publish, receive, decode",
    ),
    (
        "a consumer more than a loop, JSON",
        "consumer of JSON",
        "loop over JSON",
    ),
    (
        "a consumer more than a loop, values handed over",
        "consumer of values",
        "loop over values",
    ),
];

fn head() -> EnvelopeHeader {
    let id = Uuid::from_u128(0x0193_a5c2_7b1e_7c4a_9f55_2f6d_6f1f_0b11);
    let now = Timestamp::from_microsecond(1_762_430_400_123_456).expect("it is in the range");
    let mut head = EnvelopeHeader::new(id, BookingMade::SPEC.event_type(), now);
    head.source = "bench".into();
    head.version = Version::new(1, 0);
    head.metadata.correlation_id = Some(id.into());
    head.metadata.causation_id = Some(id.into());
    head
}

fn written(head: &EnvelopeHeader, event: &BookingMade, capacity: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity);
    let mut headers = Headers::new();
    let result = JsonCodec.encode(head, event, &mut headers, &mut out);
    result.expect("it is written");
    out
}

fn encode(events: u64) {
    let (head, event) = (head(), booking());
    let len = written(&head, &event, 0).len();
    for _ in 0..events {
        black_box(written(black_box(&head), black_box(&event), len));
    }
}

fn encode_by_hand(events: u64) {
    let (head, event) = (head(), booking());
    for _ in 0..events {
        let envelope = ByHandRef::new(head.event_id, head.timestamp, black_box(&event));
        black_box(serde_json::to_vec(&envelope).expect("it is written"));
    }
}

fn decode(events: u64) {
    let body = Bytes::from(written(&head(), &booking(), 0));
    for _ in 0..events {
        let envelope = JsonCodec.decode(black_box(&body), &Headers::new());
        let envelope = envelope.expect("it is an envelope");
        let event = decode_data::<BookingMade>(envelope.head.version, &envelope.data);
        black_box(event.expect("it is the event"));
    }
}

fn decode_by_hand(events: u64) {
    let body = written(&head(), &booking(), 0);
    for _ in 0..events {
        let envelope = serde_json::from_slice::<ByHand<BookingMade>>(black_box(&body));
        black_box(envelope.expect("it is the envelope"));
    }
}

/// How far each event goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    Published,
    Received,
    Decoded,
    Acknowledged,
}

/// How many events are published before they are received.
const BATCH: u64 = 100;

fn flow(events: u64, until: Until) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(async {
        let stream = StreamSpec::new("TRAVEL")
            .subject("travel.>")
            .max_messages(1_000)
            .duplicate_window(Duration::ZERO);
        let bus = EventBus::builder().source("bench").stream(stream);
        let bus = bus.memory().expect("the bus is right");
        let ack = if until == Until::Acknowledged {
            AckPolicy::Explicit
        } else {
            AckPolicy::None
        };
        let mut subscriber: Subscriber<BookingMade> = bus
            .subscribe()
            .ack_policy(ack)
            .await
            .expect("it subscribes");
        let publisher = bus.publisher::<BookingMade>();
        let event = booking();
        let mut done = 0;
        while done < events {
            for _ in 0..BATCH.min(events - done) {
                publisher
                    .publish(event.clone())
                    .await
                    .expect("it is stored");
            }
            for _ in 0..BATCH.min(events - done) {
                if until == Until::Published {
                    continue;
                }
                let delivery = subscriber.next().await.expect("it goes on");
                let delivery = delivery.expect("it is delivered");
                if until >= Until::Decoded {
                    black_box(delivery.decode().expect("it is the event"));
                }
                if until == Until::Acknowledged {
                    delivery.ack().await.expect("it is acknowledged");
                }
                let _ = black_box(delivery);
            }
            done += BATCH;
        }
    });
}

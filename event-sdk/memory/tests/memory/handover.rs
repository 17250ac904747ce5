//! Values handed over without encoding, and user code that must not run under the lock.

use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use bytes::Bytes;
use event_sdk::__private::SpecBuilder;
use event_sdk::ErrorKind;
use event_sdk::codec::{Codec, DecodeFault, EncodeError, JsonCodec, RawEnvelope};
use event_sdk::envelope::EnvelopeHeader;
use event_sdk::event::{Event, EventSpec, Readable};
use event_sdk::headers::Headers;
use event_sdk::json::WriteJson;
use event_sdk::stream::{Discard, StreamSpec};
use event_sdk::subject::grammar::subject_hash;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Body, Capability, Expectations, MessageId, PublishRequest, ValueBody};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::support::*;
use event_sdk::transport::TransportExt as _;

/// An event that says something to the transport when it is dropped.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Noted {
    number: u64,
    #[serde(skip)]
    at_last: Mutex<Option<MemoryTransport>>,
}

impl Event for Noted {}

impl Readable for Noted {
    const SPEC: EventSpec = SpecBuilder::new(
        "Noted",
        "a.note.noted",
        subject_hash("a.note.noted"),
        "note.noted",
        (1, 0),
    )
    .address("a", "note", "noted")
    .build();
}

impl Drop for Noted {
    fn drop(&mut self) {
        if let Some(transport) = self.at_last.get_mut().unwrap().take() {
            // Takes the stream's lock, and that of all streams.
            if let Ok(state) = now(transport.stream_state("S")) {
                let _ = now(transport.apply_stream(&state.config));
            }
        }
    }
}

fn value(event: &Arc<Noted>) -> Body {
    let head = EnvelopeHeader::new(Uuid::from_u128(7), "note.noted", at(SECOND));
    Body::Value(ValueBody {
        head: head.into(),
        event: event.clone(),
    })
}

fn handing_over(declare: impl FnOnce(StreamSpec) -> StreamSpec) -> Rig {
    let stream = config(&declare(StreamSpec::new("S").absolute(">")));
    Rig::new(|builder| builder.stream(stream).hand_over(true))
}

#[test]
fn every_consumer_receives_the_publishers_own_value() {
    let rig = handing_over(|stream| stream);
    let event = Arc::new(Noted::default());
    rig.try_publish("a", |message| message.body = value(&event))
        .unwrap();
    for mut sub in [rig.subscribe(ephemeral()), rig.subscribe(ephemeral())] {
        let message = sub.message();
        let Body::Value(value) = &message.body else {
            panic!("{message:?}")
        };
        assert_eq!(value.head.event_id(), Uuid::from_u128(7));
        let received = value.event.clone().into_any().downcast::<Noted>().unwrap();
        assert!(Arc::ptr_eq(&received, &event));
    }
    assert_eq!(rig.state().bytes, 1, "only the subject is known");
}

#[test]
fn a_stream_that_counts_bytes_encodes() {
    for limit in [
        StreamSpec::max_bytes as fn(StreamSpec, u64) -> StreamSpec,
        StreamSpec::max_message_size,
    ] {
        let rig = handing_over(|stream| limit(stream, 10_000));
        let event = Arc::new(Noted::default());
        rig.try_publish("a", |message| message.body = value(&event))
            .unwrap();
        let message = rig.subscribe(ephemeral()).message();
        let Body::Encoded(bytes) = &message.body else {
            panic!("{message:?}")
        };
        let envelope = JsonCodec.decode(bytes, &message.headers).unwrap();
        assert_eq!(&envelope.data[..], br#"{"number":0}"#);
        assert_eq!(rig.state().bytes, 1 + bytes.len() as u64);
        assert_eq!(Arc::strong_count(&event), 1);
    }
}

#[test]
fn what_is_encoded_for_a_stream_that_counts_bytes_takes_no_more_room() {
    let rig = handing_over(|stream| stream.max_bytes(10_000));
    let event = Arc::new(Noted::default());
    rig.try_publish("a", |message| message.body = value(&event))
        .unwrap();
    let Body::Encoded(bytes) = rig.subscribe(ephemeral()).message().body else {
        panic!("it is encoded")
    };
    rig.close();
    let len = bytes.len();
    let room = bytes.try_into_mut().expect("nobody else has it").capacity();
    assert_eq!(room, len);
}

/// Marks what it writes.
#[derive(Debug)]
struct Marking;

impl Codec for Marking {
    fn encode(
        &self,
        head: &EnvelopeHeader,
        data: &dyn WriteJson,
        headers: &mut Headers,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        headers.insert("codec", "marking").unwrap();
        JsonCodec.encode(head, data, headers, out)
    }

    fn decode(&self, body: &Bytes, headers: &Headers) -> Result<RawEnvelope, DecodeFault> {
        JsonCodec.decode(body, headers)
    }
}

#[test]
fn it_encodes_with_the_codec_that_it_was_given() {
    let stream = config(&StreamSpec::new("S").absolute(">").max_bytes(1000));
    let rig = Rig::new(|builder| {
        builder
            .stream(stream)
            .hand_over(true)
            .codec(Arc::new(Marking))
    });
    let event = Arc::new(Noted::default());
    rig.try_publish("a", |message| message.body = value(&event))
        .unwrap();
    let message = rig.subscribe(ephemeral()).message();
    assert_eq!(message.headers.get("codec"), Some("marking"));
}

#[test]
fn a_value_is_refused_where_that_is_not_declared() {
    let rig = Rig::plain();
    let event = Arc::new(Noted::default());
    let refused = rig.try_publish("a", |message| message.body = value(&event));
    let unsupported = ErrorKind::Unsupported(Capability::ValueHandover);
    assert_eq!(refused.unwrap_err().kind(), &unsupported);
}

#[test]
fn a_value_may_use_the_transport_when_it_is_dropped() {
    let rig = handing_over(|stream| stream.max_messages(1).max_messages_per_subject(1));
    let publish = || {
        let event = Noted {
            number: 1,
            at_last: Mutex::new(Some(rig.transport.clone())),
        };
        rig.try_publish("a", |message| message.body = value(&Arc::new(event)))
            .unwrap();
    };
    // One is dropped by the next publish, one by a change of the stream, the
    // other when all is closed.
    publish();
    publish();
    let all = StreamSpec::new("S").absolute(">").max_messages(2);
    now(rig.transport.apply_stream(&config(&all))).unwrap();
    publish();
    publish();
    let few = config(&all.max_messages(1));
    now(rig.transport.apply_stream(&few)).unwrap();
    assert_eq!(rig.state().messages, 1);
    rig.close();
}

/// What becomes of a value that is not stored because `refuse` is against it.
#[track_caller]
fn dropped_unstored(
    declare: impl FnOnce(StreamSpec) -> StreamSpec,
    refuse: impl FnOnce(&mut PublishRequest<'_>) + Send + 'static,
) {
    let rig = handing_over(declare);
    let first = Arc::new(Noted::default());
    rig.try_publish("a", |message| {
        message.body = value(&first);
        message.message_id = Some(MessageId::Text("x".into()));
    })
    .unwrap();
    // On a thread of its own: one that waits for a lock that it holds never ends.
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let event = Noted {
            number: 2,
            at_last: Mutex::new(Some(rig.transport.clone())),
        };
        let answer = rig.try_publish("a", move |message| {
            message.body = value(&Arc::new(event));
            refuse(message);
        });
        let _ = done.send((answer.is_ok_and(|stored| !stored.duplicate), rig));
    });
    let (stored, rig) = ended
        .recv_timeout(60 * SECOND)
        .expect("the value was dropped while the stream was locked");
    assert!(!stored && rig.state().last_sequence == 1);
}

#[test]
fn a_value_that_is_not_stored_may_use_the_transport_when_it_is_dropped() {
    dropped_unstored(
        |stream| stream,
        |message| message.message_id = Some(MessageId::Text("x".into())),
    );
    dropped_unstored(
        |stream| stream,
        |message| message.expect.last_sequence = Some(0),
    );
    dropped_unstored(
        |stream| stream.max_messages(1).when_full(Discard::New),
        |_| {},
    );
}

#[test]
fn what_aged_out_in_a_pause_is_dropped_piece_by_piece() {
    let event = Arc::new(Noted::default());
    let aged = || {
        let rig = handing_over(|stream| stream.max_age(10 * SECOND));
        let sub = rig.subscribe(durable("d"));
        for _ in 0..10_000 {
            rig.try_publish("a", |message| message.body = value(&event))
                .unwrap();
        }
        rig.step(10 * SECOND);
        (rig, sub)
    };
    // A publish does not pay for all of it, nor does one poll …
    let (rig, mut sub) = aged();
    rig.publish("b");
    assert!(Arc::strong_count(&event) > 9_000);
    let _ = sub.poll_once();
    assert!((1_000..9_000).contains(&Arc::strong_count(&event)));
    // … but nobody sees what is too old.
    assert_eq!(sub.gap(), exactly(1, 10_000, 10_000));
    assert_eq!(sub.seq(), (10_001, 1));
    assert_eq!(Arc::strong_count(&event), 1);

    let (rig, _sub) = aged();
    assert_eq!(rig.state().messages, 0);
    assert_eq!(Arc::strong_count(&event), 1);

    let (rig, _sub) = aged();
    let mut none = Expectations::none();
    none.last_subject_sequence = Some(0);
    rig.publish_expecting("a", none).unwrap();
    assert_eq!(Arc::strong_count(&event), 1);
}

#[test]
fn closing_lets_go_of_every_value() {
    let rig = handing_over(|stream| stream);
    let event = Arc::new(Noted::default());
    let mut sub = rig.subscribe(durable("d"));
    for _ in 0..3 {
        rig.try_publish("a", |message| message.body = value(&event))
            .unwrap();
    }
    drop(sub.message());
    rig.close();
    assert_eq!(Arc::strong_count(&event), 1);
}

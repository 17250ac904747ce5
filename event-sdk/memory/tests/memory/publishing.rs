//! Storing messages: sequences, duplicates, expectations, sizes and bodies.

use std::sync::Arc;

use bytes::Bytes;
use event_sdk::time::{Clock, Reading};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Body, Capability, Expectations, MessageId, Operation, Outcome, PublishRequest, Transport,
    TransportExt as _,
};
use event_sdk::{Error, ErrorKind, Subject};
use jiff::SignedDuration;

use crate::support::*;

fn wrong_last(error: &Error) -> u64 {
    assert_eq!(
        (error.operation(), error.outcome()),
        (Operation::Publish, Outcome::NotDone)
    );
    match error.kind() {
        ErrorKind::WrongLastSequence { last: Some(last) } => *last,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sequences_begin_with_one() {
    let rig = Rig::plain();
    assert_eq!(
        (rig.publish("a"), rig.publish("b"), rig.publish("a")),
        (1, 2, 3)
    );
    let state = rig.state();
    assert_eq!(
        (state.messages, state.first_sequence, state.last_sequence),
        (3, 1, 3)
    );
    assert_eq!(state.bytes, 3 * 3, "a token and two braces each");
}

#[test]
fn a_duplicate_is_told_the_first_sequence_within_the_window() {
    let rig = Rig::of(|stream| stream.duplicate_window(10 * SECOND));
    rig.publish("a");
    let first = rig.publish_id("a", "x");
    assert_eq!((first.sequence, first.duplicate), (Some(2), false));
    rig.step(9 * SECOND);
    let again = rig.publish_id("b", "x");
    assert_eq!((again.sequence, again.duplicate), (Some(2), true));
    assert_eq!(again.stream.as_deref(), Some("S"));
    rig.step(SECOND);
    let late = rig.publish_id("a", "x");
    assert_eq!((late.sequence, late.duplicate), (Some(3), false));
    assert_eq!(rig.state().messages, 3);
}

#[test]
fn the_window_does_not_depend_on_the_time_of_day() {
    let rig = Rig::of(|stream| stream.duplicate_window(10 * SECOND));
    rig.clock.set_ahead(SignedDuration::from_hours(24 * 365));
    rig.publish_id("a", "ahead");
    rig.clock.set_ahead(SignedDuration::ZERO);
    rig.publish_id("a", "back");
    rig.step(9 * SECOND);
    assert!(rig.publish_id("a", "ahead").duplicate);
    assert!(rig.publish_id("a", "back").duplicate);
    rig.step(SECOND);
    assert!(!rig.publish_id("a", "ahead").duplicate);
    assert!(!rig.publish_id("a", "back").duplicate);
}

#[test]
fn a_duplicate_is_one_though_retention_dropped_the_first() {
    let rig = Rig::of(|stream| stream.max_messages(1));
    rig.publish_id("a", "x");
    rig.publish("a");
    let again = rig.publish_id("a", "x");
    assert_eq!((again.sequence, again.duplicate), (Some(1), true));
}

#[test]
fn no_more_ids_are_remembered_than_the_capacity() {
    let rig = Rig::of(|stream| stream.duplicate_capacity(2));
    for id in ["x", "y", "z"] {
        rig.publish_id("a", id);
    }
    assert!(rig.publish_id("a", "z").duplicate);
    assert!(!rig.publish_id("a", "x").duplicate);
}

#[test]
fn without_a_window_there_are_no_duplicates() {
    let rig = Rig::of(|stream| stream.duplicate_window(std::time::Duration::ZERO));
    rig.publish_id("a", "x");
    assert!(!rig.publish_id("a", "x").duplicate);
}

#[test]
fn the_last_sequence_of_the_stream_is_expected() {
    let rig = Rig::plain();
    let expect = |sequence| {
        let mut expect = Expectations::none();
        expect.last_sequence = Some(sequence);
        expect
    };
    rig.publish_expecting("a", expect(0)).unwrap();
    assert_eq!(
        wrong_last(&rig.publish_expecting("b", expect(0)).unwrap_err()),
        1
    );
    rig.publish_expecting("b", expect(1)).unwrap();
    assert_eq!(rig.state().last_sequence, 2);
}

#[test]
fn the_last_sequence_of_the_subject_is_expected() {
    let rig = Rig::of(|stream| stream.max_messages(2));
    let expect = |sequence| {
        let mut expect = Expectations::none();
        expect.last_subject_sequence = Some(sequence);
        expect
    };
    rig.publish_expecting("a", expect(0)).unwrap();
    rig.publish("b");
    rig.publish_expecting("a", expect(1)).unwrap();
    assert_eq!(
        wrong_last(&rig.publish_expecting("a", expect(1)).unwrap_err()),
        3
    );
    rig.publish_many("b", 2);
    // None of its messages remains.
    assert_eq!(
        wrong_last(&rig.publish_expecting("a", expect(3)).unwrap_err()),
        0
    );
    rig.publish_expecting("a", expect(0)).unwrap();
}

#[test]
fn the_last_sequence_under_a_pattern_is_expected() {
    let rig = Rig::plain();
    let expect = |text: &str, sequence| {
        let mut expect = Expectations::none();
        expect.last_pattern_sequence = Some((pattern(text), sequence));
        expect
    };
    rig.publish_expecting("order.placed.1", expect("order.*.1", 0))
        .unwrap();
    rig.publish("order.placed.2");
    rig.publish("order.paid.1");
    let refused = rig.publish_expecting("order.sent.1", expect("order.*.1", 1));
    assert_eq!(wrong_last(&refused.unwrap_err()), 3);
    rig.publish_expecting("order.sent.1", expect("order.*.1", 3))
        .unwrap();
    rig.publish_expecting("order.sent.2", expect("order.>", 4))
        .unwrap();
    rig.publish_expecting("order.sent.3", expect("order.placed.2", 2))
        .unwrap();
    rig.publish_expecting("order.sent.4", expect("order.*.4", 0))
        .unwrap();
}

#[test]
fn a_pattern_outside_the_stream_cannot_be_expected() {
    let stream = config(&event_sdk::stream::StreamSpec::new("S").absolute("a.>"));
    let rig = Rig::new(|builder| builder.stream(stream));
    let mut expect = Expectations::none();
    expect.last_pattern_sequence = Some((pattern("b.>"), 0));
    let error = rig.publish_expecting("a.b", expect).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidSubject);
    assert!(error.to_string().contains("a.>"), "{error}");
}

#[test]
fn a_retry_whose_expectation_moved_on_is_a_duplicate() {
    let rig = Rig::plain();
    let publish = || {
        rig.try_publish("a", |message| {
            message.message_id = Some(MessageId::Text("x".into()));
            message.expect.last_sequence = Some(0);
        })
    };
    assert!(!publish().unwrap().duplicate);
    assert!(publish().unwrap().duplicate);
}

#[test]
fn a_refused_publish_leaves_no_message_id() {
    let rig = Rig::plain();
    let refused = rig.try_publish("a", |message| {
        message.message_id = Some(MessageId::Text("x".into()));
        message.expect.last_sequence = Some(7);
    });
    assert!(refused.is_err());
    assert!(!rig.publish_id("a", "x").duplicate);
}

fn body(bytes: usize) -> Body {
    Body::Encoded(Bytes::from(vec![b'x'; bytes]))
}

fn too_large(rig: &Rig, bytes: usize) -> (usize, usize) {
    let error = rig
        .try_publish("abc", |message| message.body = body(bytes))
        .unwrap_err();
    match error.kind() {
        ErrorKind::TooLarge { size, limit } => (*size, *limit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_that_is_too_large_is_refused() {
    let rig = Rig::new(|builder| builder.max_payload(100));
    assert_eq!(too_large(&rig, 101), (101, 100));
    assert_eq!(rig.transport.capabilities().max_payload(), 100);
    let headers = rig.try_publish("abc", |message| {
        message.body = body(95);
        message.headers.insert("name", "value").unwrap();
    });
    assert!(headers.is_err(), "headers count");

    let rig = Rig::of(|stream| stream.max_message_size(10));
    assert_eq!(too_large(&rig, 11), (11, 10));
    rig.try_publish("abc", |message| message.body = body(10))
        .unwrap();

    let rig = Rig::of(|stream| stream.max_bytes(20));
    assert_eq!(too_large(&rig, 18), (21, 20));
    rig.try_publish("abc", |message| message.body = body(17))
        .unwrap();
}

#[test]
fn a_message_id_that_cannot_travel_is_refused() {
    let rig = Rig::plain();
    for id in ["", "a\nb", " 42", &"x".repeat(MessageId::MAX_LEN + 1)] {
        let id = MessageId::Text(id.to_owned().into());
        let error = rig
            .try_publish("a", |message| message.message_id = Some(id))
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::InvalidHeader);
        assert_eq!(error.subject(), Some("a"));
    }
    assert_eq!(rig.state().last_sequence, 0);
    rig.publish_id("a", &"x".repeat(MessageId::MAX_LEN));
}

#[test]
fn a_message_id_counts_as_a_header_does() {
    let rig = Rig::of(|stream| stream.max_message_size(100).max_bytes(400));
    rig.publish_id("a", &"x".repeat(98));
    assert_eq!(rig.state().bytes, 101, "a subject, the id and two braces");
    let id = MessageId::Text("x".repeat(99).into());
    let refused = rig.try_publish("a", |message| message.message_id = Some(id));
    assert_eq!(
        refused.unwrap_err().kind(),
        &ErrorKind::TooLarge {
            size: 101,
            limit: 100
        }
    );
}

#[test]
fn a_subject_that_no_stream_stores_is_refused_with_what_there_is() {
    let stream = config(&event_sdk::stream::StreamSpec::new("ORDERS").subject("orders.>"));
    let rig = Rig::new(|builder| builder.stream(stream));
    let error = rig.try_publish("events.billing.paid", |_| {}).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NoStream);
    let text = error.to_string();
    assert!(
        text.contains("events.billing.paid") && text.contains("ORDERS (events.orders.>)"),
        "{text}"
    );
}

#[test]
fn headers_and_bodies_arrive_as_they_were() {
    let rig = Rig::plain();
    rig.try_publish("a", |message| {
        message.body = Body::Encoded(Bytes::from_static(b"\x00raw\xff"));
        message.headers.insert("Nats-Msg-Id", "x").unwrap();
    })
    .unwrap();
    rig.step(SECOND);
    let message = rig.subscribe(ephemeral()).message();
    assert_eq!(message.subject.as_str(), "a");
    assert_eq!(message.headers.get("nats-msg-id"), Some("x"));
    assert!(matches!(&message.body, Body::Encoded(bytes) if &bytes[..] == b"\x00raw\xff"));
    assert_eq!(message.info.stream.as_deref(), Some("S"));
    assert_eq!(message.info.stored_at, Some(at(std::time::Duration::ZERO)));
}

#[test]
fn only_a_reading_of_its_own_clock_is_taken() {
    let rig = Rig::plain();
    let own: Arc<dyn Clock> = rig.clock.clone();
    let other: Arc<dyn Clock> = Arc::new(HandClock::default());
    let mut stored_at = Vec::new();
    for clock in [&own, &other] {
        let reading = Reading::of(clock);
        rig.step(SECOND);
        let subject = Subject::parse("a").unwrap();
        let message = {
            let mut request = PublishRequest::new(&subject, Body::Encoded(Bytes::new()));
            request.reading = Some(reading);
            request
        };
        now(now(rig.transport.publish(message)).unwrap()).unwrap();
    }
    let mut subscriber = rig.subscribe(ephemeral());
    for _ in 0..2 {
        stored_at.push(subscriber.message().info.stored_at);
    }
    // The first was read a second before it was stored.
    assert_eq!(
        stored_at,
        [Some(at(std::time::Duration::ZERO)), Some(at(2 * SECOND))]
    );
}

#[test]
fn everything_is_declared_but_hand_over_and_what_only_servers_have() {
    let all = |transport: &MemoryTransport, hand_over| {
        for capability in Capability::ALL {
            let expected = match capability {
                Capability::ValueHandover => hand_over,
                Capability::Copies
                | Capability::PromoteMirror
                | Capability::Placement
                | Capability::ChangeRetention => false,
                _ => true,
            };
            assert_eq!(transport.supports(capability), expected, "{capability}");
        }
    };
    all(&MemoryTransport::builder().build().unwrap(), false);
    let transport = MemoryTransport::builder().hand_over(true).build().unwrap();
    all(&transport, true);
    assert_eq!(Arc::new(transport).name(), "memory");
}

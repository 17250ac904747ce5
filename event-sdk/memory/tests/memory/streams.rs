//! Several streams in one transport.

use event_sdk::ErrorKind;
use event_sdk::stream::{Compression, Storage, StreamSpec};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Error, Expectations, Transport};

use crate::support::*;
use event_sdk::transport::TransportExt as _;

fn two() -> Rig {
    let orders = config(
        &StreamSpec::new("ORDERS")
            .subject("orders.>")
            .subject("carts.*"),
    );
    let billing = config(&StreamSpec::new("BILLING").subject("billing.>"));
    Rig::new(|builder| builder.stream(orders).stream(billing))
}

#[test]
fn each_stream_has_its_own_sequences_and_consumers() {
    let rig = two();
    let publish = |subject| {
        let stored = rig.try_publish(subject, |_| {}).unwrap();
        (stored.stream.unwrap().to_string(), stored.sequence.unwrap())
    };
    assert_eq!(publish("events.orders.a"), ("ORDERS".to_owned(), 1));
    assert_eq!(publish("events.billing.a"), ("BILLING".to_owned(), 1));
    assert_eq!(publish("events.carts.a"), ("ORDERS".to_owned(), 2));
    let subscribe = |stream: &str, filter: &str| {
        let mut config = durable("same");
        config.filters = vec![pattern(filter)];
        rig.try_subscribe(request(stream, config)).unwrap()
    };
    assert_eq!(subscribe("ORDERS", "events.>").drain(), [1, 2]);
    assert_eq!(subscribe("BILLING", "events.*.a").drain(), [1]);
}

#[test]
fn the_streams_for_a_pattern_are_those_that_store_some_of_it() {
    let rig = two();
    let streams = |text: &str| {
        let streams = now(rig.transport.streams_for(&pattern(text))).unwrap();
        streams.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(streams("events.>"), ["ORDERS", "BILLING"]);
    assert_eq!(streams("events.carts.x"), ["ORDERS"]);
    assert_eq!(streams("events.carts.x.y"), [] as [&str; 0]);
}

#[test]
fn what_is_expected_under_a_pattern_is_expected_of_one_stream() {
    let rig = two();
    let expecting = |subject: &str, last| {
        let mut expect = Expectations::none();
        expect.last_pattern_sequence = Some((pattern("events.*.7"), last));
        rig.publish_expecting(subject, expect)
    };
    assert_eq!(expecting("events.orders.7", 0).unwrap().sequence, Some(1));
    // The other stream has nothing under it yet, and counts by itself.
    assert_eq!(expecting("events.billing.7", 0).unwrap().sequence, Some(1));
    assert_eq!(expecting("events.carts.7", 1).unwrap().sequence, Some(2));
    assert!(expecting("events.billing.7", 2).is_err());
}

fn build(streams: impl IntoIterator<Item = StreamSpec>) -> Error {
    streams
        .into_iter()
        .fold(MemoryTransport::builder(), |builder, stream| {
            builder.stream(config(&stream))
        })
        .build()
        .unwrap_err()
}

#[test]
fn streams_that_overlap_are_refused_with_both_patterns() {
    let error = build([
        StreamSpec::new("ALL").subject("a.>"),
        StreamSpec::new("SOME").subject("b.>").subject("a.*.x"),
    ]);
    assert_eq!(
        (error.kind(), error.stream()),
        (&ErrorKind::InvalidOption, Some("SOME"))
    );
    let text = error.to_string();
    assert!(
        text.contains("events.a.*.x") && text.contains("events.a.> of stream ALL"),
        "{text}"
    );
}

#[test]
fn a_stream_is_declared_once() {
    let error = build([
        StreamSpec::new("A").subject("a"),
        StreamSpec::new("A").subject("b"),
    ]);
    assert!(error.to_string().contains("twice"), "{error}");
}

#[test]
fn a_configuration_made_by_hand_is_checked_too() {
    let check = |change: fn(&mut event_sdk::stream::StreamConfig)| {
        let mut stream = config(&StreamSpec::new("S").absolute("a.>"));
        change(&mut stream);
        let error = MemoryTransport::builder()
            .stream(stream)
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::InvalidOption);
        error.to_string()
    };
    assert!(check(|stream| stream.name = "a b".into()).contains("letters"));
    assert!(check(|stream| stream.subjects.clear()).contains("no subject"));
    assert!(check(|stream| stream.subjects.push(pattern("a.b"))).contains("a.> and a.b overlap"));
    assert!(check(|stream| stream.replicas = 0).contains("use 1 to 5"));
    assert!(check(|stream| stream.deduplication.capacity = 0).contains("none of them"));
}

#[test]
fn what_has_a_meaning_on_servers_alone_is_kept_as_it_was_configured() {
    let stream = StreamSpec::new("S")
        .subject("a")
        .storage(Storage::Memory)
        .replicas(3)
        .compression(Compression::S2);
    let wanted = config(&stream);
    let rig = Rig::new(|builder| builder.stream(wanted.clone()));
    assert_eq!(rig.state().config, wanted);
}

#[test]
fn without_a_declaration_there_is_one_stream_for_everything() {
    let rig = Rig::new(|builder| builder);
    rig.publish("anything.at.all");
    let state = now(rig.transport.stream_state(MemoryTransport::DEFAULT_STREAM)).unwrap();
    assert_eq!(&*state.config.name, "EVENTS");
    assert_eq!(state.config.limits.messages.unwrap().get(), 100_000);
    assert_eq!(state.messages, 1);
}

#[test]
fn a_clone_is_another_handle_to_the_same_streams() {
    let rig = Rig::plain();
    rig.publish("a");
    assert_eq!(
        now(rig.transport.clone().stream_state("S"))
            .unwrap()
            .messages,
        1
    );
    now(rig.transport.clone().close()).unwrap();
    assert_eq!(
        rig.try_publish("a", |_| {}).unwrap_err().kind(),
        &ErrorKind::Closed
    );
}

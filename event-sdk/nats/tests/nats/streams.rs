//! Streams: creation, changes and reported state.

use std::time::Duration;

use event_sdk::stream::{Retention, Storage, StreamSpec};
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{
    AckPolicy, Body, Difference, ErrorKind, Outcome, PublishRequest, RollUp, StreamChange,
    Transport as _,
};
use event_sdk::{Event, EventBus, Subject};
use event_sdk_test_servers::{Server, programs};
use serde::{Deserialize, Serialize};

use crate::support::{Rig, draft, pattern, publish, raw_call, state, stream, within};
use event_sdk::transport::TransportExt as _;

#[tokio::test]
async fn what_others_have_set_stays_when_a_stream_is_changed() {
    let rig = Rig::start().await;
    let config = r#"{"name":"S","subjects":["s.>"],"storage":"file","allow_direct":true,
        "description":"by hand","deny_delete":true,"metadata":{"team":"shop"}}"#;
    raw_call(&rig.server.url(), "STREAM.CREATE.S", config).await;
    let wanted = stream("S", "s.>", |stream| stream.max_messages(100));
    let change = within(rig.nats.apply_stream(&wanted)).await.unwrap();
    let StreamChange::Updated { differences } = change else {
        panic!("{change:?}");
    };
    let fields: Vec<_> = differences.iter().map(|found| found.field).collect();
    assert_eq!(fields, ["max messages"]);
    let info = raw_call(&rig.server.url(), "STREAM.INFO.S", "").await;
    for kept in [
        "by hand",
        "\"deny_delete\":true",
        "\"team\":\"shop\"",
        "\"max_msgs\":100",
    ] {
        assert!(info.contains(kept), "{kept} is not in {info}");
    }
    let change = within(rig.nats.apply_stream(&wanted)).await.unwrap();
    assert_eq!(change, StreamChange::Unchanged);
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_with_the_reason() {
    let rig = Rig::with_stream(|stream| stream).await;
    let memory = stream("S", "s.>", |stream| stream.storage(Storage::Memory));
    let overlapping = stream("T", "s.a", |stream| stream);
    let short = Duration::from_millis(99);
    let short = stream("Z", "z", |stream| stream.duplicate_window(short));
    for (config, why) in [
        (memory, "storage"),
        (overlapping, "overlap"),
        (short, "100ms"),
    ] {
        let error = within(rig.nats.apply_stream(&config)).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        assert_eq!(error.outcome(), Outcome::NotDone, "{error}");
        assert_eq!(error.stream(), Some(&*config.name));
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn what_nobody_wants_rolls_up_on_current_servers_alone() {
    let current = programs::nats::current();
    let oldest = programs::nats::oldest();
    for (program, rolled_up) in [(current, true), (oldest, false)] {
        let server = Server::options().program(program.unwrap());
        let rig = Rig::start_with(server, |options| options).await;
        let by_interest = stream("S", "s.>", |stream| {
            stream.retention(Retention::Interest).allow_rollup(true)
        });
        within(rig.nats.apply_stream(&by_interest)).await.unwrap();
        let durable = r#"{"stream_name":"S","config":{"durable_name":"d","ack_policy":"explicit",
            "filter_subject":"s.a"}}"#;
        raw_call(&rig.server.url(), "CONSUMER.DURABLE.CREATE.S.d", durable).await;
        for earlier in [RollUp::Subject, RollUp::Stream] {
            for _ in 0..3 {
                publish(&rig.nats, draft("s.a")).await.unwrap();
            }
            let before = state(&rig.nats, "S").await.messages;
            let subject = Subject::parse("s.b").unwrap();
            let mut request = PublishRequest::new(&subject, Body::Encoded("{}".into()));
            request.roll_up = Some(earlier);
            let confirmation = within(rig.nats.publish(request)).await.unwrap();
            within(confirmation).await.unwrap();
            let all = rolled_up && earlier == RollUp::Stream;
            let wanted = if all { 0 } else { before };
            assert_eq!(state(&rig.nats, "S").await.messages, wanted, "{earlier:?}");
        }
    }
}

#[tokio::test]
async fn what_a_server_denies_is_refused_with_what_to_do() {
    for program in [programs::nats::current(), programs::nats::oldest()] {
        let server = Server::options().program(program.unwrap());
        let rig = Rig::start_with(server, |options| options).await;
        let denying = stream("S", "s.>", |stream| {
            stream.deny_delete(true).deny_purge(true)
        });
        within(rig.nats.apply_stream(&denying)).await.unwrap();
        let undeclared = stream("S", "s.>", |stream| stream);
        let change = within(rig.nats.apply_stream(&undeclared)).await.unwrap();
        assert_eq!(change, StreamChange::Unchanged);
        let rolling = stream("T", "t.>", |stream| stream.allow_rollup(true));
        within(rig.nats.apply_stream(&rolling)).await.unwrap();
        for (wanted, why) in [
            (
                stream("S", "s.>", |stream| stream.deny_delete(false)),
                "deleted",
            ),
            (
                stream("S", "s.>", |stream| stream.deny_purge(false)),
                "purged",
            ),
            (
                stream("S", "s.>", |stream| stream.allow_rollup(true)),
                "roll-ups",
            ),
            (
                stream("T", "t.>", |stream| stream.deny_purge(true)),
                "allow_rollup(false)",
            ),
        ] {
            let error = within(rig.nats.apply_stream(&wanted)).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
            assert_eq!(error.outcome(), Outcome::NotDone, "{error}");
            assert!(error.to_string().contains(why), "{error}");
        }
        let state = state(&rig.nats, "S").await;
        assert_eq!(state.config.deny_delete, Some(true));
        assert_eq!(state.config.deny_purge, Some(true));
        assert_eq!(state.foreign, []);
        // Roll-ups can be turned off.
        let off = stream("T", "t.>", |stream| {
            stream.deny_purge(true).allow_rollup(false)
        });
        within(rig.nats.apply_stream(&off)).await.unwrap();
        let change = within(rig.nats.apply_stream(&off)).await.unwrap();
        assert_eq!(change, StreamChange::Unchanged);
    }
}

#[tokio::test]
async fn a_short_age_takes_the_default_window_with_it() {
    let rig = Rig::start().await;
    let age = Duration::from_secs(10);
    let wanted = stream("S", "s.>", |stream| stream.max_age(age));
    let change = within(rig.nats.apply_stream(&wanted)).await.unwrap();
    assert_eq!(change, StreamChange::Created);
    assert_eq!(state(&rig.nats, "S").await.config.deduplication.window, age);
    let change = within(rig.nats.apply_stream(&wanted)).await.unwrap();
    assert_eq!(change, StreamChange::Unchanged);
}

#[tokio::test]
async fn more_streams_than_fit_one_answer_are_all_found() {
    let rig = Rig::start().await;
    let client = async_nats::connect(rig.server.url()).await.unwrap();
    // A server answers with 1024 names at a time.
    for number in 0..1030 {
        let config =
            format!(r#"{{"name":"S{number}","subjects":["s.{number}"],"storage":"memory"}}"#);
        let subject = format!("$JS.API.STREAM.CREATE.S{number}");
        client.request(subject, config.into()).await.unwrap();
    }
    let names = within(rig.nats.streams_for(&pattern("s.*"))).await.unwrap();
    assert_eq!(names.len(), 1030);
    let one = within(rig.nats.streams_for(&pattern("s.7"))).await.unwrap();
    assert_eq!(one, ["S7"]);
}

/// Something has happened.
#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "things", entity = "thing", action = "done")]
struct Done {
    number: u64,
}

/// A server, and a bus whose stream `THINGS` is there.
async fn things(say: impl FnOnce(StreamSpec) -> StreamSpec) -> (Server, EventBus) {
    let server = Server::start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let bus = EventBus::builder()
        .source("tests")
        .stream(say(StreamSpec::new("THINGS").subject("things.>")))
        .transport(nats)
        .unwrap();
    within(bus.apply_streams()).await.unwrap();
    (server, bus)
}

#[tokio::test]
async fn a_mirror_that_is_named_is_received_from_though_it_has_no_subjects() {
    let (server, bus) = things(|stream| stream).await;
    let mirror = r#"{"name":"COPY","mirror":{"name":"THINGS"}}"#;
    raw_call(&server.url(), "STREAM.CREATE.COPY", mirror).await;
    let published = bus.publisher::<Done>().publish(Done { number: 7 }).await;
    let sequence = published.unwrap().sequence();
    let copies = bus.subscribe::<Done>().stream("COPY").durable("reader");
    let mut copies = within(copies.into_future()).await.unwrap();
    let copy = within(copies.next()).await.unwrap().unwrap();
    assert_eq!(copy.decode().unwrap(), Done { number: 7 });
    assert_eq!((copy.stream(), copy.sequence()), (Some("COPY"), sequence));
    within(copy.ack_confirmed()).await.unwrap();
    // A stream that is not there stores nothing.
    let nowhere = bus.subscribe::<Done>().stream("NOWHERE").durable("reader");
    let error = within(nowhere.into_future()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NoStream, "{error}");
}

#[tokio::test]
async fn a_second_consumer_of_the_same_work_is_refused_as_a_mistake() {
    let (_server, bus) = things(|stream| stream.retention(Retention::WorkQueue)).await;
    let first = bus.subscribe::<Done>().durable("first");
    let _first = within(first.into_future()).await.unwrap();
    let second = bus.subscribe::<Done>().durable("second");
    let error = within(second.into_future()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert_eq!(error.consumer(), Some("second"));
}

#[tokio::test]
async fn a_consumer_that_keeps_the_pace_of_the_past_is_another() {
    let (server, bus) = things(|stream| stream).await;
    let slow = r#"{"stream_name":"THINGS","config":{"durable_name":"slow","ack_policy":"explicit",
        "ack_wait":30000000000,"max_ack_pending":1000,"replay_policy":"original",
        "filter_subject":"events.things.thing.done"}}"#;
    raw_call(&server.url(), "CONSUMER.CREATE.THINGS.slow", slow).await;
    let slow = bus.subscribe::<Done>().durable("slow");
    let error = within(slow.into_future()).await.unwrap_err();
    let ErrorKind::ConsumerMismatch { differences } = error.kind() else {
        panic!("{error}");
    };
    let fields: Vec<_> = differences
        .iter()
        .map(|Difference { field, .. }| *field)
        .collect();
    assert_eq!(fields, ["replay policy"], "{error}");
}

#[tokio::test]
async fn a_consumer_whose_acks_settle_what_is_before_them_is_refused() {
    let (server, bus) = things(|stream| stream).await;
    let of_all = r#"{"stream_name":"THINGS","config":{"durable_name":"billing","ack_policy":"all",
        "ack_wait":30000000000,"max_ack_pending":1000,"replay_policy":"instant",
        "filter_subject":"events.things.thing.done"}}"#;
    raw_call(&server.url(), "CONSUMER.CREATE.THINGS.billing", of_all).await;
    let publisher = bus.publisher();
    within(publisher.publish(Done { number: 1 }).into_future())
        .await
        .unwrap();
    for policy in [AckPolicy::Explicit, AckPolicy::None] {
        let billing = bus.subscribe::<Done>().durable("billing");
        let billing = billing.ack_policy(policy).into_future();
        let error = within(billing).await.unwrap_err();
        let ErrorKind::ConsumerMismatch { differences } = error.kind() else {
            panic!("{error}");
        };
        let different = Difference {
            field: "ack policy",
            existing: "All".to_owned(),
            wanted: format!("{policy:?}"),
        };
        assert_eq!(*differences, [different], "{error}");
        assert_eq!(error.consumer(), Some("billing"));
        assert!(error.to_string().contains("ack policy"), "{error}");
    }
    // It is as it was: no message was asked for.
    let info = raw_call(&server.url(), "CONSUMER.INFO.THINGS.billing", "").await;
    assert!(info.contains(r#""ack_policy":"all""#), "{info}");
    assert!(info.contains(r#""num_pending":1"#), "{info}");
}

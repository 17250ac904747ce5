//! Streams: what is created and changed, and what is said of them.

use std::time::Duration;

use event_sdk::stream::Storage;
use event_sdk::transport::{ErrorKind, Outcome, StreamChange, Transport};

use crate::support::{Rig, pattern, raw_call, state, stream, within};

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

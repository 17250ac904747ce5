//! Schedules: a killed server, lost answers, what other clients see and make, older servers, overlapping
//! subjects.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{Management, Nats};
use event_sdk::transport::{
    Body, CancelRequest, Cancellation, Capability, ErrorKind, Outcome, ScheduleRequest,
    StreamChange, Transport, TransportExt as _, WhichMessage,
};
use event_sdk::{Pattern, Subject};
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::nats::oldest;
use jiff::{SignedDuration, Timestamp};

use crate::proxy::Proxy;
use crate::support::{Rig, apply, eventually, pattern, raw_call, state, stream, within};

async fn rig() -> Rig {
    Rig::with_stream(StreamSpec::schedules).await
}

fn request(key: &str, millis: i64) -> ScheduleRequest {
    let subject = Subject::parse("s.later").unwrap();
    let at = Timestamp::now() + SignedDuration::from_millis(millis);
    let body = Body::Encoded(Bytes::from(format!("of {key}")));
    ScheduleRequest::new("S", key.to_owned(), subject, at, body)
}

async fn schedule(nats: &Nats, key: &str, millis: i64) {
    within(nats.schedule_message(request(key, millis)))
        .await
        .unwrap();
}

async fn cancel(nats: &Nats, key: &str) -> Cancellation {
    let request = CancelRequest::new("S", key.to_owned(), pattern("s.>"));
    within(nats.cancel_schedule(request)).await.unwrap()
}

async fn waiting(nats: &Nats) -> Vec<String> {
    let listed = within(nats.list_schedules("S", "")).await.unwrap();
    listed.iter().map(|one| one.key.to_string()).collect()
}

/// The bodies of the messages that have fired, the oldest first.
async fn fired(nats: &Nats) -> Vec<String> {
    let mut bodies = Vec::new();
    for sequence in 1..=state(nats, "S").await.last_sequence {
        let which = WhichMessage::Sequence(sequence);
        let found = within(nats.get_message("S", which)).await.unwrap();
        if let Some(found) = found.filter(|found| found.subject == "s.later")
            && let Body::Encoded(body) = found.body
        {
            bodies.push(String::from_utf8(body.to_vec()).unwrap());
        }
    }
    bodies
}

async fn all_fired(nats: &Nats, count: usize) -> Vec<String> {
    eventually("the messages", async || {
        let bodies = fired(nats).await;
        (bodies.len() >= count).then_some(bodies)
    })
    .await
}

#[tokio::test]
async fn schedules_survive_a_killed_server_and_fire_when_it_is_back() {
    let mut rig = rig().await;
    for (key, millis) in [("overdue", 1_000), ("soon", 8_000), ("far", 3_600_000)] {
        schedule(&rig.nats, key, millis).await;
    }
    let due = Timestamp::now() + SignedDuration::from_secs(1);
    rig.server.kill().await.unwrap();
    eventually(
        "the first to come due while there is no server",
        async || (Timestamp::now() > due).then_some(()),
    )
    .await;
    rig.server.restart().await.unwrap();
    let nats = Nats::connect(Nats::options(rig.server.url()))
        .await
        .unwrap();
    assert_eq!(all_fired(&nats, 2).await, ["of overdue", "of soon"]);
    assert_eq!(waiting(&nats).await, ["far"]);
    assert_eq!(cancel(&nats, "far").await, Cancellation::InTime);
    assert_eq!(cancel(&nats, "soon").await, Cancellation::TooLate);
}

#[tokio::test]
async fn a_schedule_is_a_message_beside_those_of_the_stream() {
    let rig = rig().await;
    let mut far = request("a.b", 3_600_000);
    far.headers.insert("Team", "shop").unwrap();
    let at = far.at;
    within(rig.nats.schedule_message(far)).await.unwrap();
    let url = rig.server.url();
    let info = raw_call(&url, "STREAM.INFO.S", "{}").await;
    for part in [
        // The server escapes `>` in JSON.
        r#""subjects":["s.\u003e","schedules.S.\u003e"]"#,
        r#""allow_msg_schedules":true"#,
        r#""allow_msg_ttl":true"#,
        r#""allow_rollup_hdrs":true"#,
        r#""deny_purge":false"#,
        r#""messages":1"#,
    ] {
        assert!(info.contains(part), "no {part} in {info}");
    }
    // As the transport's caller sees the stream, it stores its own subjects only.
    let config = state(&rig.nats, "S").await.config;
    assert_eq!(config.subjects, [pattern("s.>")]);
    assert!(config.schedules);
    let which = WhichMessage::LastUnder(pattern("schedules.>"));
    let found = within(rig.nats.get_message("S", which)).await.unwrap();
    let found = found.expect("the schedule");
    assert_eq!(found.subject, "schedules.S.a.b");
    // The server's headers are not the message's.
    let headers = found.headers.unwrap();
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("Team", "shop")]);
    let listed = within(rig.nats.list_schedules("S", "a")).await.unwrap();
    assert_eq!((listed[0].at, listed.len()), (at, 1));
}

#[tokio::test]
async fn what_a_schedule_fires_has_no_headers_of_the_server() {
    let rig = rig().await;
    schedule(&rig.nats, "a", 0).await;
    all_fired(&rig.nats, 1).await;
    let which = WhichMessage::LastUnder(pattern("s.later"));
    let found = within(rig.nats.get_message("S", which)).await.unwrap();
    let found = found.expect("the message");
    assert!(found.headers.unwrap().is_empty());
    assert_eq!(found.message_id, None);
}

/// Other clients make other schedules under the same subjects.
#[tokio::test]
async fn schedules_of_other_clients_are_passed_over_and_replaced() {
    let rig = rig().await;
    let client = async_nats::connect(rig.server.url()).await.unwrap();
    let publish = async |key: &str, headers: &[(&'static str, &str)]| {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        let request = async_nats::Request::new().headers(map);
        let answer = client.send_request(format!("schedules.S.{key}"), request.payload("x".into()));
        let answer = String::from_utf8(answer.await.unwrap().payload.to_vec()).unwrap();
        assert!(!answer.contains("\"error\""), "{answer}");
    };
    let target = ("Nats-Schedule-Target", "s.later");
    publish("plain", &[]).await;
    publish("often", &[("Nats-Schedule", "@every 1h"), target]).await;
    publish(
        "theirs",
        &[("Nats-Schedule", "@at 2127-01-01T00:00:00+02:00"), target],
    )
    .await;
    assert_eq!(waiting(&rig.nats).await, ["theirs"]);
    assert_eq!(cancel(&rig.nats, "plain").await, Cancellation::Unknown);
    assert_eq!(cancel(&rig.nats, "often").await, Cancellation::Unknown);
    for (key, replaces) in [("plain", false), ("often", false), ("theirs", true)] {
        let scheduled = within(rig.nats.schedule_message(request(key, 3_600_000))).await;
        assert_eq!(scheduled.unwrap().replaced, replaces, "{key}");
    }
    assert_eq!(waiting(&rig.nats).await, ["often", "plain", "theirs"]);
}

/// Where a stream of another client takes no TTLs, its maximum age applies to schedules.
#[tokio::test]
async fn a_schedule_that_would_be_too_old_is_refused() {
    let rig = Rig::start().await;
    let config = r#"{"name":"S","subjects":["s.>","schedules.S.>"],"max_age":60000000000,
        "allow_msg_schedules":true}"#;
    raw_call(&rig.server.url(), "STREAM.CREATE.S", config).await;
    schedule(&rig.nats, "soon", 0).await;
    let error = within(rig.nats.schedule_message(request("late", 61_000))).await;
    let error = error.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert!(error.to_string().contains("60s"), "{error}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    // The declaration gives the stream TTLs.
    let declared = stream("S", "s.>", |stream| {
        let minute = Duration::from_secs(60);
        stream.schedules().max_age(minute).max_messages(9)
    });
    apply(&rig.nats, &declared).await;
    schedule(&rig.nats, "late", 61_000).await;
}

#[tokio::test]
async fn subjects_that_overlap_schedules_are_refused() {
    let rig = Rig::start().await;
    for subjects in ["schedules.*.a", ">"] {
        let declared = stream("S", subjects, StreamSpec::schedules);
        let error = within(rig.nats.apply_stream(&declared)).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        assert!(error.to_string().contains("schedules.S.>"), "{error}");
    }
    // Those of another stream do not.
    let declared = stream("S", "schedules.T.>", StreamSpec::schedules);
    let change = within(rig.nats.apply_stream(&declared)).await.unwrap();
    assert_eq!(change, StreamChange::Created);
}

/// The schedule whose answer is lost is sent again over the next connection, and finds itself.
#[tokio::test]
async fn a_schedule_whose_answer_is_lost_finds_itself() {
    let server = Server::start().await.unwrap();
    let proxy = Proxy::to(server.port()).await;
    let nats = Nats::connect(Nats::options(proxy.url()).only_given_servers());
    let nats = Arc::new(nats.await.unwrap());
    apply(&nats, &stream("S", "s.>", StreamSpec::schedules)).await;
    let connections = proxy.connections();
    for connection in 0..connections {
        proxy.mute(connection);
    }
    let scheduling = tokio::spawn(nats.schedule_message(request("k", 3_600_000)));
    // It is stored, of which the client hears nothing.
    let beside = Nats::connect(Nats::options(server.url())).await.unwrap();
    eventually("the first copy", async || {
        (waiting(&beside).await == ["k"]).then_some(())
    })
    .await;
    for connection in 0..connections {
        proxy.cut(connection);
    }
    let scheduled = within(scheduling).await.unwrap().unwrap();
    assert!(!scheduled.replaced);
    assert_eq!(state(&beside, "S").await.last_sequence, 1);
}

/// A copy that may have fired is not sent again: it would fire twice.
#[tokio::test]
async fn a_schedule_that_may_have_fired_is_not_sent_again() {
    let server = Server::start().await.unwrap();
    let proxy = Proxy::to(server.port()).await;
    let nats = Nats::connect(Nats::options(proxy.url()).only_given_servers());
    let nats = Arc::new(nats.await.unwrap());
    apply(&nats, &stream("S", "s.>", StreamSpec::schedules)).await;
    for connection in 0..proxy.connections() {
        proxy.mute(connection);
    }
    let error = within(nats.schedule_message(request("k", 0)))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    let beside = Nats::connect(Nats::options(server.url())).await.unwrap();
    assert_eq!(all_fired(&beside, 1).await, ["of k"]);
    assert_eq!(waiting(&beside).await, [""; 0]);
}

async fn unsupported(nats: &Nats, why: &str) {
    assert!(!nats.supports(Capability::Scheduler));
    let subjects = Pattern::everything();
    let cancelled = nats.cancel_schedule(CancelRequest::new("S", "k", subjects));
    let declared = stream("T", "t.>", StreamSpec::schedules);
    for error in [
        within(nats.schedule_message(request("k", 0)))
            .await
            .unwrap_err(),
        within(cancelled).await.unwrap_err(),
        within(nats.list_schedules("S", "")).await.unwrap_err(),
        within(nats.apply_stream(&declared)).await.unwrap_err(),
    ] {
        let kind = ErrorKind::Unsupported(Capability::Scheduler);
        assert_eq!(*error.kind(), kind, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.outcome(), Outcome::NotDone);
    }
}

#[tokio::test]
async fn an_older_server_names_the_version_that_is_needed() {
    let options = Server::options().program(oldest().unwrap());
    let rig = Rig::start_with(options, |options| options).await;
    apply(&rig.nats, &stream("S", "s.>", |stream| stream)).await;
    unsupported(&rig.nats, "2.12.0 or newer, and this one is 2.10.25").await;
    let streams = within(rig.nats.streams_for(&pattern("t.>"))).await.unwrap();
    assert!(streams.is_empty(), "{streams:?}");
}

#[tokio::test]
async fn without_management_nothing_is_scheduled() {
    let rig = Rig::start_with(Server::options(), |options| {
        options.management(Management::Never)
    })
    .await;
    assert!(rig.nats.scheduler().is_none());
    let error = within(rig.nats.schedule_message(request("k", 0)))
        .await
        .unwrap_err();
    let kind = ErrorKind::Unsupported(Capability::Scheduler);
    assert_eq!(*error.kind(), kind, "{error}");
    assert!(error.to_string().contains("switched off"), "{error}");
}

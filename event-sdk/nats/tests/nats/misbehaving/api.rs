//! Answers of the JetStream API that cannot be what they should be.

use std::time::{Duration, Instant};

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{ErrorKind, TransportExt as _};

use serde_json::{Value, json};

use super::confirmations::assert_shown_well;
use super::fake::{Fake, Reply, Script};
use crate::support::{pattern, within};

/// Answers to STREAM.NAMES from which no list of streams can be read.
fn names() -> Vec<(&'static str, Reply)> {
    let text = Reply::text;
    vec![
        ("an empty object", text("{}")),
        ("null", text("null")),
        ("an error that is none", text(r#"{"error":"no"}"#)),
        (
            "an error that is a list",
            text(r#"{"error":[],"total":0,"streams":null}"#),
        ),
        ("names without a total", text(r#"{"streams":["S"]}"#)),
        ("names that are none", text(r#"{"total":1,"streams":[1]}"#)),
        ("a negative total", text(r#"{"total":-1,"streams":[]}"#)),
        ("no JSON", text("+OK")),
        ("half of the JSON", text(r#"{"total":1,"str"#)),
        (
            "bytes that are not UTF-8",
            Reply::Body(b"{\"total\":1,\"streams\":[\"\xff\"]}".to_vec()),
        ),
        ("nothing", text("")),
    ]
}

#[tokio::test]
async fn what_lists_no_streams_is_not_taken_for_none() {
    for (what, reply) in names() {
        let answers = vec![("STREAM.NAMES", reply)];
        let fake = Fake::start(Script {
            answers,
            ..Script::default()
        })
        .await;
        let nats = within(Nats::connect(Nats::options(&fake.url)))
            .await
            .unwrap();
        let error = within(nats.streams_for(&pattern("s.>")))
            .await
            .expect_err(what);
        assert_eq!(*error.kind(), ErrorKind::Other, "{what}: {error}");
        assert_shown_well(&error);
    }
}

/// While a cluster elects a leader, none of its servers may answer.
#[tokio::test]
async fn a_question_without_an_answer_is_asked_again_and_a_change_is_not() {
    let answers = vec![
        ("CONSUMER.INFO", Reply::NotAtFirst),
        ("CONSUMER.DELETE", Reply::NotAtFirst),
    ];
    let fake = Fake::start(Script {
        answers,
        ..Script::default()
    })
    .await;
    let options = Nats::options(&fake.url).request_timeout(Duration::from_secs(6));
    let nats = within(Nats::connect(options)).await.unwrap();
    let (info, deleted) = within(futures_util::future::join(
        nats.consumer_info("EVENTS", "d"),
        nats.delete_consumer("EVENTS", "d"),
    ))
    .await;
    assert_eq!(info.unwrap().ack_pending, 0);
    assert_eq!(fake.requests("CONSUMER.INFO"), 2);
    let error = deleted.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(fake.requests("CONSUMER.DELETE"), 1);
}

#[tokio::test]
async fn a_list_without_an_end_ends_with_the_request_timeout() {
    let page = r#"{"total":1000000000,"offset":0,"limit":1024,"streams":["S"]}"#;
    let answers = vec![("STREAM.NAMES", Reply::text(page))];
    let fake = Fake::start(Script {
        answers,
        ..Script::default()
    })
    .await;
    let options = Nats::options(&fake.url).request_timeout(Duration::from_millis(500));
    let nats = within(Nats::connect(options)).await.unwrap();
    let begun = Instant::now();
    let error = within(nats.streams_for(&pattern("s.>"))).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn what_is_no_state_of_a_stream_is_an_error() {
    for (what, reply, kind) in [
        ("an empty object", Reply::text("{}"), ErrorKind::Other),
        (
            "an error that is none",
            Reply::text(r#"{"error":7}"#),
            ErrorKind::Other,
        ),
        ("no JSON", Reply::text("\u{1b}[31m"), ErrorKind::Other),
        (
            "a state that is none",
            Reply::text(r#"{"config":{"name":"S"},"state":[]}"#),
            ErrorKind::Other,
        ),
        ("nothing", Reply::Nothing, ErrorKind::Timeout),
    ] {
        let answers = vec![("STREAM.INFO", reply)];
        let fake = Fake::start(Script {
            answers,
            ..Script::default()
        })
        .await;
        let options = Nats::options(&fake.url).request_timeout(Duration::from_millis(500));
        let nats = within(Nats::connect(options)).await.unwrap();
        let error = within(nats.stream_state("S")).await.expect_err(what);
        assert_eq!(*error.kind(), kind, "{what}: {error}");
        assert_shown_well(&error);
    }
}

/// A cluster lists a consumer without its information if that one's leader did not answer in time.
#[tokio::test]
async fn a_consumer_that_is_listed_as_missing_is_asked_for() {
    let list = json!({
        "total": 3,
        "consumers": [{"name": "c", "config": {"durable_name": "c", "ack_policy": "explicit"}}],
        "missing": ["d", "gone"],
    });
    let not_found = json!({"error": {"code": 404, "err_code": 10014, "description": "none"}});
    let no_leader = json!({"error": {"code": 503, "err_code": 10008, "description": "no leader"}});
    let body = |body: &Value| Reply::Body(body.to_string().into_bytes());
    let answers = |more: Option<(&'static str, Reply)>| {
        let list = ("CONSUMER.LIST", body(&list));
        let gone = ("CONSUMER.INFO.EVENTS.gone", body(&not_found));
        let answers = more.into_iter().chain([list, gone]).collect();
        Script {
            answers,
            ..Script::default()
        }
    };
    let fake = Fake::start(answers(None)).await;
    let options = Nats::options(&fake.url);
    let nats = within(Nats::connect(options)).await.unwrap();
    let listed = within(nats.list_consumers("EVENTS")).await.unwrap();
    let names: Vec<_> = listed
        .iter()
        .map(|info| info.config.name.as_str())
        .collect();
    assert_eq!(names, [Some("c"), Some("d")]);
    assert_eq!(fake.requests("CONSUMER.LIST"), 1);
    assert_eq!(fake.requests("CONSUMER.INFO.EVENTS"), 2);

    // Half of a list is none.
    let silent = ("CONSUMER.INFO.EVENTS.d", body(&no_leader));
    let fake = Fake::start(answers(Some(silent))).await;
    let options = Nats::options(&fake.url).request_timeout(Duration::from_millis(500));
    let nats = within(Nats::connect(options)).await.unwrap();
    let error = within(nats.list_consumers("EVENTS")).await.unwrap_err();
    assert_eq!(error.consumer(), Some("d"), "{error}");
    assert!(error.is_transient(), "{error}");
}

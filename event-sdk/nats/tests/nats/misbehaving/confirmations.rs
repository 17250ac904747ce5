//! Answers to publishes that are no confirmations.

use std::time::{Duration, Instant};

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{ErrorKind, Outcome};

use super::fake::{Fake, Reply, Script};
use crate::support::{draft, publish, within};

/// An answer that confirms nothing: the message may have been stored.
fn unreadable() -> Vec<(&'static str, Reply)> {
    let text = Reply::text;
    vec![
        ("no sequence", text(r#"{"stream":"S"}"#)),
        ("sequence zero", text(r#"{"stream":"S","seq":0}"#)),
        (
            "sequence zero, as servers write it",
            text(r#"{"stream":"S", "seq":0}"#),
        ),
        ("a negative sequence", text(r#"{"stream":"S","seq":-1}"#)),
        ("a sequence as text", text(r#"{"stream":"S","seq":"1"}"#)),
        (
            "a huge sequence",
            text(r#"{"stream":"S","seq":99999999999999999999}"#),
        ),
        ("no stream", text(r#"{"seq":1}"#)),
        ("an empty stream", text(r#"{"stream":"","seq":1}"#)),
        ("an empty object", text("{}")),
        ("null", text("null")),
        ("an error that is none", text(r#"{"error":"no"}"#)),
        ("a list", text("[1]")),
        ("no JSON", text("+OK")),
        ("half of the JSON", text(r#"{"stream":"S","se"#)),
        (
            "bytes that are not UTF-8",
            Reply::Body(b"{\"stream\":\"\xff\",\"seq\":1}".to_vec()),
        ),
        ("nothing", text("")),
        (
            "another status",
            Reply::Header("NATS/1.0 409 Leadership Change".to_owned()),
        ),
    ]
}

#[tokio::test]
async fn what_confirms_nothing_is_an_error_with_unknown_outcome() {
    for (what, reply) in unreadable() {
        let answers = vec![("s.a", reply)];
        let fake = Fake::start(Script {
            answers,
            ..Script::default()
        })
        .await;
        let nats = within(Nats::connect(Nats::options(&fake.url)))
            .await
            .unwrap();
        let error = within(publish(&nats, draft("s.a").id("1")))
            .await
            .expect_err(what);
        assert_eq!(*error.kind(), ErrorKind::Other, "{what}: {error}");
        assert_eq!(error.outcome(), Outcome::Unknown, "{what}: {error}");
        assert_eq!(fake.requests("s.a"), 1, "{what}: sent again");
    }
}

#[tokio::test]
async fn a_doubled_confirmation_counts_once() {
    let answers = vec![(
        "s.a",
        Reply::Times(3, br#"{"stream":"S","seq":7}"#.to_vec()),
    )];
    let fake = Fake::start(Script {
        answers,
        ..Script::default()
    })
    .await;
    let nats = within(Nats::connect(Nats::options(&fake.url)))
        .await
        .unwrap();
    for _ in 0..3 {
        let stored = within(publish(&nats, draft("s.a"))).await.unwrap();
        assert_eq!(stored.sequence, Some(7));
    }
}

#[tokio::test]
async fn an_error_of_the_server_is_escaped_and_shortened() {
    let text = format!("\\u001b[31mred\\r\\n{}", "x".repeat(100_000));
    let body = format!(r#"{{"error":{{"code":400,"err_code":1,"description":"{text}"}}}}"#);
    let answers = vec![
        ("s.a", Reply::text(&body)),
        ("STREAM.NAMES", Reply::text(&body)),
    ];
    let fake = Fake::start(Script {
        answers,
        ..Script::default()
    })
    .await;
    let nats = within(Nats::connect(Nats::options(&fake.url)))
        .await
        .unwrap();
    let error = within(publish(&nats, draft("s.a"))).await.unwrap_err();
    assert_shown_well(&error);
}

/// Asserts that nothing of an error or of its sources acts on a terminal or fills a log.
pub(super) fn assert_shown_well(error: &(dyn std::error::Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
            assert!(
                text.len() < 10_000,
                "{} bytes: {}",
                text.len(),
                &text[..200]
            );
        }
        next = error.source();
    }
}

#[tokio::test]
async fn no_answer_ends_with_the_ack_timeout() {
    let answers = vec![("s.a", Reply::Nothing)];
    let fake = Fake::start(Script {
        answers,
        ..Script::default()
    })
    .await;
    let options = Nats::options(&fake.url).ack_timeout(Duration::from_millis(300));
    let nats = within(Nats::connect(options)).await.unwrap();
    let begun = Instant::now();
    let error = within(publish(&nats, draft("s.a").id("1")))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_connection_that_ends_at_each_publish_is_tried_with_growing_pauses() {
    let answers = vec![("s.a", Reply::HangUp)];
    let fake = Fake::start(Script {
        answers,
        ..Script::default()
    })
    .await;
    let options = Nats::options(&fake.url).ack_timeout(Duration::from_secs(3));
    let nats = within(Nats::connect(options)).await.unwrap();
    let error = within(publish(&nats, draft("s.a").id("1")))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    // It is sent again after each reconnect; the pauses double.
    let (connections, requests) = (fake.connections(), fake.requests("s.a"));
    assert!((2..=12).contains(&requests), "sent {requests} times");
    assert!(connections <= 16, "{connections} connections");
}

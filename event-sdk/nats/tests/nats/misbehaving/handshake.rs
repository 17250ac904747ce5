//! Connections that cannot be made, or die at once.

use std::time::{Duration, Instant};

use event_sdk::transport::ErrorKind;
use event_sdk::transport::nats::{ConnectionState, Nats};
use serde_json::json;

use super::confirmations::assert_shown_well;
use super::fake::{Fake, Script, info};
use crate::support::{draft, eventually, publish, within};

/// What is said instead of INFO.
fn infos() -> Vec<(&'static str, Vec<u8>)> {
    let line = |text: &str| format!("INFO {text}\r\n").into_bytes();
    let with = |key: &str, value: serde_json::Value| {
        let mut info = info();
        info[key] = value;
        line(&info.to_string())
    };
    vec![
        ("no JSON", line("hello")),
        ("an empty object", line("{}")),
        ("half of the JSON", line(r#"{"server_id":"FA"#)),
        ("a list", line("[]")),
        (
            "bytes that are not UTF-8",
            b"INFO {\"server_id\":\"\xff\xfe\"}\r\n".to_vec(),
        ),
        ("a port that is none", with("port", json!(99_999_999))),
        ("a version that is none", with("version", json!(3))),
        ("an old version", with("version", json!("2.1.0"))),
        (
            "an announced server that is none",
            with("connect_urls", json!(["::::"])),
        ),
        ("a limit that is none", with("max_payload", json!("much"))),
        (
            "another protocol",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        ),
        ("control characters", b"\x1b[31mred\r\n".to_vec()),
        ("PING", b"PING\r\n".to_vec()),
        ("an error", b"-ERR '\x1b[31mGo away'\r\n".to_vec()),
        ("a message", b"MSG a 1 5\r\nhello\r\n".to_vec()),
        ("nothing but line ends", b"\r\n\r\n\r\n".to_vec()),
    ]
}

#[tokio::test]
async fn what_is_no_greeting_is_an_error() {
    for (what, info) in infos() {
        let script = Script {
            info: Some(info),
            ..Script::default()
        };
        let fake = Fake::start(script).await;
        let options = Nats::options(&fake.url).connect_timeout(Duration::from_millis(500));
        let begun = Instant::now();
        let Err(error) = within(Nats::connect(options)).await else {
            // async-nats takes what it can read of INFO.
            assert!(
                ["a limit that is none"]
                    .iter()
                    .all(|refused| *refused != what),
                "{what}"
            );
            continue;
        };
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Disconnected | ErrorKind::Timeout | ErrorKind::Unsupported(_)
            ),
            "{what}: {error:?}"
        );
        assert_shown_well(&error);
        assert!(
            fake.connections() <= 6,
            "{what}: {} connections",
            fake.connections()
        );
    }
}

#[tokio::test]
async fn what_is_no_answer_to_the_credentials_is_an_error() {
    for (what, instead) in [
        ("nothing", &b""[..]),
        ("an unknown error", b"-ERR 'Go \x1b[31maway'\r\n"),
        ("an error without text", b"-ERR \r\n"),
        (
            "an error with a long text",
            &[b"-ERR '", &*vec![b'x'; 200_000], b"'\r\n"].concat(),
        ),
        ("an error that is not UTF-8", b"-ERR '\xff'\r\n"),
        ("another protocol", b"220 smtp ready\r\n"),
        ("a limit", b"-ERR 'maximum connections exceeded'\r\n"),
    ] {
        let script = Script {
            instead_of_pong: Some(instead.to_vec()),
            ..Script::default()
        };
        let fake = Fake::start(script).await;
        let error = within(Nats::connect(Nats::options(&fake.url)))
            .await
            .expect_err(what);
        assert_eq!(*error.kind(), ErrorKind::Disconnected, "{what}: {error}");
        assert_shown_well(&error);
        assert!(
            fake.connections() <= 6,
            "{what}: {} connections",
            fake.connections()
        );
    }
}

#[tokio::test]
async fn connections_that_die_at_once_are_made_with_growing_pauses() {
    let fake = Fake::start(Script {
        dies_at_once: true,
        ..Script::default()
    })
    .await;
    let begun = Instant::now();
    // The first connection may be made before it dies, or not.
    let nats = within(Nats::connect(Nats::options(&fake.url))).await;
    // Some are made without a pause: where a server refuses, and before it is known that they die.
    eventually("twelve connections", async || {
        (fake.connections() >= 12).then_some(())
    })
    .await;
    // At least 50, 100, 200 and 400 ms lie between the last ones.
    let elapsed = begun.elapsed();
    assert!(
        elapsed >= Duration::from_millis(500),
        "twelve connections in {elapsed:?}"
    );
    if let Ok(nats) = &nats {
        assert_ne!(nats.connection().current(), ConnectionState::Closed);
    }
}

#[tokio::test]
async fn what_cannot_be_read_later_ends_in_an_error_or_a_reconnect() {
    for (what, raw) in [
        ("an unknown operation", &b"\x1b[31mHELLO\r\n"[..]),
        ("a message without a size", b"MSG a 1\r\n"),
        ("a message with a negative size", b"MSG a 1 -1\r\n"),
        ("a message that is not UTF-8", b"MSG \xff 1 0\r\n\r\n"),
        ("more headers than bytes", b"HMSG a 1 20 10\r\n"),
        ("headers without a version", b"HMSG a 1 4 4\r\nA: b\r\n"),
        (
            "a status that is none",
            b"HMSG a 1 16 16\r\nNATS/1.0 xx\r\n\r\n\r\n",
        ),
        ("another INFO that is none", b"INFO {\r\n"),
        ("an error that is not UTF-8", b"-ERR '\xff'\r\n"),
        (
            "a message of all sizes",
            b"MSG a 1 18446744073709551615\r\n",
        ),
        (
            "headers of all sizes",
            b"HMSG a 1 18446744073709551615 18446744073709551615\r\n",
        ),
    ] {
        let script = Script {
            after_subscribing: Some(raw.to_vec()),
            ..Script::default()
        };
        let fake = Fake::start(script).await;
        let options = Nats::options(&fake.url).ack_timeout(Duration::from_secs(1));
        let Ok(nats) = within(Nats::connect(options)).await else {
            continue;
        };
        // async-nats panics at some of them, and its task is gone.
        let begun = Instant::now();
        let published = within(publish(&nats, draft("s.a").id("1"))).await;
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        if let Err(error) = published {
            assert_shown_well(&error);
            let kinds = [
                ErrorKind::Timeout,
                ErrorKind::Disconnected,
                ErrorKind::Closed,
            ];
            assert!(kinds.contains(error.kind()), "{what}: {error}");
        }
        if what.ends_with("of all sizes") {
            let mut watch = nats.connection();
            within(async {
                while watch.current() != ConnectionState::Closed {
                    watch.changed().await;
                }
            })
            .await;
            let error = within(publish(&nats, draft("s.a"))).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Closed, "{what}: {error}");
            assert!(
                error.to_string().contains("task of the NATS client"),
                "{what}: {error}"
            );
        }
        assert!(
            fake.connections() <= 16,
            "{what}: {} connections",
            fake.connections()
        );
    }
}

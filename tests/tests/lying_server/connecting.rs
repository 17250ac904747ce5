//! Violations while connecting, and of the connection itself.

use std::time::Duration;

use crate::row::{Client, Row, always, first};
use crate::server::{Ask, INFO, Step};

/// A greeting instead of `INFO`.
fn greets(bytes: impl Into<Vec<u8>>) -> impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync {
    let bytes = bytes.into();
    always("ACCEPT", move |_| vec![Step::Raw(bytes.clone())])
}

/// `INFO` with another text in it.
fn informs(from: &str, to: &str) -> impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync + use<> {
    assert!(INFO.contains(from));
    greets(format!("INFO {}\r\n", INFO.replace(from, to)))
}

/// Bytes after the answer to each ping, which a client sends when it connects.
fn adds(bytes: impl Into<Vec<u8>>) -> impl Fn(&Ask) -> Option<Vec<Step>> + Send + Sync {
    let bytes = bytes.into();
    first("PING", move |_| vec![Step::Good, Step::Raw(bytes.clone())])
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = greetings();
    rows.extend(later());
    rows
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn greetings() -> Vec<Row> {
    use Client::Connect;
    let many_urls = (0..1000).map(|n| format!(r#""10.0.{}.{}:1""#, n / 250, n % 250));
    let many_urls = many_urls.collect::<Vec<_>>().join(",");
    vec![
        Row::new(
            "closes at once",
            Connect,
            always("ACCEPT", |_| vec![Step::Close]),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "says nothing",
            Connect,
            always("ACCEPT", |_| Vec::new()),
            &["Timeout"],
        ),
        Row::new(
            "greets as another protocol",
            Connect,
            greets("HTTP/1.1 400 Bad Request\r\n\r\n"),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "INFO is no JSON",
            Connect,
            greets("INFO {server_id\r\n"),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "INFO is an array",
            Connect,
            greets("INFO []\r\n"),
            &["TooLarge"],
        )
        .connections(6),
        Row::new(
            "INFO is empty",
            Connect,
            greets("INFO \r\n"),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "INFO has fields of wrong kinds",
            Connect,
            informs(r#""port":4222"#, r#""port":"x""#),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "INFO is not UTF-8",
            Connect,
            greets(b"INFO {\"server_id\":\"\xff\xfe\"}\r\n".to_vec()),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "INFO has no end",
            Connect,
            greets(vec![b'I'; 1 << 20]),
            &["Timeout"],
        ),
        Row::new(
            "the version is no number",
            Connect,
            informs("2.11.0", "banana"),
            &["ok 4"],
        ),
        Row::new(
            "the version is too old",
            Connect,
            informs("2.11.0", "2.9.0"),
            &["Unsupported"],
        ),
        Row::new(
            "max_payload is negative",
            Connect,
            informs("1048576", "-1"),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "max_payload is zero",
            Connect,
            informs("1048576", "0"),
            &["TooLarge"],
        ),
        Row::new(
            "max_payload is beyond all bounds",
            Connect,
            informs("1048576", "18446744073709551615"),
            &["ok 4"],
        ),
        Row::new(
            "demands TLS and has none",
            Connect,
            informs(r#""proto":1"#, r#""tls_required":true"#),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "demands credentials and takes none",
            Connect,
            informs(r#""proto":1"#, r#""auth_required":true,"nonce":"x""#),
            &["ok 4"],
        ),
        Row::new(
            "announces servers that are none",
            Connect,
            informs(
                r#""proto":1"#,
                r#""connect_urls":["::::","a b","","[","\u0000","nats://u:p@x"]"#,
            ),
            &["Disconnected"],
        ),
        Row::new(
            "announces a thousand servers",
            Connect,
            informs(r#""proto":1"#, &format!(r#""connect_urls":[{many_urls}]"#)),
            &["ok 4"],
        ),
        Row::new(
            "has neither JetStream nor headers",
            Connect,
            informs(r#""headers":true"#, r#""headers":false"#),
            &["ok 4"],
        ),
        Row::new(
            "refuses after CONNECT",
            Connect,
            always("CONNECT", |_| {
                vec![
                    Step::Raw(b"-ERR 'Authorization Violation'\r\n".to_vec()),
                    Step::Close,
                ]
            }),
            &["Unauthenticated"],
        )
        .connections(6),
        Row::new(
            "closes after CONNECT",
            Connect,
            always("CONNECT", |_| vec![Step::Close]),
            &["Disconnected"],
        )
        .connections(7),
        Row::new(
            "never answers the first ping",
            Connect,
            always("PING", |_| Vec::new()),
            &["Timeout"],
        ),
        Row::new(
            "an error without an end",
            Connect,
            always("CONNECT", |_| {
                vec![Step::Raw(b"-ERR 'Auth".to_vec()), Step::Close]
            }),
            &["Disconnected"],
        )
        .connections(7),
        Row::new(
            "an error with control characters",
            Connect,
            always("CONNECT", |_| {
                vec![
                    Step::Raw(b"-ERR '\x1b[31mAuthorization Violation\x07'\r\n".to_vec()),
                    Step::Close,
                ]
            }),
            &["Unauthenticated"],
        )
        .connections(7),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn later() -> Vec<Row> {
    use Client::{Publish, Receive};
    vec![
        Row::new(
            "ten thousand unasked PONGs",
            Publish(2),
            adds("PONG\r\n".repeat(10_000)),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "ten thousand PINGs",
            Publish(2),
            adds("PING\r\n".repeat(10_000)),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "ten thousand times +OK",
            Publish(2),
            adds("+OK\r\n".repeat(10_000)),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "ten thousand INFOs",
            Publish(2),
            adds(format!("INFO {INFO}\r\n").repeat(10_000)),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "a later INFO is no JSON",
            Publish(2),
            adds("INFO {\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "a later INFO says lame duck",
            Publish(2),
            adds(format!(
                "INFO {}\r\n",
                INFO.replace(r#""proto":1"#, r#""ldm":true"#)
            )),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "a later INFO has a payload limit of zero",
            Publish(2),
            adds(format!("INFO {}\r\n", INFO.replace("1048576", "0"))),
            &["ok 5"],
        ),
        Row::new(
            "an unknown verb",
            Publish(2),
            adds("FLY me 0\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "binary garbage",
            Publish(2),
            adds((0..=255).collect::<Vec<u8>>()),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "a megabyte without a line end",
            Publish(2),
            adds(vec![b'x'; 1 << 20]),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "a message of no subscription",
            Publish(2),
            adds("MSG a.b 999999 2\r\nok\r\n"),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "a message with a negative size",
            Publish(2),
            adds("MSG a.b 1 -5\r\n\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "a message with a size beyond all bounds",
            Publish(2),
            adds("MSG a.b 1 99999999999999999999\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "a message line without words",
            Publish(2),
            adds("MSG\r\nMSG \r\nHMSG\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "headers longer than the message",
            Publish(2),
            adds("HMSG a.b 1 20 10\r\nNATS/1.0\r\n\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "a header length of zero",
            Publish(2),
            adds("HMSG a.b 1 0 2\r\nok\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "a body longer than it says",
            Publish(2),
            adds("MSG a.b 1 2\r\nokokokok\r\n"),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "denies what nobody does",
            Publish(2),
            adds("-ERR 'Permissions Violation for Publish to \"other\"'\r\n"),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "a hundred errors of unknown words",
            Publish(2),
            adds("-ERR 'Something Odd'\r\n".repeat(100)),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "never answers a later ping",
            Publish(1),
            |ask: &Ask| match (ask.call.as_str(), ask.nth) {
                ("PING", 2..) => Some(Vec::new()),
                ("PUBLISH", 1) => Some(vec![Step::Wait(Duration::from_secs(4)), Step::Good]),
                _ => None,
            },
            &["Timeout"],
        )
        .options(|options| options.ping_interval(Duration::from_millis(200)))
        .connections(8),
        Row::new(
            "connections end as soon as they are made",
            Client::Listen(Duration::from_secs(6)),
            |ask: &Ask| (ask.call == "SUB" && ask.nth > 1).then(|| vec![Step::CloseAll]),
            &["Disconnected"],
        )
        .connections(30)
        .within(8),
        Row::new(
            "dies with a message half sent",
            Receive(3),
            first("CONSUMER.MSG.NEXT", |ask| {
                vec![
                    Step::Frame(
                        ask.reply.clone(),
                        b"MSG events.orders.order.placed \0 500\r\n{\"event_id\"".to_vec(),
                    ),
                    Step::CloseAll,
                ]
            }),
            &["event 1", "event 2", "event 3"],
        )
        .connections(4),
    ]
}

//! Violations in the answers to publishes.

use std::time::Duration;

use crate::row::{Client, Row, always, answers, answers_first, first};
use crate::server::{Ask, Message, Step};

const PUBLISH: &str = "PUBLISH";

/// An ack of the fake stream.
fn ack(sequence: u64) -> String {
    format!(r#"{{"stream":"FAKE","seq":{sequence}}}"#)
}

fn send(ask: &Ask, body: impl Into<Vec<u8>>) -> Step {
    Step::Send(Message::new(&ask.reply, body))
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = unreadable();
    rows.extend(order());
    rows
}

/// Acks that confirm nothing. The next publish is confirmed as ever.
fn unreadable() -> Vec<Row> {
    let texts: [(&str, &str); 16] = [
        ("an ack that is empty", ""),
        ("an ack that is no JSON", "+OK"),
        ("an ack that is cut off", r#"{"stream":"FAKE","se"#),
        ("an ack that is an array", "[1]"),
        ("an ack that is an empty object", "{}"),
        ("an ack without a sequence", r#"{"stream":"FAKE"}"#),
        ("an ack with sequence zero", r#"{"stream":"FAKE","seq":0}"#),
        (
            "an ack with sequence zero in other words",
            r#"{"seq":0,"stream":"FAKE"}"#,
        ),
        (
            "an ack with a negative sequence",
            r#"{"stream":"FAKE","seq":-4}"#,
        ),
        (
            "an ack whose sequence is a text",
            r#"{"stream":"FAKE","seq":"4"}"#,
        ),
        (
            "an ack with a sequence beyond 64 bits",
            r#"{"stream":"FAKE","seq":99999999999999999999}"#,
        ),
        ("an ack without a stream", r#"{"seq":4}"#),
        ("an ack with an empty stream", r#"{"stream":"","seq":4}"#),
        ("an ack whose stream is a number", r#"{"stream":7,"seq":4}"#),
        ("an ack whose error is a text", r#"{"error":"no"}"#),
        (
            "an ack with stream and an error in words",
            r#"{"stream":"FAKE","seq":4,"error":"no"}"#,
        ),
    ];
    let rows = texts.map(|(name, text)| {
        Row::new(
            name,
            Client::Publish(2),
            answers_first(PUBLISH, text),
            &["Other", "ok 4"],
        )
    });
    let mut rows: Vec<_> = rows.into();
    rows.extend([
        Row::new("an ack with an error without a code", Client::Publish(2), answers_first(PUBLISH, r#"{"error":{}}"#), &["Other", "ok 4"]),
        Row::new("an ack with an error of an unknown code", Client::Publish(2), answers_first(PUBLISH, r#"{"error":{"code":-1,"err_code":999999,"description":"\u001b[31mred"}}"#), &["Other", "ok 4"]),
        Row::new("an ack of eight megabytes", Client::Publish(2), answers_first(PUBLISH, "x".repeat(8 << 20)), &["Other", "ok 4"]),
        Row::new("an ack nested a hundred thousand times", Client::Publish(2), answers_first(PUBLISH, "[".repeat(100_000)), &["Other", "ok 4"]),
        Row::new("an ack that is not UTF-8", Client::Publish(2), first(PUBLISH, |ask| vec![send(ask, b"{\"stream\":\"\xff\",\"seq\":4}".to_vec())]), &["Other", "ok 4"]),
        Row::new("says that another publishes for ever", Client::Publish(1), answers(PUBLISH, r#"{"error":{"code":409,"err_code":10158,"description":"duplicate message id is in process"}}"#), &["Timeout"]),
        Row::new("says there is no responder, and there is", Client::Publish(1), always(PUBLISH, |ask| vec![Step::Send(Message::status(&ask.reply, "503", ""))]), &["Timeout"]),
    ]);
    rows
}

/// Late, doubled, lost and strange answers.
#[expect(clippy::too_many_lines, reason = "a table")]
fn order() -> Vec<Row> {
    use Client::Publish;
    vec![
        Row::new(
            "no ack ever",
            Publish(2),
            first(PUBLISH, |_| Vec::new()),
            &["Timeout", "ok 4"],
        ),
        Row::new(
            "an ack that is late",
            Publish(2),
            |ask: &Ask| match (ask.call.as_str(), ask.nth) {
                // It comes while the second one is awaited.
                (PUBLISH, 1) => Some(vec![
                    Step::Wait(Duration::from_millis(2600)),
                    send(ask, ack(77)),
                ]),
                (PUBLISH, _) => Some(vec![Step::Wait(Duration::from_millis(1200)), Step::Good]),
                _ => None,
            },
            &["Timeout", "ok 4"],
        ),
        Row::new(
            "acks that are doubled",
            Publish(3),
            always(PUBLISH, |ask| vec![send(ask, ack(9)), send(ask, ack(8))]),
            &["ok 9", "ok 9", "ok 9"],
        ),
        Row::new(
            "a thousand acks of nothing",
            Publish(2),
            first(PUBLISH, |ask| {
                let other = |n| Step::Send(Message::new(format!("{}zz-{n}", ask.reply), ack(66)));
                (0..1000).map(other).chain([Step::Good]).collect()
            }),
            &["ok 4", "ok 5"],
        ),
        Row::new(
            "an ack with a reply subject",
            Publish(2),
            first(PUBLISH, |ask| {
                vec![Step::Send(Message {
                    reply: Some("x".to_owned()),
                    ..Message::new(&ask.reply, ack(4))
                })]
            }),
            &["ok 4", "ok 4"],
        ),
        Row::new(
            "a status before the ack",
            Publish(2),
            first(PUBLISH, |ask| {
                vec![
                    Step::Send(Message::status(&ask.reply, "100 Idle Heartbeat", "")),
                    Step::Good,
                ]
            }),
            &["Other", "ok 5"],
        ),
        Row::new(
            "a status that is no number before the ack",
            Publish(2),
            first(PUBLISH, |ask| {
                vec![
                    Step::Send(Message::status(&ask.reply, "banana", "")),
                    Step::Good,
                ]
            }),
            &["ok 5", "ok 6"],
        )
        .connections(3),
        Row::new(
            "an ack with unreadable headers",
            Publish(2),
            first(PUBLISH, |ask| {
                vec![Step::Send(Message {
                    headers: Some(b"NATS/1.0\r\nA: \xff\xfe\r\n\r\n".to_vec()),
                    ..Message::new(&ask.reply, ack(4))
                })]
            }),
            &["ok 4", "ok 5"],
        )
        .connections(3),
        Row::new(
            "denies the publish beside the answer",
            Publish(2),
            first(PUBLISH, |_| {
                vec![Step::Raw(b"-ERR 'Permissions Violation for Publish to \"events.orders.order.placed\"'\r\n".to_vec())]
            }),
            &["PermissionDenied", "ok 4"],
        ),
        Row::new(
            "calls the payload too large and closes",
            Publish(2),
            first(PUBLISH, |_| {
                vec![
                    Step::Raw(b"-ERR 'Maximum Payload Violation'\r\n".to_vec()),
                    Step::CloseAll,
                ]
            }),
            &["ok 4", "ok 5"],
        )
        .connections(3),
        Row::new(
            "dies before the ack",
            Publish(2),
            first(PUBLISH, |_| vec![Step::CloseAll]),
            &["ok 4", "ok 5"],
        )
        .connections(3),
        Row::new(
            "dies before each ack",
            Publish(1),
            always(PUBLISH, |_| vec![Step::CloseAll]),
            &["Timeout"],
        )
        .connections(12),
        Row::new(
            "never answers a flush while draining",
            Client::Drain,
            |ask: &Ask| (ask.call == "PING" && ask.nth > 1).then(Vec::new),
            &["ok 4"],
        ),
        Row::new(
            "dies while draining",
            Client::Drain,
            |ask: &Ask| match (ask.call.as_str(), ask.nth) {
                ("PING", 2..) | ("UNSUB", _) => Some(vec![Step::CloseAll]),
                _ => None,
            },
            &["ok 4"],
        )
        .connections(4),
    ]
}

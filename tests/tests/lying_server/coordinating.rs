//! Violations in the answers to reads and writes of a bucket.

use crate::row::{Client, Row, always, answers, first};
use crate::server::{Ask, Message, Step};

/// The call of a write: its subject is none of the fake stream.
const WRITE: &str = "OTHER";
const GET: &str = "DIRECT.GET";
const LEADER: &str = "STREAM.MSG.GET";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = writes();
    rows.extend(raced());
    rows.extend(reads());
    rows
}

fn send(ask: &Ask, body: impl Into<Vec<u8>>) -> Step {
    Step::Send(Message::new(&ask.reply, body))
}

/// Answers that confirm nothing: the write may have been done.
fn writes() -> Vec<Row> {
    let texts = [
        ("a write is answered with nothing", ""),
        ("a write is answered with no JSON", "+OK"),
        ("a write is answered with an empty object", "{}"),
        ("a write is confirmed without a stream", r#"{"seq":4}"#),
        (
            "a write is confirmed by another stream",
            r#"{"stream":"FAKE","seq":4}"#,
        ),
        (
            "a write is confirmed with sequence zero",
            r#"{"stream":"KV_EVENT_SDK","seq":0}"#,
        ),
        (
            "a write is confirmed with a negative sequence",
            r#"{"stream":"KV_EVENT_SDK","seq":-4}"#,
        ),
        (
            "a write is refused in words",
            r#"{"stream":"KV_EVENT_SDK","seq":4,"error":"no"}"#,
        ),
    ];
    let rows = texts.map(|(name, text)| {
        Row::new(
            name,
            Client::Put,
            answers(WRITE, text),
            &["Unknown", "Other"],
        )
    });
    let mut rows = Vec::from(rows);
    rows.push(Row::new(
        "no answer to a write",
        Client::Put,
        always(WRITE, |_| Vec::new()),
        &["Unknown", "Timeout"],
    ));
    rows.push(Row::new(
        "the first write is not answered",
        Client::Put,
        |ask: &Ask| {
            let confirmed = r#"{"stream":"KV_EVENT_SDK","seq":4,"duplicate":true}"#;
            (ask.call == WRITE).then(|| match ask.nth {
                1 => vec![Step::Close],
                _ => vec![send(ask, confirmed)],
            })
        },
        &["revision 4"],
    ));
    rows
}

/// The answer of the leader to a read of the last message.
fn last(subject: &str, sequence: &str, headers: &str) -> String {
    format!(
        r#"{{"message":{{"subject":"{subject}","seq":{sequence},"time":"2025-11-06T12:00:00Z","hdrs":"{headers}","data":"dg=="}}}}"#
    )
}

const SUBJECT: &str = "$KV.EVENT_SDK.k";

/// A wrong last sequence, and what the leader has then.
fn raced() -> Vec<Row> {
    let wrong = |description: &str, code: u64| {
        format!(r#"{{"error":{{"code":400,"err_code":{code},"description":"{description}"}}}}"#)
    };
    let both = |refusal: String, last: String| {
        move |ask: &Ask| match ask.call.as_str() {
            WRITE => Some(vec![send(ask, refusal.as_str())]),
            LEADER => Some(vec![send(ask, last.as_str())]),
            _ => None,
        }
    };
    let found = |headers: &str| last(SUBJECT, "7", headers);
    // NATS/1.0, KV-Operation: DEL
    let marker = "TkFUUy8xLjANCktWLU9wZXJhdGlvbjogREVMDQoNCg==";
    vec![
        Row::new(
            "a wrong sequence that is a word",
            Client::Put,
            answers(WRITE, wrong("wrong last sequence: seven", 10071)),
            &["NotDone", "WrongRevision"],
        ),
        Row::new(
            "a sequence that is never known",
            Client::Put,
            answers(WRITE, wrong("wrong last sequence", 10164)),
            &["NotDone", "WrongRevision"],
        ),
        Row::new(
            "a wrong sequence, and an entry",
            Client::PutAbsent,
            both(wrong("wrong last sequence: 7", 10071), found("")),
            &["NotDone", "WrongRevision"],
        ),
        Row::new(
            "a wrong sequence, and a marker, for ever",
            Client::PutAbsent,
            both(wrong("wrong last sequence: 7", 10071), found(marker)),
            &["NotDone", "WrongRevision"],
        ),
        Row::new(
            "a wrong sequence, and an answer that cannot be read",
            Client::PutAbsent,
            both(wrong("wrong last sequence: 7", 10071), found("%%%")),
            &["NotDone", "Other"],
        ),
        Row::new(
            "a refusal of an unknown kind",
            Client::Put,
            answers(WRITE, wrong("something new", 99_999)),
            &["NotDone", "Other"],
        ),
    ]
}

/// An entry as an answer to a direct get, with the sequence before it in a batch.
fn stored(ask: &Ask, subject: &str, sequence: &str, before: &str) -> Step {
    let headers = format!(
        "NATS/1.0\r\nNats-Stream: KV_EVENT_SDK\r\nNats-Subject: {subject}\r\nNats-Sequence: {sequence}\r\nNats-Time-Stamp: 2025-11-06T12:00:00Z\r\nNats-Num-Pending: 0\r\nNats-Last-Sequence: {before}\r\n\r\n"
    );
    Step::Send(Message {
        headers: Some(headers.into_bytes()),
        ..Message::new(&ask.reply, "v")
    })
}

fn reads() -> Vec<Row> {
    let get = |name, subject: &'static str, sequence: &'static str, comes| {
        let answer = always(GET, move |ask: &Ask| {
            vec![stored(ask, subject, sequence, "0")]
        });
        Row::new(name, Client::Get, answer, comes)
    };
    let end = |ask: &Ask| {
        let lines = "Nats-Num-Pending: 0\r\nNats-Last-Sequence: 3\r\n";
        Step::Send(Message::status(&ask.reply, "204 EOB", lines))
    };
    vec![
        get("an entry", SUBJECT, "7", &["k at 7", "end"]),
        get(
            "an entry of another key",
            "$KV.EVENT_SDK.l",
            "7",
            &["Other"],
        ),
        get("an entry of revision zero", SUBJECT, "0", &["Other"]),
        get(
            "an entry whose revision is a word",
            SUBJECT,
            "x",
            &["Other"],
        ),
        Row::new(
            "no answer to a get",
            Client::Get,
            always(GET, |_| Vec::new()),
            &["Timeout"],
        ),
        Row::new(
            "no copy answers, and the leader has another key",
            Client::Get,
            |ask: &Ask| match ask.call.as_str() {
                GET => {
                    let none = Message::status(&ask.reply, "503 No Responders", "");
                    Some(vec![Step::Send(none)])
                }
                LEADER => Some(vec![send(ask, last("$KV.EVENT_SDK.l", "7", ""))]),
                _ => None,
            },
            &["Other"],
        ),
        Row::new(
            "entries of keys that are none",
            Client::List,
            move |ask: &Ask| match (ask.call.as_str(), ask.nth) {
                (GET, _) => Some(vec![
                    stored(ask, "$KV.EVENT_SDK.a..b", "1", "0"),
                    stored(ask, "$KV.OTHER.k", "2", "1"),
                    stored(ask, SUBJECT, "3", "2"),
                    end(ask),
                ]),
                (LEADER, 1) => Some(vec![send(ask, last(SUBJECT, "3", ""))]),
                (LEADER, _) => Some(vec![send(
                    ask,
                    r#"{"error":{"code":404,"err_code":10037,"description":"no message found"}}"#,
                )]),
                _ => None,
            },
            &["k at 3", "end"],
        ),
        Row::new(
            "the same entry for ever",
            Client::List,
            |ask: &Ask| match ask.call.as_str() {
                GET => Some(vec![
                    stored(ask, SUBJECT, "1", "0"),
                    stored(ask, SUBJECT, "1", "0"),
                ]),
                LEADER => Some(vec![send(ask, last(SUBJECT, "1", ""))]),
                _ => None,
            },
            &["Disconnected"],
        ),
        Row::new(
            "a bucket that is not there",
            Client::List,
            first(LEADER, |ask| {
                vec![send(
                    ask,
                    r#"{"error":{"code":404,"err_code":10059,"description":"stream not found"}}"#,
                )]
            }),
            &["BucketNotFound"],
        ),
    ]
}

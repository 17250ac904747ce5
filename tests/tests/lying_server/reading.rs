//! Violations in the answers to reads of stored messages.

use std::time::Duration;

use event_sdk_tests::raw::envelope;

use crate::row::{Client, Row, always, answers, first};
use crate::server::{Ask, INFO, Message, Step, stream_info};

const GET: &str = "DIRECT.GET";

fn status(ask: &Ask, status: &str, lines: &str) -> Step {
    Step::Send(Message::status(&ask.reply, status, lines))
}

/// A stored event as an answer, with the headers that such an answer has.
fn stored(ask: &Ask, subject: &str, sequence: &str, time: &str, before: &str) -> Step {
    let headers = format!(
        "NATS/1.0\r\nNats-Stream: FAKE\r\nNats-Subject: {subject}\r\nNats-Sequence: {sequence}\r\nNats-Time-Stamp: {time}\r\nNats-Num-Pending: 7\r\nNats-Last-Sequence: {before}\r\n\r\n"
    );
    let id = sequence.parse().unwrap_or(0_u64);
    let data = format!(r#"{{"id":{id},"item":"x"}}"#);
    Step::Send(Message {
        headers: Some(headers.into_bytes()),
        ..Message::new(&ask.reply, envelope("order.placed", "1.0", &data))
    })
}

const SUBJECT: &str = "events.orders.order.placed";
const TIME: &str = "2025-11-06T12:00:00Z";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = direct();
    rows.extend(singly());
    rows.extend(leader());
    rows
}

/// From any copy, in batches.
#[expect(clippy::too_many_lines, reason = "a table")]
fn direct() -> Vec<Row> {
    let one = |subject: &'static str, sequence: &'static str, time: &'static str| {
        always(GET, move |ask: &Ask| {
            let end = format!("Nats-Num-Pending: 0\r\nNats-Last-Sequence: {sequence}\r\n");
            vec![
                stored(ask, subject, sequence, time, "0"),
                status(ask, "204 EOB", &end),
            ]
        })
    };
    let history = Client::History(20);
    vec![
        Row::new(
            "no answer to a read",
            history,
            always(GET, |_| Vec::new()),
            &["Timeout"],
        ),
        Row::new(
            "a read that is not understood",
            history,
            always(GET, |ask| vec![status(ask, "408 Bad Request", "")]),
            &["Other"],
        ),
        Row::new(
            "a read with a status of an unknown number",
            history,
            always(GET, |ask| vec![status(ask, "999 Whatever", "")]),
            &["Other"],
        ),
        Row::new(
            "stored messages without an end",
            history,
            always(GET, |ask| vec![stored(ask, SUBJECT, "1", TIME, "0")]),
            &["Timeout"],
        ),
        Row::new(
            "a stored message without headers",
            history,
            always(GET, |ask| vec![Step::Send(Message::new(&ask.reply, "{}"))]),
            &["Other"],
        ),
        Row::new(
            "a stored message whose sequence is a word",
            history,
            one(SUBJECT, "one", TIME),
            &["Other"],
        ),
        Row::new(
            "a stored message at no time",
            history,
            one(SUBJECT, "1", "yesterday"),
            &["Other"],
        ),
        Row::new(
            "a stored message whose subject is none",
            history,
            first(GET, |ask: &Ask| {
                let end = "Nats-Num-Pending: 2\r\nNats-Last-Sequence: 1\r\n";
                vec![
                    stored(ask, "a..b", "1", TIME, "0"),
                    status(ask, "204 EOB", end),
                ]
            }),
            &["event 2", "event 3", "end"],
        ),
        Row::new(
            "the same stored message for ever",
            history,
            one(SUBJECT, "1", TIME),
            &["event 1", "Other"],
        ),
        Row::new(
            "a stored message of the highest sequence",
            history,
            one(SUBJECT, "18446744073709551615", TIME),
            &["end"],
        ),
        Row::new(
            "a stored message of sequence zero",
            history,
            one(SUBJECT, "0", TIME),
            &["Other"],
        ),
        Row::new(
            "stored messages that go backwards",
            history,
            always(GET, |ask| {
                let end = "Nats-Num-Pending: 0\r\nNats-Last-Sequence: 1\r\n";
                vec![
                    stored(ask, SUBJECT, "3", TIME, "0"),
                    stored(ask, SUBJECT, "1", TIME, "3"),
                    status(ask, "204 EOB", end),
                ]
            }),
            &["Other"],
        ),
        Row::new(
            "ends of batches without messages, and more to come",
            history,
            always(GET, |ask| {
                vec![status(
                    ask,
                    "204 EOB",
                    "Nats-Num-Pending: 9\r\nNats-Last-Sequence: 0\r\n",
                )]
            }),
            &["event 1", "event 2", "event 3", "end"],
        ),
        Row::new(
            "a batch that has lost its middle",
            history,
            first(GET, |ask| {
                vec![
                    stored(ask, SUBJECT, "1", TIME, "0"),
                    stored(ask, SUBJECT, "3", TIME, "2"),
                ]
            }),
            &["Disconnected"],
        ),
        Row::new(
            "more stored messages than were asked for",
            history,
            always(GET, |ask| {
                let before = |n| if n == 1 { 0 } else { n - 1 };
                let messages = (1..=400_u64)
                    .map(|n| stored(ask, SUBJECT, &n.to_string(), TIME, &before(n).to_string()));
                messages.collect()
            }),
            &["Other"],
        ),
        Row::new(
            "a stream whose last sequence is the highest",
            history,
            move |ask: &Ask| match ask.call.as_str() {
                "STREAM.INFO" => {
                    let mut info = stream_info(3);
                    info["state"]["last_seq"] = u64::MAX.into();
                    let info = info.to_string();
                    Some(vec![Step::Send(Message::new(&ask.reply, info))])
                }
                _ => None,
            },
            &["event 1", "event 2", "event 3", "end"],
        ),
        Row::new(
            "a doubled batch",
            history,
            always(GET, |_| vec![Step::Good, Step::Good]),
            &["event 1", "event 2", "event 3", "end"],
        ),
        Row::new(
            "a late batch",
            history,
            first(GET, |_| {
                vec![Step::Wait(Duration::from_secs(3)), Step::Good]
            }),
            &["Timeout"],
        ),
        Row::new(
            "dies while it is read",
            history,
            first(GET, |_| vec![Step::CloseAll]),
            &["Disconnected"],
        )
        .connections(4),
    ]
}

/// From any copy, one by one, as from servers of 2.10.
fn singly() -> Vec<Row> {
    let history = Client::History(20);
    let old = |script: fn(&Ask) -> Vec<Step>| {
        let info = format!("INFO {}\r\n", INFO.replace("2.11.0", "2.10.25"));
        move |ask: &Ask| match ask.call.as_str() {
            "ACCEPT" => Some(vec![Step::Raw(info.clone().into_bytes())]),
            GET => Some(script(ask)),
            _ => None,
        }
    };
    vec![
        Row::new(
            "single answers",
            history,
            old(|_| vec![Step::Good]),
            &["event 1", "event 2", "event 3", "end"],
        ),
        Row::new(
            "single answers that are doubled",
            history,
            old(|_| vec![Step::Good, Step::Good]),
            &["Other"],
        ),
        Row::new(
            "single answers that are all the first",
            history,
            old(|ask| vec![stored(ask, SUBJECT, "1", TIME, "0")]),
            &["event 1", "Other"],
        ),
        Row::new(
            "single answers without headers",
            history,
            old(|ask| vec![Step::Send(Message::new(&ask.reply, "{}"))]),
            &["Other"],
        ),
        Row::new(
            "single answers with a status of their own",
            history,
            old(|ask| vec![status(ask, "999", "")]),
            &["Other"],
        ),
        Row::new(
            "single answers that do not come",
            history,
            old(|_| Vec::new()),
            &["Timeout"],
        ),
    ]
}

/// From the leader, one by one.
fn leader() -> Vec<Row> {
    let mut info = stream_info(3);
    info["config"]["allow_direct"] = false.into();
    let info = info.to_string();
    let texts = [
        (
            "a leader's message without a subject",
            r#"{"message":{"seq":1,"time":"2025-11-06T12:00:00Z"}}"#,
        ),
        (
            "a leader's message that is not base64",
            r#"{"message":{"subject":"events.orders.order.placed","seq":1,"time":"2025-11-06T12:00:00Z","data":"%%%"}}"#,
        ),
        (
            "a leader's message at no time",
            r#"{"message":{"subject":"events.orders.order.placed","seq":1,"time":"soon"}}"#,
        ),
        ("a leader's message that is null", r#"{"message":null}"#),
        (
            "a leader's message of sequence zero",
            r#"{"message":{"subject":"events.orders.order.placed","seq":0,"time":"2025-11-06T12:00:00Z","data":"e30="}}"#,
        ),
        ("a leader's error that is a text", r#"{"error":"no"}"#),
    ];
    let rows = texts.map(|(name, text)| {
        let info = info.clone();
        let get = answers("STREAM.MSG.GET", text);
        let script = move |ask: &Ask| match ask.call.as_str() {
            "STREAM.INFO" => Some(vec![Step::Send(Message::new(&ask.reply, info.as_str()))]),
            _ => get(ask),
        };
        Row::new(name, Client::History(20), script, &["Other"])
    });
    let mut rows: Vec<_> = rows.into();
    rows.push(Row::new("a leader's message that is always the first", Client::History(20), move |ask: &Ask| {
        let first = r#"{"message":{"subject":"events.orders.order.placed","seq":1,"time":"2025-11-06T12:00:00Z","data":"e30="}}"#;
        match ask.call.as_str() {
            "STREAM.INFO" => Some(vec![Step::Send(Message::new(&ask.reply, info.as_str()))]),
            "STREAM.MSG.GET" => Some(vec![Step::Send(Message::new(&ask.reply, first))]),
            _ => None,
        }
    }, &["Other"]));
    rows
}

//! Violations in the answers to requests for messages, and in deliveries.

use std::time::Duration;

use event_sdk_tests::raw::envelope;

use crate::row::{Client, Row, always, first};
use crate::server::{Ask, Message, Step};

const NEXT: &str = "CONSUMER.MSG.NEXT";

/// A status, as an answer to a request for messages.
fn status(ask: &Ask, status: &str, lines: &str) -> Step {
    Step::Send(Message::status(&ask.reply, status, lines))
}

/// A delivery of an event under its own subject, with this acknowledgement subject.
fn delivery(ask: &Ask, id: u64, reply: &str) -> Step {
    let data = format!(r#"{{"id":{id},"item":"item {id}"}}"#);
    let body = envelope("order.placed", "1.0", &data);
    let reply = if reply.is_empty() {
        String::new()
    } else {
        format!("{reply} ")
    };
    let frame = format!(
        "MSG events.orders.order.placed \0 {reply}{}\r\n{body}\r\n",
        body.len()
    );
    Step::Frame(ask.reply.clone(), frame.into_bytes())
}

fn ack(attempt: &str, sequence: &str, number: &str, time: &str, pending: &str) -> String {
    format!("$JS.ACK.FAKE.reader.{attempt}.{sequence}.{number}.{time}.{pending}")
}

const TIME: &str = "1763697600123456789";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = statuses();
    rows.extend(floods());
    rows.extend(deliveries());
    rows.extend(settling());
    rows
}

/// Statuses that answer the first request. The events come all the same.
fn statuses() -> Vec<Row> {
    const EVENTS: &[&str] = &["event 1", "event 2", "event 3"];
    let texts = [
        (
            "a status of an unknown number",
            "999 Whatever",
            "",
            &["Other"] as &[_],
        ),
        ("a status below a hundred", "007 Bond", "", EVENTS),
        (
            "a conflict of unknown words",
            "409 Something New",
            "",
            EVENTS,
        ),
        ("a conflict without words", "409", "", EVENTS),
        (
            "a limit of zero messages",
            "409 Exceeded MaxRequestBatch of 0",
            "",
            &["Other"],
        ),
        (
            "a limit of a negative number of messages",
            "409 Exceeded MaxRequestBatch of -5",
            "",
            &["Other"],
        ),
        (
            "a limit of more messages than there are numbers",
            "409 Exceeded MaxRequestBatch of 99999999999999999999",
            "",
            &["Other"],
        ),
        (
            "a limit of one message",
            "409 Exceeded MaxRequestBatch of 1",
            "",
            EVENTS,
        ),
        (
            "a longest wait of nonsense",
            "409 Exceeded MaxRequestExpires of soon",
            "",
            &["Other"],
        ),
        (
            "a longest wait of ages",
            "409 Exceeded MaxRequestExpires of 99999999999999999999h",
            "",
            &["Other"],
        ),
        (
            "a limit of one byte",
            "409 Exceeded MaxRequestMaxBytes of 1",
            "",
            EVENTS,
        ),
        (
            "more messages left than were asked for",
            "408 Request Timeout",
            "Nats-Pending-Messages: 4294967295\r\n",
            EVENTS,
        ),
        (
            "a negative number of messages left",
            "408 Request Timeout",
            "Nats-Pending-Messages: -3\r\n",
            EVENTS,
        ),
        (
            "says that the consumer is pushed to",
            "409 Consumer is push based",
            "",
            &["Other"],
        ),
        (
            "says that the consumer was deleted, and it is there",
            "409 Consumer Deleted",
            "",
            EVENTS,
        ),
        (
            "a heartbeat with a body",
            "100 Idle Heartbeat",
            "Nats-Last-Consumer: x\r\nNats-Last-Stream: -1\r\n",
            EVENTS,
        ),
    ];
    let rows = texts.map(|(name, text, lines, comes)| {
        let script = first(NEXT, move |ask: &Ask| {
            let mut steps = vec![status(ask, text, lines)];
            // The others end the request.
            steps.extend(text.starts_with("100").then_some(Step::Good));
            steps
        });
        Row::new(name, Client::Receive(3), script, comes).pulls(14)
    });
    rows.into()
}

/// The same answer at once, again and again.
fn floods() -> Vec<Row> {
    let texts = [
        (
            "each request has ended at once",
            "408 Request Timeout",
            "Nats-Pending-Messages: 10\r\nNats-Pending-Bytes: 0\r\n",
        ),
        (
            "each request has ended at once, and says no more",
            "408 Request Timeout",
            "",
        ),
        ("each request finds nothing", "404 No Messages", ""),
        (
            "each request is a conflict",
            "409 Leadership Change",
            "Nats-Pending-Messages: 10\r\nNats-Pending-Bytes: 0\r\n",
        ),
        (
            "each request is too small for a message",
            "409 Message Size Exceeds MaxBytes",
            "Nats-Pending-Messages: 10\r\nNats-Pending-Bytes: 0\r\n",
        ),
        (
            "each request is one too many",
            "409 Exceeded MaxWaiting",
            "",
        ),
        (
            "each request is answered by a smaller limit",
            "409 Exceeded MaxRequestBatch of 1",
            "",
        ),
        (
            "each request is answered by a shorter wait",
            "409 Exceeded MaxRequestExpires of 1ns",
            "",
        ),
        ("nobody serves requests", "503", ""),
    ];
    let rows = texts.map(|(name, text, lines)| {
        let script = always(NEXT, move |ask: &Ask| vec![status(ask, text, lines)]);
        Row::new(name, Client::Listen(Duration::from_secs(4)), script, &[]).pulls(60)
    });
    let mut rows: Vec<_> = rows.into();
    rows.extend([
        Row::new(
            "no word after requests",
            Client::Listen(Duration::from_secs(26)),
            always(NEXT, |_| Vec::new()),
            &["notice Stalled"],
        )
        .pulls(10)
        .within(28),
        Row::new(
            "ten thousand heartbeats",
            Client::Receive(3),
            always(NEXT, |ask: &Ask| {
                let beats = (0..10_000).map(|_| status(ask, "100 Idle Heartbeat", ""));
                beats.chain([Step::Good]).collect()
            }),
            &["event 3"],
        ),
    ]);
    rows
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn deliveries() -> Vec<Row> {
    use Client::Receive;
    let good = |ask: &Ask| delivery(ask, 9, &ack("1", "9", "9", TIME, "0"));
    // What cannot be read is reported; what comes after it arrives.
    let texts: [(&str, String); 6] = [
        (
            "a delivery that cannot be settled",
            "somewhere.else".to_owned(),
        ),
        (
            "a delivery with too few numbers",
            "$JS.ACK.FAKE.reader.1.1.1".to_owned(),
        ),
        (
            "a delivery with numbers that are none",
            ack("one", "two", "three", TIME, "x"),
        ),
        (
            "a delivery with a negative sequence",
            ack("1", "-1", "1", TIME, "0"),
        ),
        (
            "a delivery with a sequence beyond 64 bits",
            ack("1", "99999999999999999999", "1", TIME, "0"),
        ),
        (
            "a delivery of a time that is none",
            ack("1", "1", "1", "99999999999999999999", "0"),
        ),
    ];
    let rows = texts.map(|(name, reply)| {
        let script = first(NEXT, move |ask: &Ask| {
            vec![delivery(ask, 8, &reply), good(ask)]
        });
        Row::new(name, Receive(1), script, &["notice Unreadable", "event 9"])
    });
    let mut rows: Vec<_> = rows.into();
    let highest = u64::MAX.to_string();
    rows.extend([
        Row::new(
            "deliveries of sequence and attempt zero",
            Receive(3),
            first(NEXT, move |ask: &Ask| {
                vec![
                    delivery(ask, 7, &ack("1", "0", "1", TIME, "0")),
                    delivery(ask, 8, &ack("0", "1", "0", TIME, "0")),
                    good(ask),
                ]
            }),
            &["event 7", "event 8", "event 9"],
        ),
        Row::new(
            "a delivery without a way to settle it",
            Receive(1),
            first(NEXT, move |ask: &Ask| vec![delivery(ask, 8, ""), good(ask)]),
            &["event 9"],
        ),
        Row::new(
            "a delivery with the highest numbers",
            Receive(2),
            first(NEXT, move |ask: &Ask| {
                vec![
                    delivery(ask, 8, &ack(&highest, &highest, &highest, TIME, &highest)),
                    good(ask),
                ]
            }),
            &["event 8", "event 9"],
        ),
        Row::new(
            "sequences that go backwards",
            Receive(3),
            first(NEXT, |ask: &Ask| {
                (1..=3)
                    .map(|n| {
                        delivery(
                            ask,
                            4 - n,
                            &ack("1", &(4 - n).to_string(), &n.to_string(), TIME, "0"),
                        )
                    })
                    .collect()
            }),
            &["event 3", "event 2", "event 1"],
        ),
        Row::new(
            "a delivery that is doubled",
            Receive(2),
            first(NEXT, move |ask: &Ask| {
                vec![
                    delivery(ask, 1, &ack("1", "1", "1", TIME, "0")),
                    delivery(ask, 1, &ack("1", "1", "1", TIME, "0")),
                    good(ask),
                ]
            }),
            &["event 1", "event 9"],
        ),
        Row::new(
            "a thousand times what was asked for",
            Receive(900),
            first(NEXT, |ask: &Ask| {
                (1..=1000)
                    .map(|n| delivery(ask, n, &ack("1", &n.to_string(), &n.to_string(), TIME, "0")))
                    .collect()
            }),
            &["event 900"],
        )
        .pulls(200),
        Row::new(
            "deliveries that nobody asked for",
            Receive(3),
            first(NEXT, |ask: &Ask| {
                let inbox = ask.reply.rsplit_once('.').map_or("", |(inbox, _)| inbox);
                let asked = Ask {
                    reply: format!("{inbox}.unasked"),
                    ..ask.clone()
                };
                (1..=3)
                    .map(|n| {
                        delivery(
                            &asked,
                            n,
                            &ack("1", &n.to_string(), &n.to_string(), TIME, "0"),
                        )
                    })
                    .collect()
            }),
            &["event 1", "event 2", "event 3"],
        ),
        Row::new(
            "an event of another subject",
            Receive(1),
            first(NEXT, move |ask: &Ask| {
                let reply = ack("1", "1", "1", TIME, "0");
                let frame = format!("MSG a.b \0 {reply} 2\r\n{{}}\r\n");
                let frame = Step::Frame(ask.reply.clone(), frame.into_bytes());
                vec![frame, good(ask)]
            }),
            &["decode Malformed", "event 9"],
        ),
        Row::new(
            "a body of four megabytes of brackets",
            Receive(1),
            first(NEXT, move |ask: &Ask| {
                let reply = ack("1", "1", "1", TIME, "0");
                let body = "[".repeat(4 << 20);
                let frame = format!(
                    "MSG events.orders.order.placed \0 {reply} {}\r\n{body}\r\n",
                    body.len()
                );
                vec![
                    Step::Frame(ask.reply.clone(), frame.into_bytes()),
                    good(ask),
                ]
            }),
            &["decode Malformed", "event 9"],
        ),
    ]);
    rows
}

/// Answers to acks that have to be confirmed.
fn settling() -> Vec<Row> {
    let reply = |ask: &Ask, body: &str| vec![Step::Send(Message::new(&ask.reply, body))];
    vec![
        Row::new(
            "no word after an ack",
            Client::Confirm,
            always("ACK", |_| Vec::new()),
            &["Timeout"],
        ),
        Row::new(
            "an ack that is refused in words",
            Client::Confirm,
            always("ACK", move |ask| reply(ask, "-ERR 'no'")),
            &["Other"],
        ),
        Row::new(
            "an ack that is answered by JSON",
            Client::Confirm,
            always("ACK", move |ask| {
                reply(
                    ask,
                    r#"{"error":{"code":500,"err_code":1,"description":"no"}}"#,
                )
            }),
            &["Other"],
        ),
        Row::new(
            "an ack that is answered twice",
            Client::Confirm,
            always("ACK", |_| vec![Step::Good, Step::Good]),
            &["ok"],
        ),
        Row::new(
            "an ack that nobody takes",
            Client::Confirm,
            always("ACK", |ask| vec![status(ask, "503", "")]),
            &["Timeout"],
        ),
        Row::new(
            "dies instead of confirming an ack",
            Client::Confirm,
            first("ACK", |_| vec![Step::CloseAll]),
            // It is asked again, on another connection.
            &["ok"],
        )
        .connections(4),
    ]
}

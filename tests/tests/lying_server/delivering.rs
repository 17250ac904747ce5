//! Violations on the connection for deliveries, which reads the protocol itself.

use event_sdk_tests::raw::envelope;

use crate::row::{Client, Row, always, first};
use crate::server::{Ask, INFO, Message, Step};

const NEXT: &str = "CONSUMER.MSG.NEXT";
const EVENTS: &[&str] = &["event 1", "event 2", "event 3"];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = frames();
    rows.extend(greetings());
    rows.extend(core());
    rows
}

/// Bytes before the first delivery. The events come, over another connection if need be.
fn frames() -> Vec<Row> {
    let texts: [(&str, Vec<u8>); 17] = [
        ("deliveries after an unknown verb", b"FLY me 0\r\n".to_vec()),
        ("deliveries after an empty line", b"\r\n\r\n".to_vec()),
        ("deliveries after binary garbage", (0..=255).collect()),
        (
            "deliveries after a megabyte of nothing",
            vec![b'x'; 1 << 20],
        ),
        (
            "deliveries after a message without words",
            b"MSG\r\n".to_vec(),
        ),
        (
            "deliveries after a message with too many words",
            b"MSG a 1 b c d 2\r\nok\r\n".to_vec(),
        ),
        (
            "deliveries after a negative size",
            b"MSG a 1 -5\r\n\r\n".to_vec(),
        ),
        (
            "deliveries after a size beyond 64 bits",
            b"MSG a 1 99999999999999999999\r\n".to_vec(),
        ),
        (
            "deliveries after a size of all memory",
            b"MSG a 1 18446744073709551615\r\n".to_vec(),
        ),
        (
            "deliveries after a number that is none",
            b"MSG a one 2\r\nok\r\n".to_vec(),
        ),
        (
            "deliveries after headers longer than all",
            b"HMSG a 1 20 10\r\nNATS/1.0\r\n\r\n".to_vec(),
        ),
        (
            "deliveries after headers without a length",
            b"HMSG a 1 2\r\nok\r\n".to_vec(),
        ),
        (
            "deliveries after a body longer than it says",
            b"MSG a 1 2\r\nokokok\r\n".to_vec(),
        ),
        (
            "deliveries after an INFO that is no JSON",
            b"INFO {\r\n".to_vec(),
        ),
        (
            "deliveries after an error without an end",
            b"-ERR 'a\r\n".to_vec(),
        ),
        (
            "deliveries after an error that is not UTF-8",
            b"-ERR '\xff\xfe'\r\n".to_vec(),
        ),
        (
            "deliveries after a stale connection",
            b"-ERR 'Stale Connection'\r\n".to_vec(),
        ),
    ];
    let rows = texts.map(|(name, bytes)| {
        let script = first(NEXT, move |_| vec![Step::Raw(bytes.clone()), Step::Good]);
        Row::new(name, Client::Receive(3), script, EVENTS)
            .connections(4)
            .pulls(8)
            .within(20)
    });
    let mut rows: Vec<_> = rows.into();
    let floods: [(&str, String); 4] = [
        (
            "deliveries after a hundred thousand PONGs",
            "PONG\r\n".repeat(100_000),
        ),
        (
            "deliveries after ten thousand PINGs",
            "PING\r\n".repeat(10_000),
        ),
        (
            "deliveries after ten thousand INFOs",
            format!("INFO {INFO}\r\n").repeat(10_000),
        ),
        (
            "deliveries after messages of no subscription",
            "MSG a 999 2\r\nok\r\n".repeat(10_000),
        ),
    ];
    rows.extend(floods.map(|(name, text)| {
        let script = first(NEXT, move |_| {
            vec![Step::Raw(text.clone().into_bytes()), Step::Good]
        });
        Row::new(name, Client::Receive(3), script, EVENTS)
    }));
    rows
}

/// Greetings of the second connection.
fn greetings() -> Vec<Row> {
    let texts: [(&str, &[u8]); 7] = [
        (
            "deliveries from another protocol",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        ),
        (
            "deliveries from an INFO that is no JSON at first",
            b"INFO {\r\n",
        ),
        ("deliveries from an INFO that is an array", b"INFO []\r\n"),
        ("deliveries from an INFO that is empty", b"INFO\r\n"),
        (
            "deliveries from an INFO that is not UTF-8",
            b"INFO {\"server_id\":\"\xff\"}\r\n",
        ),
        (
            "deliveries from an error at first",
            b"-ERR 'Maximum Connections Exceeded'\r\n",
        ),
        ("deliveries from a message at first", b"MSG a 1 2\r\nok\r\n"),
    ];
    let rows = texts.map(|(name, bytes)| {
        // The third connection is as good as the first.
        let script = move |ask: &Ask| {
            (ask.call == "ACCEPT" && ask.nth == 2).then(|| vec![Step::Raw(bytes.to_vec())])
        };
        Row::new(name, Client::Receive(3), script, EVENTS).connections(5)
    });
    let mut rows: Vec<_> = rows.into();
    let second = |steps: fn() -> Vec<Step>| {
        move |ask: &Ask| (ask.call == "ACCEPT" && ask.nth > 1).then(steps)
    };
    rows.extend([
        Row::new(
            "no second connection",
            Client::Receive(3),
            second(|| vec![Step::Close]),
            &["Disconnected"],
        )
        .connections(25),
        Row::new(
            "a second connection that never greets",
            Client::Receive(3),
            second(Vec::new),
            &["Disconnected"],
        )
        .connections(6),
        Row::new(
            "a second connection that refuses",
            Client::Receive(3),
            |ask: &Ask| {
                let refused = b"-ERR 'Authorization Violation'\r\n".to_vec();
                (ask.call == "CONNECT" && ask.nth > 1)
                    .then(|| vec![Step::Raw(refused), Step::Close])
            },
            &["Unauthenticated"],
        )
        .connections(25),
        Row::new(
            "a second connection that ends with each request",
            Client::Listen(std::time::Duration::from_secs(6)),
            always(NEXT, |_| vec![Step::Close]),
            &["notice Reconnected"],
        )
        .connections(30)
        .pulls(30),
    ]);
    rows
}

/// What comes to a subscription without a stream.
fn core() -> Vec<Row> {
    const SUBJECT: &str = "events.orders.order.placed";
    let event = |id: u64| {
        let data = format!(r#"{{"id":{id},"item":"item {id}"}}"#);
        Step::Send(Message::new(
            SUBJECT,
            envelope("order.placed", "1.0", &data),
        ))
    };
    let with = |headers: Vec<u8>| {
        Step::Send(Message {
            headers: Some(headers),
            ..Message::new(SUBJECT, "{}")
        })
    };
    let headers = |lines: &str| format!("NATS/1.0\r\n{lines}\r\n").into_bytes();
    let many: Vec<_> = (0..100_000).map(|n| format!("{n}:\r\n")).collect();
    // When the subscription is made, this comes, and then a good event.
    let odd = [
        (
            "a message without a stream, with unreadable headers",
            with(headers("A: \u{ff}\r\nno colon\r\n")),
        ),
        (
            "a message without a stream, with another version",
            with(b"HTTP/1.1\r\n\r\n".to_vec()),
        ),
        (
            "a message without a stream, with a hundred thousand headers",
            with(headers(&many.concat())),
        ),
        (
            "a message without a stream, with a status",
            with(b"NATS/1.0 503\r\n\r\n".to_vec()),
        ),
        (
            "a message without a stream, of a subject that is none",
            Step::Frame(SUBJECT.to_owned(), b"MSG a..b \0 2\r\n{}\r\n".to_vec()),
        ),
        (
            "a message without a stream, of a subject that is not UTF-8",
            Step::Frame(SUBJECT.to_owned(), b"MSG a.\xff \0 2\r\n{}\r\n".to_vec()),
        ),
    ];
    let subscribes = |ask: &Ask| ask.call == "SUB" && ask.subject == SUBJECT;
    let rows = odd.map(|(name, odd)| {
        let script = move |ask: &Ask| subscribes(ask).then(|| vec![odd.clone(), event(9)]);
        Row::new(name, Client::Core(1), script, &["event 9"])
    });
    let mut rows: Vec<_> = rows.into();
    rows.extend([
        Row::new(
            "two thousand messages without a stream at once",
            Client::Core(2000),
            move |ask: &Ask| subscribes(ask).then(|| (1..=2000).map(event).collect()),
            &["event 2000"],
        ),
        Row::new(
            "a subscription without a stream that is denied",
            Client::Core(1),
            move |ask: &Ask| {
                let denied =
                    format!("-ERR 'Permissions Violation for Subscription to \"{SUBJECT}\"'\r\n");
                subscribes(ask).then(|| vec![Step::Raw(denied.into_bytes())])
            },
            &["PermissionDenied"],
        ),
        Row::new(
            "a subscription without a stream that is not confirmed",
            Client::Core(1),
            |ask: &Ask| (ask.call == "PING" && ask.nth > 2).then(Vec::new),
            &["Disconnected"],
        )
        .connections(4),
    ]);
    rows
}

//! Violations in the answers of the JetStream API about streams and consumers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::row::{Client, Row, always, answers, answers_first};
use crate::server::{Ask, Message, Step, consumer_info, stream_info};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = streams();
    rows.extend(names());
    rows.extend(consumers());
    rows
}

/// The answer to `STREAM.INFO` with other values.
fn info(changes: &[(&str, &str, Value)]) -> String {
    let mut info = stream_info(3);
    for (part, field, value) in changes {
        info[part][field] = value.clone();
    }
    info.to_string()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn streams() -> Vec<Row> {
    const INFO: &str = "STREAM.INFO";
    let texts = [
        ("no JSON as a stream", "+OK".to_owned()),
        ("nothing as a stream", String::new()),
        ("an empty object as a stream", "{}".to_owned()),
        (
            "a stream whose error is a text",
            r#"{"error":"no"}"#.to_owned(),
        ),
        (
            "a stream with an error without a code",
            r#"{"error":{}}"#.to_owned(),
        ),
        (
            "a stream without a name",
            info(&[("config", "name", Value::Null)]),
        ),
        (
            "a stream with a retention of its own",
            info(&[("config", "retention", json!("sometimes"))]),
        ),
        (
            "a stream with a subject that is none",
            info(&[("config", "subjects", json!(["a..b"]))]),
        ),
        (
            "a stream with a negative count",
            info(&[("state", "messages", json!(-3))]),
        ),
        (
            "a stream nested a hundred thousand times",
            r#"{"config":"#.to_owned() + &"[".repeat(100_000),
        ),
    ];
    let rows =
        texts.map(|(name, text)| Row::new(name, Client::State, answers(INFO, text), &["Other"]));
    let mut rows: Vec<_> = rows.into();
    let deleted: Vec<u64> = (0..50_000).collect();
    rows.extend([
        Row::new(
            "no word about the stream",
            Client::State,
            always(INFO, |_| Vec::new()),
            &["Timeout"],
        ),
        Row::new(
            "a late word about the stream",
            Client::State,
            always(INFO, |ask| {
                vec![
                    Step::Wait(Duration::from_secs(3)),
                    Step::Send(Message::new(&ask.reply, info(&[]))),
                ]
            }),
            &["Timeout"],
        ),
        Row::new(
            "a doubled word about the stream",
            Client::State,
            always(INFO, |_| vec![Step::Good, Step::Good]),
            &["ok"],
        ),
        Row::new(
            "a stream that ends before it begins",
            Client::Receive(3),
            answers(
                INFO,
                info(&[
                    ("state", "first_seq", json!(u64::MAX)),
                    ("state", "last_seq", json!(0)),
                ]),
            ),
            &["event 3"],
        ),
        Row::new(
            "a stream at the end of all sequences",
            Client::Receive(3),
            answers(
                INFO,
                info(&[
                    ("state", "first_seq", json!(u64::MAX)),
                    ("state", "last_seq", json!(u64::MAX)),
                    ("state", "num_deleted", json!(u64::MAX)),
                ]),
            ),
            &["event 3"],
        ),
        Row::new(
            "a stream that misses what it has not",
            Client::Receive(3),
            answers(
                INFO,
                info(&[
                    ("state", "num_deleted", json!(5_000)),
                    ("state", "deleted", json!(deleted)),
                ]),
            ),
            &["event 3"],
        ),
        Row::new(
            "a created stream is another",
            Client::Apply,
            |ask: &Ask| match ask.call.as_str() {
                INFO => Some(vec![Step::Send(Message::new(
                    &ask.reply,
                    r#"{"error":{"code":404,"err_code":10059}}"#,
                ))]),
                "STREAM.CREATE" => Some(vec![Step::Send(Message::new(
                    &ask.reply,
                    info(&[("config", "subjects", json!(["a.b"]))]),
                ))]),
                _ => None,
            },
            &["Other"],
        ),
        Row::new(
            "a stream that exists and does not",
            Client::Apply,
            |ask: &Ask| {
                let code = match ask.call.as_str() {
                    INFO => 10059,
                    "STREAM.CREATE" => 10058,
                    _ => return None,
                };
                let answer =
                    format!(r#"{{"error":{{"code":400,"err_code":{code},"description":"x"}}}}"#);
                Some(vec![Step::Send(Message::new(&ask.reply, answer))])
            },
            &["InvalidOption"],
        ),
    ]);
    rows
}

fn names() -> Vec<Row> {
    const NAMES: &str = "STREAM.NAMES";
    let texts = [
        ("names whose error is a text", r#"{"error":"no"}"#),
        ("names that are an empty object", "{}"),
        ("names that are a text", r#"{"total":1,"streams":"FAKE"}"#),
        (
            "names of a negative number",
            r#"{"total":-1,"streams":["FAKE"]}"#,
        ),
    ];
    let rows =
        texts.map(|(name, text)| Row::new(name, Client::Names, answers(NAMES, text), &["Other"]));
    let mut rows: Vec<_> = rows.into();
    let million = r#"{"total":1000000000,"streams":["FAKE"]}"#;
    rows.extend([
        Row::new(
            "names that repeat for a thousand million",
            Client::Names,
            answers(NAMES, million),
            &["Timeout"],
        ),
        Row::new(
            "names without an end",
            Client::Names,
            always(NAMES, |ask| {
                let answer = format!(r#"{{"total":1000000000,"streams":["S{}"]}}"#, ask.nth);
                vec![Step::Send(Message::new(&ask.reply, answer))]
            }),
            &["Timeout"],
        ),
    ]);
    rows
}

fn consumers() -> Vec<Row> {
    use Client::{Receive, ReceiveAlone};
    const INFO: &str = "CONSUMER.INFO";
    const CREATE: &str = "CONSUMER.CREATE";
    let config = |policy: &str| json!({ "durable_name": "reader", "ack_policy": policy, "filter_subject": "events.orders.order.placed" });
    let with = |field: &str, value: Value| {
        let mut info = consumer_info("reader", &config("explicit"));
        info[field] = value;
        info.to_string()
    };
    vec![
        Row::new("no word about the consumer", Receive(1), always(INFO, |_| Vec::new()), &["Timeout"]).pulls(0),
        Row::new("no JSON as a consumer", Receive(1), answers(INFO, "?"), &["Other"]).pulls(0),
        Row::new("a consumer without a configuration", Receive(1), answers(INFO, with("config", Value::Null)), &["Other"]).pulls(0),
        Row::new("a consumer whose error is a text", Receive(1), answers(INFO, r#"{"error":"no"}"#), &["Other"]).pulls(0),
        Row::new("a consumer with an unknown ack policy", Receive(1), answers(INFO, consumer_info("reader", &config("maybe")).to_string()), &["ConsumerMismatch"]).pulls(0),
        Row::new("a consumer that delivers to a subject", Receive(1), answers(INFO, with("config", json!({ "durable_name": "reader", "ack_policy": "explicit", "deliver_subject": "a" }))), &["ConsumerMismatch"]).pulls(0),
        Row::new("a consumer that has delivered all there can be", Receive(3), answers(INFO, with("delivered", json!({ "consumer_seq": u64::MAX, "stream_seq": u64::MAX }))), &["notice WentBack", "StreamWentBack"]).pulls(0),
        Row::new("a consumer with an ack wait below zero", Receive(3), answers(INFO, with("config", json!({ "durable_name": "reader", "ack_policy": "explicit", "ack_wait": -1, "backoff": [0, -5] }))), &["event 3"]),
        Row::new("a consumer whose requests last a nanosecond", Client::Listen(Duration::from_secs(4)), answers(INFO, with("config", json!({ "durable_name": "reader", "ack_policy": "explicit", "max_expires": 1 }))), &["event 3"]).pulls(60),
        Row::new("a consumer that has delivered less than nothing", Receive(1), answers(INFO, with("delivered", json!({ "consumer_seq": -1, "stream_seq": -1 }))), &["Other"]).pulls(0),
        Row::new("a consumer that comes and goes for ever", Receive(1), answers(CREATE, r#"{"error":{"code":400,"err_code":10148,"description":"consumer already exists"}}"#), &["Other"]).pulls(0),
        Row::new("no word about the first creation of a consumer", Receive(3), |ask: &Ask| (ask.call == CREATE && ask.nth == 1).then(Vec::new), &["event 3"]),
        Row::new("no word about the creation of a consumer", Receive(1), always(CREATE, |_| Vec::new()), &["Timeout"]).pulls(0),
        Row::new("a created consumer without a name", ReceiveAlone(1), answers(CREATE, with("name", Value::Null)), &["Other"]).pulls(0),
        Row::new("a created consumer with a name of ten thousand bytes", ReceiveAlone(1), answers_first(CREATE, with("name", json!("n".repeat(10_000)))), &["Other"]),
        Row::new("a created consumer with a name that is a line", ReceiveAlone(1), answers(CREATE, with("name", json!("a b\r\nPUB x 0"))), &["Other"]).pulls(0),
        Row::new("a created consumer for other subjects", Receive(1), answers(CREATE, with("config", json!({ "durable_name": "reader", "ack_policy": "explicit", "filter_subject": "a.b" }))), &["ConsumerMismatch"]).pulls(0),
        Row::new("doubled words about the consumer", Receive(3), |ask: &Ask| matches!(ask.call.as_str(), INFO | CREATE).then(|| vec![Step::Good, Step::Good]), &["event 3"]),
    ]
}

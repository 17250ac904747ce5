//! What a good server does: one stream, any number of consumers with one position.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event_sdk_tests::raw::envelope;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Ask, FakeServer, Message, Step, lock};

pub(crate) const STREAM: &str = "FAKE";

/// The pause between heartbeats that were not asked for.
const NO_HEARTBEAT: Duration = Duration::from_secs(1_000_000);

/// What the server says of itself.
pub(crate) const INFO: &str = r#"{"server_id":"FAKE","server_name":"fake","version":"2.11.0","proto":1,"host":"127.0.0.1","port":4222,"headers":true,"max_payload":1048576,"jetstream":true,"client_id":1,"client_ip":"127.0.0.1"}"#;

/// The messages, and what became of them.
pub(super) struct Stream {
    messages: Vec<Stored>,
    attempts: BTreeMap<u64, u32>,
    /// Delivered, and neither settled nor given back.
    pending: BTreeSet<u64>,
    settled: BTreeSet<u64>,
    delivered: u64,
    consumers: BTreeMap<String, Value>,
}

#[derive(Clone)]
struct Stored {
    subject: String,
    headers: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl Stream {
    pub(super) fn with(events: u64) -> Self {
        let messages = (1..=events).map(|id| {
            let data = format!(r#"{{"id":{id},"item":"item {id}"}}"#);
            Stored {
                subject: "events.orders.order.placed".to_owned(),
                headers: None,
                body: envelope("order.placed", "1.0", &data).into_bytes(),
            }
        });
        Self {
            messages: messages.collect(),
            attempts: BTreeMap::new(),
            pending: BTreeSet::new(),
            settled: BTreeSet::new(),
            delivered: 0,
            consumers: BTreeMap::new(),
        }
    }

    fn last(&self) -> u64 {
        self.messages.len() as u64
    }

    fn at(&self, sequence: u64) -> Option<&Stored> {
        let index = usize::try_from(sequence.checked_sub(1)?).ok()?;
        self.messages.get(index)
    }

    /// What is pending is delivered again, since those who had it are gone.
    pub(super) fn give_back(&mut self) {
        self.pending.clear();
    }

    /// The next message for a consumer, sent to `to`.
    fn deliver(&mut self, to: &str, consumer: &str) -> Option<Message> {
        let free = |one: &u64| !self.settled.contains(one) && !self.pending.contains(one);
        let sequence = (1..=self.last()).find(free)?;
        let stored = self.at(sequence)?.clone();
        self.pending.insert(sequence);
        self.delivered += 1;
        let attempt = self.attempts.entry(sequence).or_default();
        *attempt += 1;
        let left = self.messages.len() - self.settled.len() - self.pending.len();
        let number = self.delivered;
        let reply = format!(
            "$JS.ACK.{STREAM}.{consumer}.{attempt}.{sequence}.{number}.1763697600123456789.{left}"
        );
        // The inbox finds the subscription, and the message has a subject of its own.
        Some(Message {
            to: format!("{to} {}", stored.subject),
            reply: Some(reply),
            headers: stored.headers,
            body: stored.body,
        })
    }

    fn settle(&mut self, subject: &str, body: &[u8]) {
        let token = subject
            .split('.')
            .nth(5)
            .and_then(|token| token.parse().ok());
        let Some(sequence) = token else { return };
        if body.starts_with(b"-NAK") {
            self.pending.remove(&sequence);
        } else if !body.starts_with(b"+WPI") {
            self.settled.insert(sequence);
            self.pending.remove(&sequence);
        }
    }
}

/// Which call a client makes by publishing to this subject.
pub(super) fn call(subject: &str) -> String {
    let words: Vec<&str> = subject.split('.').collect();
    match *words.as_slice() {
        ["$JS", "API", "CONSUMER", "MSG", what, ..] => format!("CONSUMER.MSG.{what}"),
        ["$JS", "API", "STREAM", "MSG", what, ..] => format!("STREAM.MSG.{what}"),
        ["$JS", "API", kind, what, ..] => format!("{kind}.{what}"),
        ["$JS", "ACK", ..] => "ACK".to_owned(),
        ["events", ..] => "PUBLISH".to_owned(),
        _ => "OTHER".to_owned(),
    }
}

/// The answer to `STREAM.INFO`.
pub(crate) fn stream_info(messages: u64) -> Value {
    json!({
        "type": "io.nats.jetstream.api.v1.stream_info_response",
        "created": "2025-11-06T12:00:00Z",
        "config": {
            "name": STREAM, "subjects": ["events.orders.>"], "retention": "limits",
            "storage": "file", "discard": "old", "num_replicas": 1, "max_msgs": -1,
            "max_bytes": -1, "max_age": 0, "max_msg_size": -1, "max_msgs_per_subject": -1,
            "duplicate_window": 120_000_000_000_u64, "allow_direct": true, "compression": "none",
        },
        "state": {
            "messages": messages, "bytes": 100 * messages, "first_seq": 1, "last_seq": messages,
            "consumer_count": 0,
        },
    })
}

/// The answer to `CONSUMER.INFO` and `CONSUMER.CREATE`.
pub(crate) fn consumer_info(name: &str, config: &Value) -> Value {
    json!({
        "type": "io.nats.jetstream.api.v1.consumer_create_response",
        "stream_name": STREAM, "name": name, "created": "2025-11-06T12:30:00Z",
        "config": config,
        "delivered": { "consumer_seq": 0, "stream_seq": 0 },
        "ack_floor": { "consumer_seq": 0, "stream_seq": 0 },
        "num_ack_pending": 0, "num_redelivered": 0, "num_waiting": 0, "num_pending": 0,
    })
}

fn refusal(code: u64, description: &str) -> Value {
    json!({ "error": { "code": 404, "err_code": code, "description": description } })
}

impl FakeServer {
    pub(super) fn be_good(&self, id: usize, ask: &Ask) {
        let raw = |text: &str| self.take(id, ask, Step::Raw(text.as_bytes().to_vec()));
        match ask.call.as_str() {
            "ACCEPT" => raw(&format!("INFO {INFO}\r\n")),
            "PING" => raw("PONG\r\n"),
            "ACK" => {
                lock(&self.0.stream).settle(&ask.subject, &ask.body);
                self.0.changed.send_replace(());
                self.send(&Message::new(&ask.reply, ""));
            }
            "CONSUMER.MSG.NEXT" => {
                tokio::spawn(self.clone().serve_pull(ask.clone()));
            }
            "DIRECT.GET" => self.direct(ask),
            "PUBLISH" => self.store(ask),
            "OTHER" => self.send(&Message {
                headers: ask.headers.clone(),
                ..Message::new(&ask.subject, ask.body.clone())
            }),
            "CONNECT" | "SUB" | "UNSUB" | "PONG" => {}
            _ => {
                let answer = self.api(ask);
                self.send(&Message::new(&ask.reply, answer.to_string()));
            }
        }
    }

    fn store(&self, ask: &Ask) {
        let sequence = {
            let mut stream = lock(&self.0.stream);
            stream.messages.push(Stored {
                subject: ask.subject.clone(),
                headers: ask.headers.clone(),
                body: ask.body.clone(),
            });
            stream.last()
        };
        self.0.changed.send_replace(());
        let ack = format!(r#"{{"stream":"{STREAM}","seq":{sequence}}}"#);
        self.send(&Message::new(&ask.reply, ack));
    }

    fn api(&self, ask: &Ask) -> Value {
        let stream = &mut *lock(&self.0.stream);
        let request: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
        let token = |index| ask.subject.split('.').nth(index).unwrap_or_default();
        match ask.call.as_str() {
            "STREAM.INFO" => stream_info(stream.last()),
            "STREAM.NAMES" => {
                json!({ "total": 1, "offset": 0, "limit": 1024, "streams": [STREAM] })
            }
            "STREAM.CREATE" | "STREAM.UPDATE" => {
                let mut info = stream_info(stream.last());
                info["config"] = request;
                info
            }
            "CONSUMER.INFO" => match stream.consumers.get(token(5)) {
                Some(config) => consumer_info(token(5), config),
                None => refusal(10014, "consumer not found"),
            },
            "CONSUMER.CREATE" => {
                let name = match token(5) {
                    "" => "ephemeral",
                    name => name,
                };
                let config = request["config"].clone();
                stream.consumers.insert(name.to_owned(), config.clone());
                consumer_info(name, &config)
            }
            "CONSUMER.DELETE" => {
                stream.consumers.remove(token(5));
                json!({ "success": true })
            }
            "STREAM.MSG.GET" => {
                let sequence = request["seq"].as_u64().unwrap_or(1);
                match stream.at(sequence) {
                    Some(stored) => json!({ "message": {
                        "subject": stored.subject, "seq": sequence,
                        "time": "2025-11-06T12:00:00Z", "data": STANDARD.encode(&stored.body),
                    }}),
                    None => refusal(10037, "no message found"),
                }
            }
            _ => refusal(10001, "the fake server knows no such call"),
        }
    }

    /// Answers a batch of direct gets.
    fn direct(&self, ask: &Ask) {
        let stream = lock(&self.0.stream);
        let request: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
        let number = |name: &str| request[name].as_u64().unwrap_or(1);
        let last = stream.last().min(number("seq") + number("batch") - 1);
        let mut before = 0;
        for sequence in number("seq")..=last {
            let Some(stored) = stream.at(sequence) else {
                continue;
            };
            let left = stream.last() - sequence;
            self.send(&direct(&ask.reply, stored, sequence, before, left));
            before = sequence;
        }
        if request["batch"].is_null() && before > 0 {
            return;
        }
        let end = format!("Nats-Num-Pending: 0\r\nNats-Last-Sequence: {before}\r\n");
        self.send(&match before {
            0 => Message::status(&ask.reply, "404 Message Not Found", ""),
            _ => Message::status(&ask.reply, "204 EOB", &end),
        });
    }

    /// Serves a request for messages until it has brought them all, or its time is over.
    async fn serve_pull(self, ask: Ask) {
        let request: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
        let nanos = |name: &str| request[name].as_u64().map(Duration::from_nanos);
        let consumer = ask.subject.split('.').nth(6).unwrap_or_default();
        let mut left = request["batch"].as_u64().unwrap_or(1);
        let expires = Instant::now() + nanos("expires").unwrap_or(Duration::from_secs(30));
        let heartbeat = nanos("idle_heartbeat").unwrap_or(NO_HEARTBEAT);
        let mut changed = self.0.changed.subscribe();
        let status = |text: &str, lines: &str| Message::status(&ask.reply, text, lines);
        while self.is_heard(&ask.reply) {
            while left > 0 {
                let Some(message) = lock(&self.0.stream).deliver(&ask.reply, consumer) else {
                    break;
                };
                self.deliver(&message);
                left -= 1;
            }
            if left == 0 {
                return;
            }
            if request["no_wait"] == true {
                return self.send(&status("404 No Messages", ""));
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = sleep(heartbeat) => self.send(&status("100 Idle Heartbeat", "")),
                () = sleep_until(expires) => {
                    let lines = format!("Nats-Pending-Messages: {left}\r\nNats-Pending-Bytes: 0\r\n");
                    return self.send(&status("408 Request Timeout", &lines));
                }
            }
        }
    }

    /// Sends a stored message: found by an inbox, under its own subject.
    fn deliver(&self, message: &Message) {
        let (inbox, subject) = message.to.split_once(' ').unwrap_or_default();
        self.each_listening(inbox, |sid| message.frame(subject, sid));
    }
}

/// An answer to a direct get.
fn direct(to: &str, stored: &Stored, sequence: u64, before: u64, left: u64) -> Message {
    let headers = format!(
        "NATS/1.0\r\nNats-Stream: {STREAM}\r\nNats-Subject: {}\r\nNats-Sequence: {sequence}\r\nNats-Time-Stamp: 2025-11-06T12:00:00Z\r\nNats-Num-Pending: {left}\r\nNats-Last-Sequence: {before}\r\n\r\n",
        stored.subject
    );
    Message {
        headers: Some(headers.into_bytes()),
        ..Message::new(to, stored.body.clone())
    }
}

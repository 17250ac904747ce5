//! A scriptable server that speaks the protocol of NATS, and violates it as a test says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a test makes the server do. All of it can stay as it is.
#[derive(Default)]
pub(crate) struct Script {
    /// Sent at first instead of a good INFO.
    pub(crate) info: Option<Vec<u8>>,
    /// Sent instead of the answer to the client's first PING; the connection ends after it.
    pub(crate) instead_of_pong: Option<Vec<u8>>,
    /// Ends each connection as soon as it is made.
    pub(crate) dies_at_once: bool,
    /// Bytes that are written as they are when the client has subscribed to its inbox.
    pub(crate) after_subscribing: Option<Vec<u8>>,
    /// Answers to requests, by what their subjects contain.
    pub(crate) answers: Vec<(&'static str, Reply)>,
}

/// An answer to a request.
#[derive(Clone)]
pub(crate) enum Reply {
    Nothing,
    /// Nothing to the first request, and then what a good server answers.
    NotAtFirst,
    /// A message with this body.
    Body(Vec<u8>),
    /// The same, as often as this.
    Times(usize, Vec<u8>),
    /// A header block, such as `NATS/1.0 503`, without a body.
    Header(String),
    /// The connection ends.
    HangUp,
}

impl Reply {
    pub(crate) fn text(body: &str) -> Self {
        Self::Body(body.as_bytes().to_vec())
    }

    fn json(body: &Value) -> Self {
        Self::Body(body.to_string().into_bytes())
    }
}

/// The server. It ends with its tasks when the test's runtime does.
pub(crate) struct Fake {
    pub(crate) url: String,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: Mutex<HashMap<String, usize>>,
    changed: watch::Sender<()>,
}

impl Fake {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let (script, counting) = (Arc::new(script), Arc::clone(&counts));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counting.connections.fetch_add(1, Ordering::SeqCst);
                counting.changed.send_replace(());
                let (script, counts) = (Arc::clone(&script), Arc::clone(&counting));
                // What the client does to the socket ends the connection, and nothing else.
                tokio::spawn(async move { serve(socket, &script, &counts).await.ok() });
            }
        });
        let url = format!("nats://{address}");
        Self { url, counts }
    }

    pub(crate) fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// How many requests came whose subject contains this.
    pub(crate) fn requests(&self, part: &str) -> usize {
        let requests = self.counts.requests.lock().unwrap();
        let counted = requests
            .iter()
            .filter(|(subject, _)| subject.contains(part));
        counted.map(|(_, count)| count).sum()
    }
}

/// A good INFO, as the body of the line.
pub(crate) fn info() -> Value {
    json!({
        "server_id": "FAKE", "server_name": "fake", "version": "2.12.0", "proto": 1,
        "host": "127.0.0.1", "port": 4222, "headers": true, "jetstream": true,
        "max_payload": 1_048_576, "client_id": 1, "go": "go1.24", "nonce": "n",
    })
}

async fn serve(socket: TcpStream, script: &Script, counts: &Counts) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    let greeting = format!("INFO {}\r\n", info()).into_bytes();
    socket
        .write_all(script.info.as_ref().unwrap_or(&greeting))
        .await?;
    let mut sids: HashMap<String, String> = HashMap::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if socket.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        let words: Vec<_> = text.split(' ').collect();
        match words[0] {
            "PING" => {
                if let Some(instead) = &script.instead_of_pong {
                    socket.write_all(instead).await?;
                    return socket.shutdown().await;
                }
                socket.write_all(b"PONG\r\n").await?;
                if script.dies_at_once {
                    return socket.shutdown().await;
                }
            }
            "SUB" => {
                let sid = words.last().copied().unwrap_or_default();
                sids.insert(words[1].to_owned(), sid.to_owned());
                if let Some(raw) = &script.after_subscribing {
                    socket.write_all(raw).await?;
                }
            }
            "PUB" | "HPUB" => {
                let headers = words[0] == "HPUB";
                let sizes = if headers { 2 } else { 1 };
                let total: usize = words[words.len() - 1].parse().unwrap_or(0);
                let mut body = vec![0; total + 2];
                socket.read_exact(&mut body).await?;
                let subject = words[1].to_owned();
                let number = {
                    let mut requests = counts.requests.lock().unwrap();
                    let count = requests.entry(subject.clone()).or_default();
                    *count += 1;
                    *count
                };
                let has_reply = words.len() == 3 + sizes;
                let Some(to) = has_reply.then(|| words[2]) else {
                    continue;
                };
                let Some(sid) = sid(&sids, to) else { continue };
                let reply = reply(script, &subject, number);
                if write(&mut socket, to, sid, &reply).await? {
                    return socket.shutdown().await;
                }
            }
            _ => {}
        }
    }
}

/// The subscription that takes messages to this subject.
fn sid<'a>(sids: &'a HashMap<String, String>, to: &str) -> Option<&'a str> {
    let takes = |pattern: &str| match pattern.strip_suffix(['*', '>']) {
        Some(prefix) => to.starts_with(prefix),
        None => to == pattern,
    };
    sids.iter()
        .find(|(pattern, _)| takes(pattern))
        .map(|(_, sid)| sid.as_str())
}

/// Answers; whether the connection ends.
async fn write(
    socket: &mut BufReader<TcpStream>,
    to: &str,
    sid: &str,
    reply: &Reply,
) -> std::io::Result<bool> {
    let message = |body: &[u8]| {
        let head = format!("MSG {to} {sid} {}\r\n", body.len());
        [head.as_bytes(), body, b"\r\n"].concat()
    };
    let status = |header: &str| {
        let header = format!("{header}\r\n\r\n");
        let size = header.len();
        format!("HMSG {to} {sid} {size} {size}\r\n{header}\r\n")
    };
    match reply {
        Reply::Nothing | Reply::NotAtFirst => {}
        Reply::Body(body) => socket.write_all(&message(body)).await?,
        Reply::Times(times, body) => socket.write_all(&message(body).repeat(*times)).await?,
        Reply::Header(header) => socket.write_all(status(header).as_bytes()).await?,
        Reply::HangUp => return Ok(true),
    }
    Ok(false)
}

/// The script's answer, or a good one of a server with a stream `EVENTS` and a durable `d`.
fn reply(script: &Script, subject: &str, number: usize) -> Reply {
    let scripted = script
        .answers
        .iter()
        .find(|(part, _)| subject.contains(part));
    match scripted {
        Some((_, Reply::NotAtFirst)) if number > 1 => {}
        Some((_, reply)) => return reply.clone(),
        None => {}
    }
    let state =
        json!({"messages": 1, "bytes": 9, "first_seq": 1, "last_seq": 1, "consumer_count": 0});
    let config = json!({
        "name": "EVENTS", "subjects": ["events.>"], "retention": "limits", "storage": "file",
        "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "num_replicas": 1,
        "max_msgs_per_subject": -1, "max_msg_size": -1, "discard": "old",
        "duplicate_window": 120_000_000_000_u64,
    });
    if subject.ends_with("STREAM.NAMES") {
        Reply::json(&json!({"total": 1, "offset": 0, "limit": 1024, "streams": ["EVENTS"]}))
    } else if subject.contains("STREAM.INFO") {
        Reply::json(&json!({"config": config, "state": state, "created": "2026-01-01T00:00:00Z"}))
    } else if subject.contains("CONSUMER.INFO") || subject.contains("CONSUMER.CREATE") {
        Reply::json(&json!({
            "stream_name": "EVENTS", "name": "d", "created": "2026-01-01T00:00:00Z",
            "config": {
                "durable_name": "d", "name": "d", "ack_policy": "explicit",
                "ack_wait": 30_000_000_000_u64, "deliver_policy": "all", "max_deliver": -1,
                "max_ack_pending": 1000, "replay_policy": "instant", "filter_subject": "events.>",
            },
            "delivered": {"consumer_seq": 0, "stream_seq": 0},
            "ack_floor": {"consumer_seq": 0, "stream_seq": 0},
            "num_ack_pending": 0, "num_redelivered": 0, "num_waiting": 0, "num_pending": 1,
        }))
    } else if subject.contains("$JS.API") {
        Reply::Nothing
    } else {
        Reply::json(&json!({"stream": "S", "seq": 1}))
    }
}

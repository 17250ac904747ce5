//! `FakeServer`: a TCP server that speaks enough of NATS for our transport, and breaks the
//! protocol where its script says so.
//!
//! It belongs to no connection which one asks: subscriptions of all connections are one table,
//! and an answer goes to each that listens on its subject. What it does without a script is in
//! `good`.

mod good;
mod lines;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use self::good::Stream;
pub(crate) use self::good::{INFO, STREAM, consumer_info, stream_info};
use self::lines::Line;

/// What a client does, and the script may answer in another way.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// `ACCEPT`, `CONNECT`, `PING`, `SUB`, the call of the JetStream API such as `STREAM.INFO`,
    /// `ACK`, `PUBLISH` for a subject of the stream, or `OTHER`.
    pub(crate) call: String,
    /// How often that was asked, this time included.
    pub(crate) nth: usize,
    pub(crate) subject: String,
    pub(crate) reply: String,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Option<Vec<u8>>,
}

/// A step of the server.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// What a good server does.
    Good,
    /// A message to whoever listens on the subject.
    Send(Message),
    /// Bytes to each connection that listens on the subject; a zero byte in them stands for the
    /// number of the subscription.
    Frame(String, Vec<u8>),
    /// Bytes to the connection that asked.
    Raw(Vec<u8>),
    Wait(Duration),
    /// Closes the connection that asked.
    Close,
    /// Closes all connections.
    CloseAll,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) to: String,
    pub(crate) reply: Option<String>,
    /// The block of headers as it is, with version line and blank line.
    pub(crate) headers: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn new(to: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        let (to, body) = (to.into(), body.into());
        Self {
            to,
            body,
            ..Self::default()
        }
    }

    /// A status such as `408 Request Timeout`, with more header lines.
    pub(crate) fn status(to: &str, status: &str, lines: &str) -> Self {
        let headers = Some(format!("NATS/1.0 {status}\r\n{lines}\r\n").into_bytes());
        Self {
            headers,
            ..Self::new(to, "")
        }
    }

    /// As bytes for the subscription with this number; the subject is the message's.
    fn frame(&self, subject: &str, sid: &str) -> Vec<u8> {
        let reply = self.reply.as_ref().map(|reply| format!("{reply} "));
        let reply = reply.unwrap_or_default();
        let body = self.body.len();
        let mut frame = match &self.headers {
            None => format!("MSG {subject} {sid} {reply}{body}\r\n").into_bytes(),
            Some(headers) => {
                let (block, all) = (headers.len(), headers.len() + body);
                let mut frame = format!("HMSG {subject} {sid} {reply}{block} {all}\r\n");
                frame.reserve(all);
                let mut frame = frame.into_bytes();
                frame.extend_from_slice(headers);
                frame
            }
        };
        frame.extend_from_slice(&self.body);
        frame.extend_from_slice(b"\r\n");
        frame
    }
}

/// What the server does instead of being good; `None`: it is good.
pub(crate) type Script = dyn Fn(&Ask) -> Option<Vec<Step>> + Send + Sync;

#[derive(Clone)]
pub(crate) struct FakeServer(Arc<Shared>);

struct Shared {
    port: u16,
    script: Arc<Script>,
    counts: Mutex<BTreeMap<String, usize>>,
    connections: Mutex<Vec<Connection>>,
    stream: Mutex<Stream>,
    /// Something was stored or given back, or a connection has ended.
    changed: watch::Sender<()>,
}

struct Connection {
    id: usize,
    out: mpsc::UnboundedSender<Vec<u8>>,
    reading: Option<AbortHandle>,
    /// Pattern and number of each subscription.
    subscriptions: Vec<(String, String)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeServer {
    /// Listens, with `events` stored.
    pub(crate) async fn start(events: u64, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self(Arc::new(Shared {
            port: listener.local_addr().expect("an address").port(),
            script,
            counts: Mutex::default(),
            connections: Mutex::default(),
            stream: Mutex::new(Stream::with(events)),
            changed: watch::Sender::new(()),
        }));
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(socket));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.0.port)
    }

    /// How often a client did this.
    pub(crate) fn count(&self, call: &str) -> usize {
        lock(&self.0.counts).get(call).copied().unwrap_or(0)
    }

    async fn serve(self, socket: TcpStream) {
        let accept = self.ask("ACCEPT".to_owned(), Line::default());
        let id = accept.nth;
        let (read, mut write) = socket.into_split();
        let (out, mut queued) = mpsc::unbounded_channel::<Vec<u8>>();
        lock(&self.0.connections).push(Connection {
            id,
            out,
            reading: None,
            subscriptions: Vec::new(),
        });
        let server = self.clone();
        let reading = tokio::spawn(async move {
            server.run(id, &accept);
            let mut read = BufReader::new(read);
            while let Some(line) = lines::read(&mut read).await {
                server.hear(id, line);
            }
            server.close(id);
        });
        self.connection(id, |connection| {
            connection.reading = Some(reading.abort_handle());
        });
        // Ends when the connection is closed, after what was written before.
        while let Some(bytes) = queued.recv().await {
            if write.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = write.shutdown().await;
        self.close(id);
        reading.abort();
    }

    fn connection(&self, id: usize, then: impl FnOnce(&mut Connection)) {
        let mut connections = lock(&self.0.connections);
        if let Some(connection) = connections.iter_mut().find(|one| one.id == id) {
            then(connection);
        }
    }

    fn close(&self, id: usize) {
        lock(&self.0.connections).retain(|connection| connection.id != id);
        lock(&self.0.stream).give_back();
        self.0.changed.send_replace(());
    }

    /// Takes what a client says, and does what the script says about it.
    fn hear(&self, id: usize, line: Line) {
        let call = match line.verb.as_str() {
            "PUB" | "HPUB" => good::call(&line.subject),
            verb => verb.to_owned(),
        };
        match line.verb.as_str() {
            "SUB" => self.connection(id, |connection| {
                let subscription = (line.subject.clone(), line.sid.clone());
                connection.subscriptions.push(subscription);
            }),
            "UNSUB" if line.max.is_none() => self.connection(id, |connection| {
                connection.subscriptions.retain(|(_, sid)| *sid != line.sid);
            }),
            _ => {}
        }
        let ask = self.ask(call, line);
        self.run(id, &ask);
    }

    fn ask(&self, call: String, line: Line) -> Ask {
        let mut counts = lock(&self.0.counts);
        let nth = counts.entry(call.clone()).or_default();
        *nth += 1;
        Ask {
            call,
            nth: *nth,
            subject: line.subject,
            reply: line.reply,
            body: line.body,
            headers: line.headers,
        }
    }

    fn run(&self, id: usize, ask: &Ask) {
        let steps = (self.0.script)(ask).unwrap_or_else(|| vec![Step::Good]);
        let mut steps = steps.into_iter();
        while let Some(step) = steps.next() {
            let Step::Wait(wait) = step else {
                self.take(id, ask, step);
                continue;
            };
            let (server, ask) = (self.clone(), ask.clone());
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                for step in steps {
                    match step {
                        Step::Wait(wait) => tokio::time::sleep(wait).await,
                        step => server.take(id, &ask, step),
                    }
                }
            });
            return;
        }
    }

    fn take(&self, id: usize, ask: &Ask, step: Step) {
        match step {
            Step::Good => self.be_good(id, ask),
            Step::Send(message) => self.send(&message),
            Step::Frame(to, bytes) => self.each_listening(&to, |sid| {
                let text = bytes.split(|byte| *byte == b'\0').collect::<Vec<_>>();
                text.join(sid.as_bytes())
            }),
            Step::Raw(bytes) => {
                self.connection(id, |connection| drop(connection.out.send(bytes)));
            }
            Step::Wait(_) => {}
            Step::Close => self.close(id),
            Step::CloseAll => {
                lock(&self.0.connections).clear();
                self.close(id);
            }
        }
    }

    /// Sends a message to each subscription for its subject.
    fn send(&self, message: &Message) {
        self.each_listening(&message.to, |sid| message.frame(&message.to, sid));
    }

    fn each_listening(&self, subject: &str, frame: impl Fn(&str) -> Vec<u8>) {
        for connection in &*lock(&self.0.connections) {
            for (pattern, sid) in &connection.subscriptions {
                if matches(pattern, subject) {
                    // The connection may have just ended.
                    let _ = connection.out.send(frame(sid));
                }
            }
        }
    }

    /// Whether there is a subscription for this subject.
    fn is_heard(&self, subject: &str) -> bool {
        let connections = lock(&self.0.connections);
        let mut all = connections.iter().flat_map(|one| &one.subscriptions);
        all.any(|(pattern, _)| matches(pattern, subject))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The writer ends when what is queued is written; nothing is read any more.
        if let Some(reading) = self.reading.take() {
            reading.abort();
        }
    }
}

fn matches(pattern: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in pattern.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

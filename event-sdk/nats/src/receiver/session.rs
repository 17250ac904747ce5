//! `Session`: one connection while it lives. Reads, writes and pings in one task: a read hands
//! over all messages that came, and a write has everything that waits.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWrite as _};
use tokio::time::{Instant, Sleep, sleep};

use super::dial::Established;
use super::info::ServerInfo;
use super::message::WireMessage;
use super::outgoing::{Pong, Subscribing, Taken};
use super::queue::Queue;
use super::server_list::{ServerAddress, ServerList};
use super::shared::Shared;
use super::socket::Socket;
use super::wire::{Decoder, Frame, WireFault};
use crate::connection::{ConnectionMonitor, Denial, DisconnectReason, is_about_credentials};

/// A connection that is being used.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    monitor: &'a ConnectionMonitor,
    servers: &'a mut ServerList,
    server: &'a ServerAddress,
    socket: Socket,
    decoder: Decoder,
    /// What is being written, and how much of it was.
    writing: Vec<u8>,
    written: usize,
    flushed: bool,
    /// When settlements that wait for others are written, if some do.
    linger: Pin<Box<Sleep>>,
    lingers: Option<Instant>,
    /// Messages of one subscription that came in one read.
    batch: Vec<WireMessage>,
    recipient: Option<(u64, Arc<Queue>)>,
    /// When the last read was: what it brought has arrived then.
    read: Instant,
    ping_interval: Duration,
    ping: Pin<Box<Sleep>>,
    /// Whether something came since the last ping.
    heard: bool,
    /// How many pings there were since something came.
    unanswered: u32,
    /// The last error of the server since it has answered to a ping, which mostly ends the
    /// connection next.
    error: Option<String>,
    /// When the connection is left although the server has not confirmed that.
    leaving: Option<Pin<Box<Sleep>>>,
    /// How many times leaving was begun: for a move, for a close.
    left: u32,
    /// Whether it is left for good.
    closing: bool,
}

/// How a connection ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was closed on this side: everything was written.
    Closed,
    /// The server is about to stop, and there are others.
    Moved,
    /// It was lost.
    Lost(Loss),
}

/// Why a connection was lost.
#[derive(Debug)]
pub(super) enum Loss {
    /// The server has ended it, after this error if it sent one.
    Ended(Option<String>),
    /// It cannot be read or written.
    Io(io::Error),
    /// What the server sends cannot be read.
    Wire(WireFault),
    /// The server's `INFO` cannot be read.
    Info(serde_json::Error),
    /// The server does not answer to pings.
    Stale,
}

/// The most characters of a server's text in a log line.
const MAX_TEXT: usize = 500;

/// What a server says when it takes no more subscriptions (nats-server, `server/errors.go`). The
/// connection stays.
const TOO_MANY: &str = "maximum subscriptions exceeded";

/// After how many pings without anything from the server the connection is lost.
const STALE: u32 = 3;

/// How long settlements wait for others to be written with them.
const LINGER: Duration = Duration::from_millis(1);

/// How long it is waited until the server has taken what was written before a connection is
/// left.
const LEAVING: Duration = Duration::from_secs(2);

impl<'a> Session<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        monitor: &'a ConnectionMonitor,
        servers: &'a mut ServerList,
        server: &'a ServerAddress,
        established: Established,
        ping_interval: Duration,
    ) -> Self {
        let mut session = Self {
            shared,
            monitor,
            servers,
            server,
            socket: established.socket,
            decoder: established.decoder,
            writing: Vec::new(),
            written: 0,
            flushed: true,
            linger: Box::pin(sleep(LINGER)),
            lingers: None,
            batch: Vec::new(),
            recipient: None,
            read: Instant::now(),
            ping_interval,
            ping: Box::pin(sleep(ping_interval)),
            heard: true,
            unanswered: 0,
            error: None,
            leaving: None,
            left: 0,
            closing: false,
        };
        session.learn(&established.info);
        session
    }

    /// Serves until the connection ends, or `told` says that it is not wanted any more.
    pub(super) async fn run(mut self, told: impl Future<Output = ()>) -> Ending {
        let mut told = pin!(told);
        let ending = std::future::poll_fn(|cx| {
            if !self.closing && told.as_mut().poll(cx).is_ready() {
                self.closing = true;
                self.leave();
            }
            self.poll(cx)
        })
        .await;
        if !matches!(ending, Ending::Closed) {
            let mut outgoing = self.shared.outgoing();
            outgoing.put_back(&self.writing, self.written);
        }
        ending
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        loop {
            let read = self.poll_read(cx);
            if let Poll::Ready(Ok(Some(ending))) = read {
                return Poll::Ready(ending);
            }
            // What was said before the end is in our hands already.
            if let Poll::Ready(Err(loss)) = read {
                return Poll::Ready(Ending::Lost(loss));
            }
            if let Poll::Ready(Err(error)) = self.poll_write(cx) {
                return Poll::Ready(Ending::Lost(self.lost(error)));
            }
            if read.is_pending() {
                break;
            }
        }
        self.poll_timers(cx)
    }

    /// Takes all frames that have come, and reads once.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Ending>, Loss>> {
        let taken = self.take_frames();
        self.hand_over();
        if let Some(ending) = taken? {
            return Poll::Ready(Ok(Some(ending)));
        }
        let reading = pin!(self.socket.read_buf(self.decoder.room()));
        match ready!(reading.poll(cx)) {
            Ok(0) => Poll::Ready(Err(Loss::Ended(self.error.take()))),
            Ok(_) => {
                self.heard = true;
                self.read = Instant::now();
                Poll::Ready(Ok(None))
            }
            Err(error) => Poll::Ready(Err(self.lost(error))),
        }
    }

    fn take_frames(&mut self) -> Result<Option<Ending>, Loss> {
        while let Some(frame) = self.decoder.next().map_err(Loss::Wire)? {
            match frame {
                Frame::Message(sid, message) => self.deliver(sid, message),
                Frame::Ping => self.shared.outgoing().pong(),
                Frame::Pong => {
                    if let Some(ending) = self.take_pong() {
                        return Ok(Some(ending));
                    }
                }
                Frame::Ok => {}
                Frame::Info(json) => {
                    let info = ServerInfo::parse(&json).map_err(Loss::Info)?;
                    self.decoder.learn_max_payload(info.max_payload);
                    self.learn(&info);
                }
                Frame::Error(text) => self.hear(&String::from_utf8_lossy(&text)),
            }
        }
        Ok(None)
    }

    fn deliver(&mut self, sid: u64, message: WireMessage) {
        let same = self
            .recipient
            .as_ref()
            .is_some_and(|(last, _)| *last == sid);
        if !same {
            self.hand_over();
            // A subscription that was dropped has none.
            self.recipient = self.shared.queue(sid).map(|queue| (sid, queue));
        }
        if self.recipient.is_some() {
            self.batch.push(message.arrived_at(self.read));
        }
    }

    /// Hands over the messages that came for the last subscription.
    fn hand_over(&mut self) {
        if let Some((_, queue)) = self.recipient.take()
            && !self.batch.is_empty()
        {
            queue.push(&mut self.batch);
        }
    }

    fn take_pong(&mut self) -> Option<Ending> {
        // All that came before the answer is read before what waits for it goes on.
        self.hand_over();
        // A server that goes on after an error does not end the connection because of it.
        self.error = None;
        let pong = self.shared.outgoing().take_pong();
        match pong {
            Some(Pong::Flushed(flushed)) => {
                // Nobody may wait any more.
                let _ = flushed.send(());
                None
            }
            // A close may follow a move: what was sent until then is behind the first ping.
            Some(Pong::Left(time)) if time == self.left => Some(self.left()),
            Some(Pong::Departed(departure)) => {
                drop(departure);
                None
            }
            Some(Pong::Left(_) | Pong::Alive) | None => None,
        }
    }

    /// The server says something of itself and its cluster.
    fn learn(&mut self, info: &ServerInfo) {
        let secure = self.socket.is_secure();
        self.servers.learn(&info.connect_urls, secure);
        if info.ldm && self.leaving.is_none() && self.servers.has_others(self.server) {
            tracing::info!(target: crate::TRACING_TARGET, server = %shown(&info.server_name), "the NATS server is about to stop; the connection for deliveries moves to another");
            self.shared.leave_all();
            self.leave();
        }
    }

    /// The server reports an error.
    fn hear(&mut self, text: &str) {
        if let Some(denial) = Denial::parse(text) {
            self.monitor.hear_denial(denial);
            return;
        }
        if text.eq_ignore_ascii_case(TOO_MANY) {
            let refused = self.shared.outgoing().refused();
            for Subscribing { sid, subject } in refused {
                self.monitor.hear_denial(Denial::Excess { sid, subject });
            }
            return;
        }
        let error = shown(text);
        tracing::warn!(target: crate::TRACING_TARGET, %error, "the NATS server reports an error on the connection for deliveries");
        self.error = Some(text.to_owned());
    }

    /// Begins to leave: when the server has taken everything that was written, at the latest
    /// after a while.
    fn leave(&mut self) {
        self.left += 1;
        self.shared.outgoing().ping(Pong::Left(self.left));
        self.leaving = Some(Box::pin(sleep(LEAVING)));
    }

    /// How the connection ends when it was left.
    fn left(&self) -> Ending {
        if self.closing {
            Ending::Closed
        } else {
            Ending::Moved
        }
    }

    /// Writes everything that waits.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.written == self.writing.len() {
                let mut outgoing = self.shared.outgoing();
                let taken = outgoing.take(&mut self.writing, cx);
                let made_room = taken == Taken::Something && outgoing.made_room();
                drop(outgoing);
                self.written = 0;
                if made_room {
                    self.shared.room.notify_waiters();
                }
                if taken != Taken::Later {
                    self.lingers = None;
                } else if self.lingers.is_none() {
                    let until = Instant::now() + LINGER;
                    self.linger.as_mut().reset(until);
                    self.lingers = Some(until);
                }
                if taken != Taken::Something {
                    if !self.flushed {
                        ready!(Pin::new(&mut self.socket).poll_flush(cx))?;
                        self.flushed = true;
                    }
                    if self.lingers.is_some() && self.linger.as_mut().poll(cx).is_ready() {
                        self.shared.outgoing().hurry();
                        continue;
                    }
                    return Poll::Pending;
                }
                self.flushed = false;
            }
            let rest = &self.writing[self.written..];
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
    }

    fn poll_timers(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        if let Some(leaving) = &mut self.leaving
            && leaving.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(self.left());
        }
        while self.ping.as_mut().poll(cx).is_ready() {
            self.unanswered = if std::mem::take(&mut self.heard) {
                0
            } else {
                self.unanswered + 1
            };
            if self.unanswered >= STALE {
                return Poll::Ready(Ending::Lost(Loss::Stale));
            }
            // Which wakes this task to write it.
            self.shared.outgoing().ping(Pong::Alive);
            self.ping
                .as_mut()
                .reset(Instant::now() + self.ping_interval);
        }
        Poll::Pending
    }

    /// An error of the socket; the server's own words say more.
    fn lost(&mut self, error: io::Error) -> Loss {
        match self.error.take() {
            Some(text) => Loss::Ended(Some(text)),
            None => Loss::Io(error),
        }
    }
}

/// A server's text for a log line: escaped and shortened.
fn shown(text: &str) -> String {
    let shortened = text.chars().take(MAX_TEXT);
    shortened.flat_map(char::escape_debug).collect()
}

impl Loss {
    /// Why there is no connection, for users.
    pub(super) fn reason(&self) -> DisconnectReason {
        match self {
            Self::Ended(Some(text)) if is_about_credentials(text) => {
                DisconnectReason::Unauthenticated
            }
            _ => DisconnectReason::Lost,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(None) => f.write_str("the server has ended it"),
            Self::Ended(Some(text)) => {
                write!(f, "the server has ended it: {}", shown(text))
            }
            Self::Io(error) => write!(f, "{error}"),
            Self::Wire(fault) => write!(f, "{fault}"),
            Self::Info(error) => write!(f, "the server's INFO cannot be read: {error}"),
            Self::Stale => f.write_str("the server does not answer"),
        }
    }
}

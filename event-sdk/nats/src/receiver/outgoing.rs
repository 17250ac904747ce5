//! `Outgoing`: commands that wait to be written. All that wait are written at once.

use std::collections::VecDeque;
use std::io::Write as _;
use std::task::{Context, Waker};

use tokio::sync::oneshot;

/// Commands in the order in which they are written: those of this session, then settlements,
/// then pings.
///
/// A request is written before a settlement that was made earlier. That changes nothing: a
/// server serves requests and takes settlements at any time. Subscriptions begin and end
/// before what is published later.
#[derive(Debug)]
pub(super) struct Outgoing {
    connected: bool,
    ended: bool,
    /// What has no meaning on another connection: subscribing, unsubscribing, requests.
    session: Vec<u8>,
    /// What is written to the next connection if this one is lost before: settlements.
    kept: Vec<u8>,
    /// How many pings are to be written.
    pings: usize,
    /// What waits for an answer to a ping, in the order of the pings.
    pongs: VecDeque<Pong>,
    /// Whether somebody waits for room.
    crowded: bool,
    /// The task that writes, if it has nothing to write.
    writer: Option<Waker>,
}

/// What an answer to a ping means.
#[derive(Debug)]
pub(super) enum Pong {
    /// The server is there.
    Alive,
    /// Everything before the ping was processed, for whoever waits for that.
    Flushed(oneshot::Sender<()>),
    /// The subscriptions have ended, and everything they had came before.
    Left,
}

/// How many bytes of settlements wait before further ones have to wait for room: some 10,000
/// acks, while there is no connection or the server does not read.
const MOST_KEPT: usize = 1024 * 1024;

/// A buffer that became larger is not kept.
const LARGEST_BUFFER: usize = 1024 * 1024;

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            connected: false,
            ended: false,
            session: Vec::new(),
            kept: Vec::new(),
            pings: 0,
            pongs: VecDeque::new(),
            crowded: false,
            writer: None,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// There is a connection, on which nothing was said yet.
    pub(super) fn connect(&mut self) {
        self.lose();
        self.connected = true;
    }

    /// The connection was lost; settlements are kept.
    pub(super) fn lose(&mut self) {
        self.connected = false;
        self.session.clear();
        self.pings = 0;
        self.pongs.clear();
        self.writer = None;
    }

    /// Nothing is written any more.
    pub(super) fn end(&mut self) {
        self.lose();
        self.ended = true;
        self.kept = Vec::new();
    }

    /// Whether a settlement has room. If not, the writer says when there may be some.
    pub(super) fn has_room(&mut self) -> bool {
        self.crowded = self.kept.len() >= MOST_KEPT;
        !self.crowded
    }

    /// Whether somebody waits for the room that there is now.
    pub(super) fn made_room(&mut self) -> bool {
        std::mem::take(&mut self.crowded)
    }

    /// A message that is kept until there is a connection.
    pub(super) fn publish_kept(&mut self, subject: &[u8], body: &[u8]) {
        publish(&mut self.kept, subject, None, body);
        self.wake();
    }

    /// A message that has a meaning on this connection only; nothing without one.
    pub(super) fn request(&mut self, subject: &[u8], reply: &[u8], body: &[u8]) {
        if self.connected {
            publish(&mut self.session, subject, Some(reply), body);
            self.wake();
        }
    }

    pub(super) fn subscribe(&mut self, subject: &str, queue: Option<&str>, sid: u64) {
        if self.connected {
            // Writing to a Vec does not fail.
            let _ = match queue {
                Some(queue) => write!(self.session, "SUB {subject} {queue} {sid}\r\n"),
                None => write!(self.session, "SUB {subject} {sid}\r\n"),
            };
            self.wake();
        }
    }

    pub(super) fn unsubscribe(&mut self, sid: u64) {
        if self.connected {
            // Writing to a Vec does not fail.
            let _ = write!(self.session, "UNSUB {sid}\r\n");
            self.wake();
        }
    }

    /// A ping behind everything that waits.
    /// Without a connection it is dropped with what waits for it.
    pub(super) fn ping(&mut self, pong: Pong) {
        if self.connected {
            self.pings += 1;
            self.pongs.push_back(pong);
            self.wake();
        }
    }

    /// The answer to a ping of the server.
    pub(super) fn pong(&mut self) {
        if self.connected {
            self.session.extend_from_slice(b"PONG\r\n");
            self.wake();
        }
    }

    /// The server has answered to the first ping that waits; `None` if there was none.
    pub(super) fn take_pong(&mut self) -> Option<Pong> {
        self.pongs.pop_front()
    }

    /// Moves everything that waits into `writing`, which is empty; `false` if there is nothing,
    /// and the task is woken when there is.
    pub(super) fn take(&mut self, writing: &mut Vec<u8>, cx: &Context<'_>) -> bool {
        writing.clear();
        if writing.capacity() > LARGEST_BUFFER {
            *writing = Vec::new();
        }
        if self.session.is_empty() {
            std::mem::swap(writing, &mut self.kept);
        } else {
            std::mem::swap(writing, &mut self.session);
            writing.append(&mut self.kept);
        }
        for _ in 0..std::mem::take(&mut self.pings) {
            writing.extend_from_slice(b"PING\r\n");
        }
        if writing.is_empty() {
            self.writer = Some(cx.waker().clone());
        }
        !writing.is_empty()
    }

    fn wake(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

fn publish(buffer: &mut Vec<u8>, subject: &[u8], reply: Option<&[u8]>, body: &[u8]) {
    buffer.extend_from_slice(b"PUB ");
    buffer.extend_from_slice(subject);
    buffer.push(b' ');
    if let Some(reply) = reply {
        buffer.extend_from_slice(reply);
        buffer.push(b' ');
    }
    // Writing to a Vec does not fail.
    let _ = write!(buffer, "{}\r\n", body.len());
    buffer.extend_from_slice(body);
    buffer.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(outgoing: &mut Outgoing) -> String {
        let mut writing = Vec::new();
        outgoing.take(&mut writing, &Context::from_waker(Waker::noop()));
        String::from_utf8(writing).unwrap()
    }

    #[test]
    fn all_that_waits_is_written_at_once_and_in_order() {
        let mut outgoing = Outgoing::new();
        outgoing.connect();
        outgoing.ping(Pong::Alive);
        outgoing.publish_kept(b"ack.1", b"+ACK");
        outgoing.publish_kept(b"ack.2", b"");
        outgoing.subscribe("inbox.*", None, 1);
        outgoing.subscribe("a.>", Some("group"), 2);
        outgoing.request(b"next", b"inbox.1", b"{}");
        outgoing.unsubscribe(1);
        outgoing.pong();
        let all = "SUB inbox.* 1\r\nSUB a.> group 2\r\nPUB next inbox.1 2\r\n{}\r\nUNSUB 1\r\nPONG\r\n\
                   PUB ack.1 4\r\n+ACK\r\nPUB ack.2 0\r\n\r\nPING\r\n";
        assert_eq!(taken(&mut outgoing), all);
        assert_eq!(taken(&mut outgoing), "");
        assert!(matches!(outgoing.take_pong(), Some(Pong::Alive)));
        assert!(outgoing.take_pong().is_none());
    }

    #[test]
    fn settlements_alone_outlive_a_connection() {
        let mut outgoing = Outgoing::new();
        outgoing.request(b"next", b"inbox.1", b"{}");
        outgoing.publish_kept(b"ack.1", b"+ACK");
        outgoing.subscribe("inbox.*", None, 1);
        let (flushed, mut flushing) = oneshot::channel();
        outgoing.connect();
        outgoing.ping(Pong::Flushed(flushed));
        outgoing.request(b"next", b"inbox.1", b"{}");
        outgoing.lose();
        assert!(matches!(
            flushing.try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        ));
        outgoing.request(b"next", b"inbox.1", b"{}");
        outgoing.connect();
        assert_eq!(taken(&mut outgoing), "PUB ack.1 4\r\n+ACK\r\n");
        outgoing.publish_kept(b"ack.2", b"+ACK");
        outgoing.end();
        assert_eq!(taken(&mut outgoing), "");
    }

    #[test]
    fn settlements_wait_for_room_when_too_many_are_not_written() {
        let mut outgoing = Outgoing::new();
        let body = vec![b'x'; MOST_KEPT / 8];
        let mut taken = 0;
        while outgoing.has_room() {
            outgoing.publish_kept(b"ack", &body);
            taken += 1;
        }
        assert_eq!(taken, 8);
    }
}

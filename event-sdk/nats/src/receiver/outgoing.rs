//! `Outgoing`: commands that wait to be written. All that wait are written at once.

use std::collections::VecDeque;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::sync::{oneshot, watch};

/// Commands in the order in which they are written: those of this session, then settlements,
/// then pings.
///
/// A request is written before a settlement that was made earlier. That changes nothing: a
/// server serves requests and takes settlements at any time. Subscriptions begin and end
/// before what is published later.
#[derive(Debug)]
pub(super) struct Outgoing {
    link: Link,
    /// What has no meaning on another connection: subscribing, unsubscribing, requests.
    session: Vec<u8>,
    /// What is written to the next connection if this one is lost before the socket takes it:
    /// settlements.
    kept: Vec<u8>,
    /// Where settlements are in what was taken last.
    taken: Range<usize>,
    /// How many pings are to be written.
    pings: usize,
    /// What waits for an answer to a ping, in the order of the pings.
    pongs: VecDeque<Pong>,
    /// Whether somebody waits for room.
    crowded: bool,
    pace: Pace,
    /// The task that writes, if it has nothing to write.
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Lost,
    Connected,
    Ended,
}

/// What becomes of the settlements that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// The task has not seen them.
    Unseen,
    /// They wait for others to be written with them.
    Lingers,
    /// They are written at once.
    Urgent,
}

/// When a settlement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// At once.
    Now,
    /// Together with others that are about to come, and within a moment: their caller has
    /// further messages at hand.
    Soon,
}

/// What there is to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Nothing,
    /// Settlements that wait for others.
    Later,
    Something,
}

/// What an answer to a ping means.
#[derive(Debug)]
pub(super) enum Pong {
    /// The server is there.
    Alive,
    /// Everything before the ping was processed, for whoever waits for that.
    Flushed(oneshot::Sender<()>),
    /// Everything before the ping was taken, when the connection was to be left for this time.
    Left(u32),
    /// A member of a group has left it.
    Departed(Departure),
}

/// A member of a group that is leaving it, until the server knows or the connection is lost.
#[derive(Debug)]
pub(super) struct Departure(Arc<watch::Sender<usize>>);

impl Departure {
    /// Counts it in `all`.
    pub(super) fn begin(all: &Arc<watch::Sender<usize>>) -> Self {
        all.send_modify(|departing| *departing += 1);
        Self(Arc::clone(all))
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        self.0
            .send_modify(|departing| *departing = departing.saturating_sub(1));
    }
}

/// How many bytes of settlements wait before further ones have to wait for room: some 10,000
/// acks, while there is no connection or the server does not read.
const MOST_KEPT: usize = 1024 * 1024;

/// So many bytes of settlements do not wait for others.
const FULL: usize = 8 * 1024;

/// A buffer that became larger is not kept.
const LARGEST_BUFFER: usize = 1024 * 1024;

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            link: Link::Lost,
            session: Vec::new(),
            kept: Vec::new(),
            taken: 0..0,
            pings: 0,
            pongs: VecDeque::new(),
            crowded: false,
            pace: Pace::Unseen,
            writer: None,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.link == Link::Ended
    }

    fn is_connected(&self) -> bool {
        self.link == Link::Connected
    }

    /// There is a connection, on which nothing was said yet.
    pub(super) fn connect(&mut self) {
        self.lose();
        self.link = Link::Connected;
        // What was kept has waited long enough.
        self.pace = Pace::Urgent;
    }

    /// The connection was lost; settlements are kept.
    pub(super) fn lose(&mut self) {
        self.link = Link::Lost;
        self.pace = Pace::Unseen;
        self.session.clear();
        self.pings = 0;
        self.pongs.clear();
        self.writer = None;
    }

    /// The connection is lost after so many bytes of what was taken last: settlements that the
    /// socket has not taken as a whole are kept for the next one.
    pub(super) fn put_back(&mut self, writing: &[u8], written: usize) {
        let Range { start, end } = std::mem::take(&mut self.taken);
        let Some(settlements) = writing.get(start..end) else {
            return;
        };
        let mut rest = settlements;
        while !rest.is_empty() {
            let (length, done) = (frame_length(rest), writing.len().min(end) - rest.len());
            if done + length > written {
                break;
            }
            rest = &rest[length..];
        }
        if !rest.is_empty() && !self.has_ended() {
            self.kept.splice(0..0, rest.iter().copied());
        }
    }

    /// Nothing is written any more.
    pub(super) fn end(&mut self) {
        self.lose();
        self.link = Link::Ended;
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
    pub(super) fn publish_kept(&mut self, subject: &[u8], body: &[u8], haste: Haste) {
        publish(&mut self.kept, subject, None, body);
        if haste == Haste::Now || self.kept.len() >= FULL {
            self.pace = Pace::Urgent;
        }
        // Where they linger, the task says when it is time.
        if self.pace != Pace::Lingers {
            self.wake();
        }
    }

    /// Settlements that wait for others are written now.
    pub(super) fn hurry(&mut self) {
        if !self.kept.is_empty() && self.pace != Pace::Urgent {
            self.pace = Pace::Urgent;
            self.wake();
        }
    }

    /// A message that has a meaning on this connection only; nothing without one.
    pub(super) fn request(&mut self, subject: &[u8], reply: &[u8], body: &[u8]) {
        if self.is_connected() {
            publish(&mut self.session, subject, Some(reply), body);
            self.wake();
        }
    }

    pub(super) fn subscribe(&mut self, subject: &str, queue: Option<&str>, sid: u64) {
        if self.is_connected() {
            // Writing to a Vec does not fail.
            let _ = match queue {
                Some(queue) => write!(self.session, "SUB {subject} {queue} {sid}\r\n"),
                None => write!(self.session, "SUB {subject} {sid}\r\n"),
            };
            self.wake();
        }
    }

    pub(super) fn unsubscribe(&mut self, sid: u64) {
        if self.is_connected() {
            // Writing to a Vec does not fail.
            let _ = write!(self.session, "UNSUB {sid}\r\n");
            self.wake();
        }
    }

    /// A ping behind everything that waits.
    /// Without a connection it is dropped with what waits for it.
    pub(super) fn ping(&mut self, pong: Pong) {
        if self.is_connected() {
            self.pings += 1;
            self.pongs.push_back(pong);
            self.wake();
        }
    }

    /// The answer to a ping of the server.
    pub(super) fn pong(&mut self) {
        if self.is_connected() {
            self.session.extend_from_slice(b"PONG\r\n");
            self.wake();
        }
    }

    /// The server has answered to the first ping that waits; `None` if there was none.
    pub(super) fn take_pong(&mut self) -> Option<Pong> {
        self.pongs.pop_front()
    }

    /// Moves everything that waits into `writing`, which is empty. The task is woken when there
    /// is something to write that there is not now.
    pub(super) fn take(&mut self, writing: &mut Vec<u8>, cx: &Context<'_>) -> Taken {
        writing.clear();
        self.taken = 0..0;
        let only_settlements = self.session.is_empty() && self.pings == 0;
        if only_settlements && !self.kept.is_empty() && self.pace != Pace::Urgent {
            self.pace = Pace::Lingers;
            self.writer = Some(cx.waker().clone());
            return Taken::Later;
        }
        self.pace = Pace::Unseen;
        if writing.capacity() > LARGEST_BUFFER {
            *writing = Vec::new();
        }
        let begin = self.session.len();
        if self.session.is_empty() {
            std::mem::swap(writing, &mut self.kept);
        } else {
            std::mem::swap(writing, &mut self.session);
            writing.append(&mut self.kept);
        }
        self.taken = begin..writing.len();
        for _ in 0..std::mem::take(&mut self.pings) {
            writing.extend_from_slice(b"PING\r\n");
        }
        if writing.is_empty() {
            self.writer = Some(cx.waker().clone());
            return Taken::Nothing;
        }
        Taken::Something
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
    write_number(buffer, body.len());
    buffer.extend_from_slice(b"\r\n");
    buffer.extend_from_slice(body);
    buffer.extend_from_slice(b"\r\n");
}

/// How long the first message of what [`publish`] has written is.
fn frame_length(buffer: &[u8]) -> usize {
    let Some(line) = memchr::memchr(b'\n', buffer) else {
        return buffer.len();
    };
    let digits = buffer[..line].rsplit(|byte| *byte == b' ').next();
    let body = digits.unwrap_or_default().iter().fold(0, |sum, digit| {
        if digit.is_ascii_digit() {
            sum * 10 + usize::from(digit - b'0')
        } else {
            sum
        }
    });
    // Each of both ends with a line end.
    (line + 1 + body + 2).min(buffer.len())
}

/// Without the formatting of std, which takes longer than the rest of an ack.
fn write_number(buffer: &mut Vec<u8>, number: usize) {
    let mut digits = [0_u8; 20];
    let (mut begin, mut rest) = (digits.len(), number);
    for digit in digits.iter_mut().rev() {
        // A remainder of ten fits.
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        begin -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    buffer.extend_from_slice(&digits[begin..]);
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
        outgoing.publish_kept(b"ack.1", b"+ACK", Haste::Now);
        outgoing.publish_kept(b"ack.2", b"", Haste::Now);
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
    fn a_settlement_waits_for_others_until_there_is_a_reason_to_write() {
        let ack = |outgoing: &mut Outgoing| outgoing.publish_kept(b"a", b"+ACK", Haste::Soon);
        let one = "PUB a 4\r\n+ACK\r\n";
        let mut outgoing = Outgoing::new();
        outgoing.connect();
        assert_eq!(taken(&mut outgoing), "");
        ack(&mut outgoing);
        assert_eq!(taken(&mut outgoing), "");
        ack(&mut outgoing);
        outgoing.hurry();
        assert_eq!(taken(&mut outgoing), one.repeat(2));
        ack(&mut outgoing);
        assert_eq!(taken(&mut outgoing), "");
        outgoing.publish_kept(b"a", b"+ACK", Haste::Now);
        assert_eq!(taken(&mut outgoing), one.repeat(2));
        ack(&mut outgoing);
        outgoing.unsubscribe(1);
        assert_eq!(taken(&mut outgoing), format!("UNSUB 1\r\n{one}"));
        let mut many = 0;
        while taken(&mut outgoing).is_empty() {
            ack(&mut outgoing);
            many += 1;
        }
        assert_eq!(many, FULL.div_ceil(one.len()));
    }

    #[test]
    fn lengths_are_written_in_decimal() {
        for number in [0, 4, 9, 10, 99, 100, 1_048_576, usize::MAX] {
            let mut buffer = Vec::new();
            write_number(&mut buffer, number);
            assert_eq!(String::from_utf8(buffer).unwrap(), number.to_string());
        }
    }

    #[test]
    fn settlements_alone_outlive_a_connection() {
        let mut outgoing = Outgoing::new();
        outgoing.request(b"next", b"inbox.1", b"{}");
        outgoing.publish_kept(b"ack.1", b"+ACK", Haste::Now);
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
        outgoing.publish_kept(b"ack.2", b"+ACK", Haste::Now);
        outgoing.end();
        assert_eq!(taken(&mut outgoing), "");
    }

    #[test]
    fn what_the_socket_has_not_taken_as_a_whole_is_written_to_the_next_connection() {
        let acks = ["PUB ack.1 4\r\n+ACK\r\n", "PUB ack.2 0\r\n\r\n"];
        let later = "PUB ack.3 4\r\n+ACK\r\n";
        let before = "SUB a 1\r\n";
        let first = before.len() + acks[0].len();
        let second = first + acks[1].len();
        for (written, again) in [
            (0, 0),
            (before.len() + 1, 0),
            (first - 1, 0),
            (first, 1),
            (second - 1, 1),
            (second, 2),
            (second + 3, 2),
        ] {
            let mut outgoing = Outgoing::new();
            outgoing.connect();
            outgoing.subscribe("a", None, 1);
            outgoing.publish_kept(b"ack.1", b"+ACK", Haste::Now);
            outgoing.publish_kept(b"ack.2", b"", Haste::Now);
            outgoing.ping(Pong::Alive);
            let mut writing = Vec::new();
            outgoing.take(&mut writing, &Context::from_waker(Waker::noop()));
            outgoing.publish_kept(b"ack.3", b"+ACK", Haste::Now);
            outgoing.put_back(&writing, written);
            outgoing.connect();
            let all = acks[again..].concat() + later;
            assert_eq!(taken(&mut outgoing), all, "after {written} bytes");
        }
    }

    #[test]
    fn settlements_wait_for_room_when_too_many_are_not_written() {
        let mut outgoing = Outgoing::new();
        let body = vec![b'x'; MOST_KEPT / 8];
        let mut taken = 0;
        while outgoing.has_room() {
            outgoing.publish_kept(b"ack", &body, Haste::Now);
            taken += 1;
        }
        assert_eq!(taken, 8);
    }
}

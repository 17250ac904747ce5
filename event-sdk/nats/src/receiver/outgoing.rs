//! `Outgoing`: commands that wait to be written. All that wait are written at once.

#[cfg(test)]
mod tests;

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
    /// How many of the pings were answered.
    answered: u64,
    /// The subscriptions that the server has not taken for certain, with the number of the first
    /// ping behind each.
    subscribing: VecDeque<(u64, Subscribing)>,
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

/// A subscription that the server may refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscribing {
    pub(super) sid: u64,
    pub(super) subject: String,
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
            answered: 0,
            subscribing: VecDeque::new(),
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
        self.subscribing.clear();
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
            // It is written before the pings that were not.
            let before = self.pongs.len().saturating_sub(self.pings);
            let ping = self.answered + u64::try_from(before).unwrap_or(u64::MAX);
            let subject = subject.to_owned();
            self.subscribing
                .push_back((ping, Subscribing { sid, subject }));
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
        let pong = self.pongs.pop_front()?;
        self.answered += 1;
        self.take_subscribing(|ping, answered| ping < answered);
        Some(pong)
    }

    /// The server takes no more subscriptions: those that it may mean, all that were written
    /// since the ping that it has answered last.
    pub(super) fn refused(&mut self) -> Vec<Subscribing> {
        self.take_subscribing(|ping, answered| ping <= answered)
    }

    fn take_subscribing(&mut self, which: impl Fn(u64, u64) -> bool) -> Vec<Subscribing> {
        let answered = self.answered;
        let count = self
            .subscribing
            .iter()
            .take_while(|(ping, _)| which(*ping, answered))
            .count();
        let taken = self.subscribing.drain(..count);
        taken.map(|(_, subscribing)| subscribing).collect()
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

//! `Decoder`: splits the bytes that a server sends into frames (NATS client protocol), without
//! copying and without trusting any length.

mod arguments;
#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};

use self::arguments::Arguments;
use super::message::{Parts, WireMessage};

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    /// What the server is, as JSON.
    Info(Bytes),
    /// A message for the subscription with this number.
    Message(u64, WireMessage),
    Ping,
    Pong,
    Ok,
    /// An error, without the quotes around its text.
    Error(Bytes),
}

/// Why the bytes of a server cannot be read. The connection ends then, since it is unknown
/// where the next frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireFault {
    /// A control line has no end.
    EndlessLine,
    /// A verb that no server sends.
    UnknownVerb,
    /// The arguments of a message cannot be read.
    Arguments,
    /// A message is larger than a server may send.
    TooLarge,
    /// A message does not end where its length says.
    Length,
}

/// The longest control line: an `INFO` that names thousands of servers is shorter.
const LONGEST_LINE: usize = 1024 * 1024;

/// The largest message, with headers, whatever a server says of its `max_payload`: that
/// limits what is published now. What was stored under a higher limit is larger, and so is
/// a message to which the server adds headers. nats-server itself allows no more than this
/// (`MAX_PAYLOAD_MAX_SIZE`).
const LARGEST_MESSAGE: usize = 64 * 1024 * 1024 + LONGEST_LINE;

/// No server is believed that it sends larger ones.
const BEYOND_ANY: usize = 1024 * 1024 * 1024;

/// How much is read at a time.
const READ: usize = 64 * 1024;

/// Less room than this in the buffer is not worth a read.
const LEAST_ROOM: usize = 8 * 1024;

/// Reads frames.
#[derive(Debug)]
pub(super) struct Decoder {
    buffer: BytesMut,
    /// How many bytes at the beginning of the buffer have no line end.
    scanned: usize,
    /// A message whose control line was read and whose rest has not come.
    head: Option<Head>,
    /// The largest message.
    largest: usize,
}

/// A message of which the control line was read.
#[derive(Debug)]
struct Head {
    sid: u64,
    parts: Parts,
}

/// What follows a body.
const END: &[u8] = b"\r\n";

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            scanned: 0,
            head: None,
            largest: LARGEST_MESSAGE,
        }
    }

    /// A server has said how large a message may be that is published to it.
    pub(super) fn learn_max_payload(&mut self, max_payload: usize) {
        self.largest = max_payload
            .saturating_add(LONGEST_LINE)
            .clamp(LARGEST_MESSAGE, BEYOND_ANY);
    }

    /// Where the next bytes are read to. The buffer grows with what has come, by at most as
    /// much again, whatever length was announced.
    pub(super) fn room(&mut self) -> &mut BytesMut {
        let more = match &self.head {
            Some(head) => {
                let rest = (head.parts.body.end + END.len()).saturating_sub(self.buffer.len());
                rest.min(self.buffer.len()).max(LEAST_ROOM)
            }
            None => LEAST_ROOM,
        };
        if self.buffer.capacity() - self.buffer.len() < more {
            self.buffer.reserve(more.max(READ));
        }
        &mut self.buffer
    }

    /// Whether everything that has come was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The next frame; `None` if it has not come as a whole.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, WireFault> {
        if self.head.is_none() {
            let Some(end) = self.line_end()? else {
                return Ok(None);
            };
            match read_line(&self.buffer[..end], self.largest)? {
                Line::Head(head) => self.head = Some(head),
                Line::Info => {
                    let line = self.take_line(end);
                    return Ok(Some(Frame::Info(line.slice(INFO.len()..))));
                }
                Line::Error => {
                    let line = self.take_line(end);
                    return Ok(Some(Frame::Error(error_text(&line))));
                }
                Line::Bare(frame) => {
                    drop(self.take_line(end));
                    return Ok(Some(frame));
                }
            }
        }
        let Some(head) = self.head.take_if(|head| {
            let length = head.parts.body.end + END.len();
            self.buffer.len() >= length
        }) else {
            return Ok(None);
        };
        let frame = self.buffer.split_to(head.parts.body.end + END.len());
        self.scanned = 0;
        if !frame.ends_with(END) {
            return Err(WireFault::Length);
        }
        let message = WireMessage::new(frame.freeze(), head.parts);
        Ok(Some(Frame::Message(head.sid, message)))
    }

    /// Where the line feed of the first line is. Each byte is looked at once.
    fn line_end(&mut self) -> Result<Option<usize>, WireFault> {
        let found = memchr::memchr(b'\n', &self.buffer[self.scanned..]);
        let end = found.map(|at| self.scanned + at);
        self.scanned = end.unwrap_or(self.buffer.len());
        if self.scanned > LONGEST_LINE {
            return Err(WireFault::EndlessLine);
        }
        Ok(end)
    }

    /// The line that ends with the line feed at `end`, without its end.
    fn take_line(&mut self, end: usize) -> Bytes {
        let line = self.buffer.split_to(end + 1).freeze();
        self.scanned = 0;
        let length = trimmed(&line[..end]).len();
        line.slice(..length)
    }
}

/// A control line.
enum Line {
    Head(Head),
    Info,
    Error,
    Bare(Frame),
}

const INFO: &[u8] = b"INFO ";
const ERROR: &[u8] = b"-ERR";

/// `line` is all before the line feed.
fn read_line(line: &[u8], largest: usize) -> Result<Line, WireFault> {
    // With the line feed.
    let length = line.len() + 1;
    let line = trimmed(line);
    let head = |verb: &[u8], has_headers| {
        let arguments = Arguments::read(line, verb.len(), has_headers)?;
        let too_large = arguments.total > largest;
        if too_large {
            return Err(WireFault::TooLarge);
        }
        let body = length + arguments.headers;
        Ok(Line::Head(Head {
            sid: arguments.sid,
            parts: Parts {
                subject: arguments.subject,
                reply: arguments.reply,
                headers: length..body,
                body: body..length + arguments.total,
            },
        }))
    };
    match line {
        [b'M', b'S', b'G', b' ', ..] => head(b"MSG ", false),
        [b'H', b'M', b'S', b'G', b' ', ..] => head(b"HMSG ", true),
        b"PING" => Ok(Line::Bare(Frame::Ping)),
        b"PONG" => Ok(Line::Bare(Frame::Pong)),
        b"+OK" => Ok(Line::Bare(Frame::Ok)),
        _ if line.starts_with(INFO) => Ok(Line::Info),
        _ if line.starts_with(ERROR) => Ok(Line::Error),
        _ => Err(WireFault::UnknownVerb),
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `-ERR 'text'` without all around the text.
fn error_text(line: &Bytes) -> Bytes {
    let text = line[ERROR.len()..].trim_ascii();
    let text = text.strip_prefix(b"'").unwrap_or(text);
    let text = text.strip_suffix(b"'").unwrap_or(text);
    line.slice_ref(text)
}

impl std::fmt::Display for WireFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::EndlessLine => "a line of the server has no end",
            Self::UnknownVerb => "the server sent a command that is none of the NATS protocol",
            Self::Arguments => "the server sent a message whose arguments cannot be read",
            Self::TooLarge => "the server announced a message larger than servers allow",
            Self::Length => "the server sent a message that is not as long as it announced",
        })
    }
}

impl std::error::Error for WireFault {}

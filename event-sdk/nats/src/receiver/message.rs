//! `WireMessage`: one `MSG` or `HMSG` as the server sent it, in one buffer that is never copied.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use tokio::time::Instant;

/// A message as bytes. Nothing in it was checked: subject and headers may be anything that
/// another client has published.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WireMessage {
    /// The control line with its end, the header block and the body.
    frame: Bytes,
    parts: Parts,
    /// When the connection had read it; none if it did not come over one.
    arrived: Option<Instant>,
}

/// Where the parts of a message are in its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) subject: Range<usize>,
    pub(super) reply: Option<Range<usize>>,
    /// Empty for a message without headers.
    pub(super) headers: Range<usize>,
    pub(super) body: Range<usize>,
}

impl WireMessage {
    /// All ranges must be within the frame, which the decoder has counted.
    pub(super) fn new(frame: Bytes, parts: Parts) -> Self {
        debug_assert!(parts.body.end <= frame.len(), "{parts:?}");
        Self {
            frame,
            parts,
            arrived: None,
        }
    }

    /// The connection had read all of it at this time.
    pub(super) fn arrived_at(mut self, time: Instant) -> Self {
        self.arrived = Some(time);
        self
    }

    /// When the connection had read it; none if it did not come over one.
    pub(crate) fn arrived(&self) -> Option<Instant> {
        self.arrived
    }

    /// The subject that it was published to.
    pub(crate) fn subject(&self) -> &[u8] {
        self.part(&self.parts.subject)
    }

    /// The reply subject: for a delivery of a consumer, where it is settled.
    pub(crate) fn reply(&self) -> Option<&[u8]> {
        self.parts.reply.as_ref().map(|reply| self.part(reply))
    }

    /// The reply subject as a text that shares the buffer; `None` if there is none, or it is
    /// not UTF-8.
    pub(crate) fn reply_subject(&self) -> Option<async_nats::Subject> {
        let reply = self.parts.reply.clone()?;
        async_nats::Subject::from_utf8(self.frame.slice(reply)).ok()
    }

    /// The header block with its version line; `None` for a message without headers.
    pub(crate) fn header_block(&self) -> Option<&[u8]> {
        (!self.parts.headers.is_empty()).then(|| self.part(&self.parts.headers))
    }

    /// How many bytes it takes, its control line included.
    pub(crate) fn size(&self) -> usize {
        self.frame.len()
    }

    /// The body, which shares the buffer.
    pub(crate) fn body(&self) -> Bytes {
        self.frame.slice(self.parts.body.clone())
    }

    /// How many bytes it has: subject, reply subject, headers and body.
    pub(crate) fn len(&self) -> usize {
        let parts = &self.parts;
        let reply = parts.reply.as_ref().map_or(0, Range::len);
        parts.subject.len() + reply + parts.headers.len() + parts.body.len()
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.frame.get(range.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for WireMessage {
    /// Shows sizes only: headers and body may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireMessage")
            .field("subject", &String::from_utf8_lossy(self.subject()))
            .field("headers", &self.parts.headers.len())
            .field("body", &self.parts.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
impl WireMessage {
    /// A message with these parts, for tests.
    pub(crate) fn of(subject: &[u8], reply: Option<&[u8]>, headers: &[u8], body: &[u8]) -> Self {
        let (mut frame, mut parts) = (Vec::new(), Vec::new());
        for part in [subject, reply.unwrap_or_default(), headers, body] {
            let start = frame.len();
            frame.extend_from_slice(part);
            parts.push(start..frame.len());
        }
        let parts = Parts {
            subject: parts[0].clone(),
            reply: reply.map(|_| parts[1].clone()),
            headers: parts[2].clone(),
            body: parts[3].clone(),
        };
        Self::new(frame.into(), parts)
    }
}

//! Parses the responses to direct gets (`$JS.API.DIRECT.GET`).

use jiff::Timestamp;

use crate::error::ErrorContext;
use crate::headers::{self, HeaderBlock};
use crate::receiver::WireMessage;
use crate::streams::Found;
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{Error, ErrorKind};

/// A stored message as a copy answers it, or a status. What the server knows of a message stands
/// in headers behind those of the publisher, who may have written anything.
pub(super) struct Answer(WireMessage);

impl Answer {
    pub(super) fn new(message: WireMessage) -> Self {
        Self(message)
    }

    /// The status of an answer that is no stored message: a publisher may have given a status to
    /// that.
    pub(super) fn status(&self) -> Option<u16> {
        if self.header("Nats-Sequence").is_some() {
            return None;
        }
        let rest = self.block().strip_prefix(b"NATS/1.0 ")?;
        let code = rest.get(..3)?;
        std::str::from_utf8(code).ok()?.parse().ok()
    }

    /// A number that the server has added.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        std::str::from_utf8(self.header(name)?).ok()?.parse().ok()
    }

    /// The stored message.
    pub(super) fn found(&self, about: &ErrorContext) -> Result<Found, Error> {
        let time = self.header("Nats-Time-Stamp");
        let time = time.and_then(|time| std::str::from_utf8(time).ok());
        let time: Option<Timestamp> = time.and_then(|time| time.parse().ok());
        let sequence = self.number("Nats-Sequence");
        let (Some(subject), Some(sequence), Some(stored_at)) =
            (self.header("Nats-Subject"), sequence, time)
        else {
            return Err(about.error(
                ErrorKind::Other,
                "the server's answer lacks what a stored message has",
            ));
        };
        let block = HeaderBlock::parse(self.block());
        let (headers, message_id) = match &block {
            Ok(block) => (headers::read(block), block.get("Nats-Msg-Id")),
            Err(_) => (Headers::new(), None),
        };
        let fault = match std::str::from_utf8(subject) {
            Err(_) => Some("its subject is not UTF-8".to_owned()),
            Ok(_) => block.err().map(|why| format!("its headers: {why}")),
        };
        Ok(Found {
            subject: String::from_utf8_lossy(subject).into_owned(),
            sequence,
            stored_at,
            message_id: message_id.map(Into::into),
            headers,
            body: self.0.body(),
            fault,
        })
    }

    /// A header that the server has added: the last one of its name, since a publisher may have
    /// written one of that name before (nats-server, `genHeader`).
    fn header(&self, name: &str) -> Option<&[u8]> {
        let lines = self.block().rsplit(|byte| *byte == b'\n');
        lines
            .filter_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"))
            .map(<[u8]>::trim_ascii)
            .next()
    }

    fn block(&self) -> &[u8] {
        self.0.header_block().unwrap_or_default()
    }
}

/// Whether a message has the sequence that was asked for, or a later one: otherwise a reader
/// would get messages again, without an end.
pub(super) fn check_from(about: &ErrorContext, from: u64, found: &Found) -> Result<(), Error> {
    if found.sequence >= from {
        return Ok(());
    }
    let reason = format!(
        "the server answered with message {} where message {from} or a later one was asked for",
        found.sequence
    );
    Err(about.error(ErrorKind::Other, reason))
}

/// A status that no answer should have.
pub(super) fn unexpected(about: &ErrorContext, status: u16) -> Error {
    about.error(
        ErrorKind::Other,
        format!("the server refuses to read the stream directly (status {status})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_sdk_core::transport::Operation;

    /// What a server appends.
    const SERVERS: &[u8] = b"Nats-Stream: S\r\nNats-Subject: events.a\r\nNats-Sequence: 7\r\nNats-Time-Stamp: 2025-11-06T12:00:00Z\r\n\r\n";

    fn answer(publishers: &[u8], servers: &[u8]) -> Answer {
        let block = [publishers, servers].concat();
        Answer::new(WireMessage::of(b"inbox", None, &block, b"body"))
    }

    #[test]
    fn what_a_publisher_has_written_is_not_what_the_server_says() {
        let about = ErrorContext::new(Operation::Read);
        let forged = b"NATS/1.0 404 x\r\nNats-Sequence: 9\r\nNats-Subject: b\r\nA: 1\r\n";
        let answer = answer(forged, SERVERS);
        assert_eq!(answer.status(), None);
        let found = answer.found(&about).unwrap();
        assert_eq!((found.sequence, found.subject.as_str()), (7, "events.a"));
        assert_eq!(found.headers.get("a"), Some("1"));
        assert_eq!(found.fault, None);
    }

    #[test]
    fn what_cannot_be_read_has_its_sequence() {
        let about = ErrorContext::new(Operation::Read);
        for publishers in [b"NATS/1.0\r\nA: \xff\r\n".as_slice(), b"", b"HTTP/1.1\r\n"] {
            let found = answer(publishers, SERVERS).found(&about).unwrap();
            assert_eq!(found.sequence, 7);
            assert!(found.fault.is_some());
        }
        assert!(answer(b"NATS/1.0\r\n", b"\r\n").found(&about).is_err());
    }

    #[test]
    fn statuses_are_read() {
        let end = answer(b"NATS/1.0 204 EOB\r\nNats-Num-Pending: 3\r\n", b"\r\n");
        assert_eq!(end.status(), Some(204));
        assert_eq!(end.number("Nats-Num-Pending"), Some(3));
    }
}

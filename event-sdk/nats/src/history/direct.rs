//! Reads the answers to direct gets (`$JS.API.DIRECT.GET`): a stored message with what the
//! server added to its headers, or a status.

use bytes::Bytes;
use jiff::Timestamp;

use crate::error::ErrorContext;
use crate::headers::{self, HeaderBlock};
use crate::receiver::WireMessage;
use crate::streams::Found;
use event_sdk_core::transport::{Error, ErrorKind};

/// What a copy of a stream answers.
pub(super) enum Answer {
    Message(Found),
    /// That there is no message, or the end of a batch.
    Status(u16),
}

/// Reads an answer. What is known of a message stands in headers, which the server has added
/// behind those that were stored: these may be anything.
pub(super) fn answer(about: &ErrorContext, message: &WireMessage) -> Result<Answer, Error> {
    let block = message.header_block().unwrap_or_default();
    let Some(sequence) = number(block, "Nats-Sequence") else {
        let status = HeaderBlock::parse(block)
            .ok()
            .and_then(|block| block.status());
        return status.map(Answer::Status).ok_or_else(|| incomplete(about));
    };
    let stored_at: Option<Timestamp> =
        text(block, "Nats-Time-Stamp").and_then(|time| time.parse().ok());
    let (Some(stored_at), Some(subject)) = (stored_at, added(block, "Nats-Subject")) else {
        return Err(incomplete(about));
    };
    let parsed = HeaderBlock::parse(block);
    let message_id = parsed
        .as_ref()
        .ok()
        .and_then(|block| block.get("Nats-Msg-Id"));
    Ok(Answer::Message(Found {
        subject: String::from_utf8_lossy(subject).into_owned(),
        sequence,
        stored_at,
        message_id: message_id.map(std::borrow::Cow::into_owned),
        schedule: parsed.ok().and_then(|block| headers::schedule(&block)),
        scheduler: parsed.ok().and_then(|block| headers::scheduler(&block)),
        headers: parsed.map(|block| headers::read(&block)),
        // The server's own lines are among them, and history leaves the message out.
        header_block: Bytes::new(),
        body: message.body(),
    }))
}

/// A number that the server has added.
pub(super) fn number(block: &[u8], name: &str) -> Option<u64> {
    text(block, name)?.parse().ok()
}

fn text<'a>(block: &'a [u8], name: &str) -> Option<&'a str> {
    std::str::from_utf8(added(block, name)?).ok()
}

/// The value of the last line with this name: the server adds its own at the end.
fn added<'a>(block: &'a [u8], name: &str) -> Option<&'a [u8]> {
    block.rsplit(|byte| *byte == b'\n').find_map(|line| {
        let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
        Some(value.trim_ascii())
    })
}

fn incomplete(about: &ErrorContext) -> Error {
    about.error(
        ErrorKind::Other,
        "the server's answer lacks what a stored message has",
    )
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

    /// What a server of 2.10 and later adds, as it does: it cuts the last two bytes off.
    fn stored(own: &[u8]) -> WireMessage {
        let mut block = own[..own.len() - 2].to_vec();
        block.extend_from_slice(
            b"Nats-Stream: S\r\nNats-Subject: s.a\r\nNats-Sequence: 7\r\nNats-Time-Stamp: 2026-01-02T03:04:05.6Z\r\n\r\n",
        );
        WireMessage::of(b"_INBOX.x.1", None, &block, b"body")
    }

    fn read(message: &WireMessage) -> Result<Answer, Error> {
        answer(&ErrorContext::new(Operation::Read), message)
    }

    #[test]
    fn what_the_server_added_is_found_behind_anything() {
        for (own, readable) in [
            (&b"NATS/1.0\r\nA: x\r\n\r\n"[..], true),
            (
                b"NATS/1.0\r\nNats-Sequence: 99\r\nNats-Subject: other\r\n\r\n",
                true,
            ),
            (b"NATS/1.0\r\nA: \xff\r\n\r\n", false),
            (b"NATS/1.0\r\nno colon\r\n\r\n", false),
            (b"\xff\xff\xff", false),
        ] {
            let shown = String::from_utf8_lossy(own);
            let Ok(Answer::Message(found)) = read(&stored(own)) else {
                panic!("{shown} gave no message");
            };
            assert_eq!((found.sequence, &*found.subject), (7, "s.a"), "{shown}");
            assert_eq!(found.headers.is_ok(), readable, "{shown}");
            assert_eq!(found.body, "body");
        }
    }

    #[test]
    fn a_status_is_told_from_a_message() {
        let status = |block: &[u8]| read(&WireMessage::of(b"_INBOX.x.1", None, block, b""));
        assert!(matches!(
            status(b"NATS/1.0 404 Message Not Found\r\n\r\n"),
            Ok(Answer::Status(404))
        ));
        let end = b"NATS/1.0 204 EOB\r\nNats-Num-Pending: 3\r\nNats-Last-Sequence: 7\r\n\r\n";
        assert!(matches!(status(end), Ok(Answer::Status(204))));
        assert_eq!(number(end, "Nats-Num-Pending"), Some(3));
        for block in [
            &b""[..],
            b"NATS/1.0\r\n\r\n",
            b"NATS/1.0\r\nNats-Sequence: x\r\n\r\n",
        ] {
            assert!(status(block).is_err());
        }
    }
}

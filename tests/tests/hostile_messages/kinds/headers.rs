//! Header blocks that no client library writes.

use event_sdk::codec::DecodeErrorKind;

use super::{Comes, Kind, PLACED, odd_body};
use crate::wire::RawMessage;

fn block(name: &str, bytes: impl AsRef<[u8]>, comes: Comes) -> Kind {
    let message = RawMessage {
        subject: PLACED.into(),
        headers: Some(bytes.as_ref().to_vec()),
        body: odd_body(),
        block: None,
    };
    Kind::new(name, message, comes)
}

/// Header lines in a good block.
fn lines(name: &str, lines: impl AsRef<[u8]>, comes: Comes) -> Kind {
    let bytes = [b"NATS/1.0\r\n", lines.as_ref(), b"\r\n"].concat();
    block(name, bytes, comes)
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn kinds() -> Vec<Kind> {
    use Comes::{Decodes, Unreadable};
    let many = |count: usize| {
        let lines: Vec<_> = (0..count).map(|n| format!("{n}:\r\n")).collect();
        lines.concat()
    };
    let mut kinds = vec![
        lines("no headers in the block", "", Decodes),
        lines("a header without a value", "A:\r\n", Decodes),
        lines("a header twice", "A: 1\r\nA: 2\r\n", Decodes),
        lines("a folded header", "A: 1\r\n  and more\r\n", Decodes),
        lines("a NUL in a value", "A: a\0b\r\n", Decodes),
        lines("an escape sequence in a value", "A: \x1b[31m\r\n", Decodes),
        lines(
            "white space of Unicode in a value",
            "A: \u{a0}\u{2028}\r\n",
            Decodes,
        ),
        lines(
            "a value of 60 KB",
            format!("A: {}\r\n", "v".repeat(60_000)),
            Decodes,
        ),
        lines(
            "a name of 60 KB",
            format!("{}: v\r\n", "n".repeat(60_000)),
            Decodes,
        ),
        lines("a thousand headers", many(1000), Decodes),
        lines(
            "a message id of 3,000 bytes",
            format!("Nats-Msg-Id: {}\r\n", "m".repeat(3000)),
            Decodes,
        ),
        lines("a message id of blanks", "Nats-Msg-Id:     \r\n", Decodes),
        lines(
            "a message id that is no text",
            "Nats-Msg-Id: \u{1}\u{7f}\r\n",
            Decodes,
        ),
        lines(
            "headers that only servers write",
            "Nats-Sequence: 7\r\nNats-Subject: a.b\r\nNats-Time-Stamp: never\r\n",
            Decodes,
        ),
        lines(
            "a heartbeat of a consumer",
            "Nats-Last-Consumer: x\r\nNats-Pending-Messages: -1\r\n",
            Decodes,
        ),
        lines(
            "a trace context that is none",
            "traceparent: 00-xyz\r\ntracestate: ,,,=\r\n",
            Decodes,
        ),
        lines(
            "a content type of another world",
            "Content-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n",
            Decodes,
        ),
        block(
            "a status of 100",
            "NATS/1.0 100 Idle Heartbeat\r\n\r\n",
            Decodes,
        ),
        block(
            "a status of 404",
            "NATS/1.0 404 No Messages\r\n\r\n",
            Decodes,
        ),
        block(
            "a status of 408",
            "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 9\r\n\r\n",
            Decodes,
        ),
        block(
            "a status of 409",
            "NATS/1.0 409 Consumer Deleted\r\n\r\n",
            Decodes,
        ),
        block("a status of 503", "NATS/1.0 503\r\n\r\n", Decodes),
        block("a blank behind the version", "NATS/1.0 \r\n\r\n", Decodes),
        // Servers remove the status of what is published.
        block(
            "a status that is no number",
            "NATS/1.0 abc\r\n\r\n",
            Decodes,
        ),
        block(
            "a status beyond all numbers",
            "NATS/1.0 99999\r\n\r\n",
            Decodes,
        ),
        block("no blank line at its end", "NATS/1.0\r\nA: 1", Decodes),
        lines("a header without a name", ": x\r\n", Decodes),
        lines("bare line feeds", "A: 1\nB: 2\n", Decodes),
    ];
    let unreadable = [
        lines("seven thousand headers", many(7000), Unreadable),
        lines("a value that is not UTF-8", b"A: \xff\xfe\r\n", Unreadable),
        lines("a name that is not UTF-8", b"\xff: x\r\n", Unreadable),
        lines("a name with umlauts", "Straße: x\r\n", Unreadable),
        lines("a line without a colon", "nothing\r\n", Unreadable),
        lines("a blank in a name", "a b: x\r\n", Unreadable),
        lines("a blank before the colon", "A : x\r\n", Unreadable),
        lines("a NUL in a name", "a\0b: x\r\n", Unreadable),
        lines("a folded header at first", " and more\r\n", Unreadable),
        block("another version", "NATS/2.0\r\nA: 1\r\n\r\n", Unreadable),
        block(
            "another protocol",
            "HTTP/1.1 200 OK\r\nA: 1\r\n\r\n",
            Unreadable,
        ),
        block(
            "a version in lower case",
            "nats/1.0\r\nA: 1\r\n\r\n",
            Unreadable,
        ),
        block("no version", "A: 1\r\n\r\n", Unreadable),
        block("nothing but line ends", "\r\n\r\n", Unreadable),
    ];
    kinds.extend(unreadable);
    for (length, comes) in [
        // The server takes all for the body.
        (0, Comes::Refused(DecodeErrorKind::Malformed)),
        (1, Unreadable),
        (5, Unreadable),
    ] {
        let mut kind = block("", "NATS/1.0\r\nA: 1\r\n\r\n", comes);
        kind.name = format!("a block that is said to have {length} bytes");
        kind.message.block = Some(length);
        kinds.push(kind);
    }
    kinds
}

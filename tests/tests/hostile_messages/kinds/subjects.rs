//! Subjects that a server stores and no event has.

use event_sdk::codec::DecodeErrorKind;

use super::{Comes, Kind, odd_body};
use crate::wire::RawMessage;

fn kind(name: &str, token: impl AsRef<[u8]>, comes: Comes) -> Kind {
    let message = RawMessage {
        subject: [b"events.orders.", token.as_ref()].concat(),
        body: odd_body(),
        ..RawMessage::default()
    };
    Kind::new(name, message, comes)
}

pub(super) fn kinds() -> Vec<Kind> {
    use Comes::{Decodes, Refused, Unreadable};
    vec![
        kind("a subject with U+0001", "order.\u{1}", Unreadable),
        kind(
            "a subject with an escape sequence",
            "order.\x1b[31m",
            Unreadable,
        ),
        kind("a subject with DEL", "order.a\u{7f}b", Unreadable),
        kind(
            "a subject with C1 control characters",
            "order.\u{85}\u{9b}",
            Unreadable,
        ),
        kind(
            "a subject with a no-break space",
            "order.a\u{a0}b",
            Unreadable,
        ),
        kind(
            "a subject with a line separator",
            "order.a\u{2028}b",
            Unreadable,
        ),
        kind(
            "a subject that is written backwards",
            "order.a\u{202e}b",
            Unreadable,
        ),
        kind(
            "a subject with a byte order mark",
            "order.\u{feff}placed",
            Unreadable,
        ),
        kind(
            "a subject with an asterisk in a token",
            "order.a*b",
            Unreadable,
        ),
        kind("a subject with > in a token", "order.a>b", Unreadable),
        kind("a subject of 3,000 bytes", "a".repeat(3000), Unreadable),
        kind(
            "a subject of 500 tokens",
            "a.".repeat(500) + "a",
            Unreadable,
        ),
        kind("a subject that is not UTF-8", b"order.\xff\xfe", Unreadable),
        kind(
            "a subject cut in a character",
            b"order.\xe2\x82",
            Unreadable,
        ),
        kind("a subject in upper case", "ORDER.PLACED", Decodes),
        kind("a subject of one token more", "order.placed.more", Decodes),
        kind("a subject of one token less", "order", Decodes),
        kind(
            "a subject with a key that is not escaped",
            "order.placed.=zz",
            Decodes,
        ),
        kind("the subject of another event", "order.paid", Decodes),
        kind("a subject in another script", "order.配置", Decodes),
        kind("a reserved word in the middle", "$JS.API", Decodes),
        Kind {
            comes: Refused(DecodeErrorKind::TypeMismatch),
            message: RawMessage {
                body: event_sdk_tests::raw::envelope("order.paid", "1.0", "{}").into_bytes(),
                ..super::good(0)
            },
            ..kind("a type that belongs to another subject", "", Decodes)
        },
    ]
}

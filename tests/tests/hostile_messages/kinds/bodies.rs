//! Bodies that are no JSON, or not the JSON of an envelope.

use event_sdk::codec::DecodeErrorKind::{self, Data, Malformed};
use event_sdk_tests::raw::envelope;

use super::{Comes, Kind, PLACED, odd_body};
use crate::wire::RawMessage;

fn kind(name: &str, body: impl AsRef<[u8]>, comes: DecodeErrorKind) -> Kind {
    let message = RawMessage {
        subject: PLACED.into(),
        body: body.as_ref().to_vec(),
        ..RawMessage::default()
    };
    Kind::new(name, message, Comes::Refused(comes))
}

/// A good envelope around these data.
fn data(name: &str, data: &str) -> Kind {
    kind(name, envelope("order.placed", "1.0", data), Data)
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn kinds() -> Vec<Kind> {
    let good = odd_body();
    let half = &good[..good.len() / 2];
    let utf16: Vec<u8> = String::from_utf8_lossy(&good)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let objects = r#"{"a":"#.repeat(50_000) + "1" + &"}".repeat(50_000);
    let megabyte = "x".repeat(1_000_000);
    vec![
        kind("no body", "", Malformed),
        kind("a body of blanks", " \r\n\t ", Malformed),
        kind("a body that is a word", "placed", Malformed),
        kind("a body that is null", "null", Malformed),
        kind("a body that is false", "false", Malformed),
        kind("a body that is a number", "7", Malformed),
        kind("a body that is a text", r#""placed""#, Malformed),
        kind("a body that is a list", "[{}]", Malformed),
        kind("a body that is an empty object", "{}", Malformed),
        kind("a body that is half an envelope", half, Malformed),
        kind(
            "a body that is two envelopes",
            [good.as_slice(), &good].concat(),
            Malformed,
        ),
        kind(
            "a body with a comma at its end",
            [&good[..good.len() - 1], b",}"].concat(),
            Malformed,
        ),
        kind(
            "a body with a comment",
            [b"/* x */", good.as_slice()].concat(),
            Malformed,
        ),
        kind(
            "a body with a byte order mark",
            [b"\xef\xbb\xbf", good.as_slice()].concat(),
            Malformed,
        ),
        kind("a body in UTF-16", utf16, Malformed),
        kind(
            "a body of gzip",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
            Malformed,
        ),
        kind("a body of XML", "<order id='1'/>", Malformed),
        kind("a body of protobuf", b"\x0a\x24\x30\x31\x39\x33", Malformed),
        kind("a body of single quotes", "{'event_id':1}", Malformed),
        kind("a megabyte of zero bytes", vec![0; 1_000_000], Malformed),
        kind("a megabyte of a text", format!("\"{megabyte}\""), Malformed),
        kind("a megabyte of brackets", "[".repeat(1_000_000), Malformed),
        kind("lists nested a hundred thousand times", &deep, Malformed),
        kind("objects nested fifty thousand times", &objects, Malformed),
        data(
            "data nested a hundred thousand times",
            &format!(r#"{{"id":1,"item":{deep}}}"#),
        ),
        data("data that are null", "null"),
        data("data that are a list", "[1,2]"),
        data("data without a field", r#"{"id":1}"#),
        data("data with a field twice", r#"{"id":1,"id":2,"item":"x"}"#),
        data(
            "data with a number of another kind",
            r#"{"id":1.5,"item":"x"}"#,
        ),
        data("data with a number below zero", r#"{"id":-1,"item":"x"}"#),
        data(
            "data with a number beyond 64 bits",
            r#"{"id":99999999999999999999,"item":"x"}"#,
        ),
        data(
            "data with a number beyond f64",
            r#"{"id":1e999,"item":"x"}"#,
        ),
        data(
            "data with a number of a hundred thousand digits",
            &format!(r#"{{"id":{},"item":"x"}}"#, "9".repeat(100_000)),
        ),
        data(
            "data with a text of a megabyte for a number",
            &format!(r#"{{"id":"{megabyte}","item":"x"}}"#),
        ),
        data(
            "data with half a surrogate pair",
            r#"{"id":1,"item":"\ud800"}"#,
        ),
        kind(
            "data with an escape that is none",
            envelope("order.placed", "1.0", r#"{"id":1,"item":"\u{41}"}"#),
            Malformed,
        ),
        kind(
            "data with NaN",
            envelope("order.placed", "1.0", r#"{"id":NaN,"item":"x"}"#),
            Malformed,
        ),
        kind(
            "data that are not UTF-8",
            [b"{\"data\":\"", b"\xff\xfe".as_slice(), b"\"}"].concat(),
            Malformed,
        ),
        kind(
            "data with a control character",
            envelope("order.placed", "1.0", "{\"id\":1,\"item\":\"a\u{1}b\"}"),
            Malformed,
        ),
    ]
}

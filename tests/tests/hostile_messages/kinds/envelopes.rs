//! Envelopes with fields that are missing, of wrong kinds, too large or wrong: the vectors of
//! the wire contract, and some more.

use event_sdk::codec::DecodeErrorKind::{self, Malformed, Newer, TypeMismatch};
use serde_json::{Value, json};

use super::{Comes, Kind, PLACED};
use crate::wire::RawMessage;

/// A good envelope with another value in one field; null removes nothing.
fn with(name: &str, field: &str, value: Value, comes: DecodeErrorKind) -> Kind {
    let mut envelope = json!({
        "event_id": "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "event_type": "order.placed",
        "timestamp": "2025-11-06T12:00:00Z",
        "version": "1.0",
        "data": { "id": 1_000_000, "item": "odd" },
    });
    envelope[field] = value;
    raw(name, envelope.to_string(), comes)
}

fn raw(name: &str, body: String, comes: DecodeErrorKind) -> Kind {
    let message = RawMessage {
        subject: PLACED.into(),
        body: body.into_bytes(),
        ..RawMessage::default()
    };
    Kind::new(name, message, Comes::Refused(comes))
}

pub(super) fn kinds() -> Vec<Kind> {
    let golden = include_str!("../../../golden/envelopes.json");
    let golden: Value = serde_json::from_str(golden).expect("the vectors are JSON");
    let refused = golden["refused"].as_array().into_iter().flatten();
    let vectors = refused.map(|vector| {
        let text = |field: &str| vector[field].as_str().unwrap_or_default().to_owned();
        raw(
            &format!("refused vector: {}", text("name")),
            text("body"),
            Malformed,
        )
    });
    let mut kinds: Vec<_> = vectors.collect();
    let many: Value = (0..257)
        .map(|n| (format!("m{n}"), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let long = "x".repeat(500_000);
    kinds.extend([
        with(
            "an id of half a megabyte",
            "event_id",
            json!(long),
            Malformed,
        ),
        with("an id that is a list", "event_id", json!([1]), Malformed),
        with("an empty id", "event_id", json!(""), Malformed),
        with(
            "a type of half a megabyte",
            "event_type",
            json!(long),
            TypeMismatch,
        ),
        with("an empty type", "event_type", json!(""), TypeMismatch),
        with(
            "a type that is another event",
            "event_type",
            json!("order.paid"),
            TypeMismatch,
        ),
        with(
            "a type in upper case",
            "event_type",
            json!("Order.Placed"),
            TypeMismatch,
        ),
        with(
            "a type with a line end",
            "event_type",
            json!("order.placed\n"),
            TypeMismatch,
        ),
        with(
            "a timestamp of half a megabyte",
            "timestamp",
            json!(long),
            Malformed,
        ),
        with(
            "a timestamp in milliseconds",
            "timestamp",
            json!(1_762_430_400_000_u64),
            Malformed,
        ),
        with("an empty timestamp", "timestamp", json!(""), Malformed),
        with(
            "a version of half a megabyte",
            "version",
            json!(long),
            Malformed,
        ),
        with(
            "a version that is an object",
            "version",
            json!({ "major": 1 }),
            Malformed,
        ),
        with("a version of a newer major", "version", json!("9.0"), Newer),
        with(
            "a version with a name",
            "version",
            json!("1.0-beta"),
            Malformed,
        ),
        with("a source that is an object", "source", json!({}), Malformed),
        with("metadata of 257 entries", "metadata", many, Malformed),
        with(
            "metadata that are a text",
            "metadata",
            json!("x"),
            Malformed,
        ),
        with(
            "metadata that are a number",
            "metadata",
            json!(1),
            Malformed,
        ),
    ]);
    kinds
}

//! Golden vectors of the wire contract (envelopes, keys, numbers), and properties of any
//! envelope.

use bytes::Bytes;
use event_sdk_core::codec::{Codec, DecodeErrorKind, JsonCodec, RawEnvelope};
use event_sdk_core::headers::Headers;
use event_sdk_core::json::{RawJson, WriteJson};
use event_sdk_core::subject::grammar::{escape_key, unescape_key};
use event_sdk_core::{EnvelopeHeader, EventKey, Pattern, Subject, Version};
use proptest::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

#[derive(Deserialize)]
struct Vectors {
    written: Vec<Vector>,
    accepted: Vec<Vector>,
    refused: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    body: String,
    expect: Option<Expect>,
}

#[derive(Deserialize)]
struct Expect {
    event_id: Uuid,
    event_type: String,
    timestamp: jiff::Timestamp,
    source: String,
    version: String,
    data: String,
    correlation_id: Option<String>,
    causation_id: Option<String>,
    key: Option<String>,
}

fn vectors() -> Vectors {
    let text = include_str!("../../../tests/golden/envelopes.json");
    serde_json::from_str(text).unwrap()
}

fn decode(body: &str) -> Result<RawEnvelope, event_sdk_core::codec::DecodeFault> {
    JsonCodec.decode(&Bytes::copy_from_slice(body.as_bytes()), &Headers::new())
}

fn encode(head: &EnvelopeHeader, data: &dyn WriteJson) -> String {
    let mut out = Vec::new();
    JsonCodec
        .encode(head, data, &mut Headers::new(), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

fn encode_again(envelope: &RawEnvelope) -> String {
    let data = RawJson::parse(str::from_utf8(&envelope.data).unwrap()).unwrap();
    encode(&envelope.head, &data)
}

#[test]
fn writes_the_written_vectors_byte_for_byte() {
    for Vector { name, body, .. } in vectors().written {
        let envelope = decode(&body).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        assert_eq!(encode_again(&envelope), body, "{name}");
    }
}

#[test]
fn reads_the_accepted_vectors() {
    for Vector { name, body, expect } in vectors().accepted {
        let expect = expect.unwrap();
        let RawEnvelope { head, data } =
            decode(&body).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        assert_eq!(head.event_id, expect.event_id, "{name}");
        assert_eq!(head.event_type, *expect.event_type, "{name}");
        let micros = head.timestamp.as_microsecond();
        assert_eq!(micros, expect.timestamp.as_microsecond(), "{name}");
        assert_eq!(head.source, *expect.source, "{name}");
        assert_eq!(
            head.version,
            expect.version.parse::<Version>().unwrap(),
            "{name}"
        );
        assert_eq!(data, expect.data.as_bytes(), "{name}");
        let text = |id: &Option<event_sdk_core::LooseId>| id.as_ref().map(ToString::to_string);
        assert_eq!(
            text(&head.metadata.correlation_id),
            expect.correlation_id,
            "{name}"
        );
        assert_eq!(
            text(&head.metadata.causation_id),
            expect.causation_id,
            "{name}"
        );
        assert_eq!(
            head.metadata.key.as_ref().map(EventKey::text).as_deref(),
            expect.key.as_deref(),
            "{name}"
        );
    }
}

#[test]
fn refuses_the_refused_vectors_with_a_reason() {
    for Vector { name, body, .. } in vectors().refused {
        let fault = decode(&body)
            .err()
            .unwrap_or_else(|| panic!("{name} was accepted"));
        assert_eq!(fault.kind(), DecodeErrorKind::Malformed, "{name}");
        let reason = fault.to_string();
        // Each reason says where: serde_json counts lines and columns.
        assert!(reason.contains("line"), "{name}: {reason}");
        if let Some(field) = name.split(' ').next().filter(|word| body.contains(*word)) {
            let about = [
                "event_id",
                "event_type",
                "timestamp",
                "version",
                "source",
                "metadata",
            ];
            let names_it = !name.contains("is no ") || reason.contains(field);
            assert!(!about.contains(&field) || names_it, "{name}: {reason}");
        }
    }
}

#[test]
fn writes_no_year_that_it_would_not_read() {
    let written = |instant| {
        let head = EnvelopeHeader::new(Uuid::nil(), "order.placed", instant);
        let (mut headers, mut out) = (Headers::new(), Vec::new());
        let answer = JsonCodec.encode(
            &head,
            &RawJson::parse("null").unwrap(),
            &mut headers,
            &mut out,
        );
        answer.map_err(|why| why.to_string())
    };
    let first: jiff::Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
    let behind: jiff::Timestamp = "9999-01-01T00:00:00Z".parse().unwrap();
    let nano = jiff::SignedDuration::from_nanos(1);
    for (instant, fits) in [
        (jiff::Timestamp::MIN, false),
        (first - nano, false),
        (first, true),
        (behind - nano, true),
        (behind, false),
        (jiff::Timestamp::MAX, false),
    ] {
        let answer = written(instant);
        assert_eq!(answer.is_ok(), fits, "{instant}: {answer:?}");
        assert!(fits || answer.unwrap_err().contains("0001 to 9998"));
    }
}

#[test]
fn refuses_invalid_utf8_wherever_it_stands() {
    let body = vectors().accepted[0].body.clone();
    for field in ["order.placed", "shop", "\"id\"", "correlation_id"] {
        let at = body.find(field).unwrap() + 1;
        let mut bytes = body.clone().into_bytes();
        bytes[at] = 0xff;
        let fault = JsonCodec
            .decode(&bytes.into(), &Headers::new())
            .unwrap_err();
        assert_eq!(fault.kind(), DecodeErrorKind::Malformed, "{field}");
    }
}

#[test]
fn reads_around_data_of_any_depth() {
    // The data are skipped, not read: depth is the event's own limit.
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = vectors().accepted[0].body.replace("{\"id\":7}", &deep);
    assert_eq!(decode(&body).unwrap().data, deep.as_bytes());
}

#[test]
fn data_share_the_memory_of_the_body() {
    let body = Bytes::from(vectors().accepted[0].body.clone());
    let data = JsonCodec.decode(&body, &Headers::new()).unwrap().data;
    assert!(body.as_ptr_range().contains(&data.as_ptr()));
}

#[derive(Deserialize)]
struct KeyVectors {
    keys: Vec<KeyVector>,
    refused_keys: Vec<RefusedKey>,
    refused_tokens: Vec<RefusedToken>,
    subjects: Vec<SubjectVector>,
    refused_subjects: Vec<SubjectVector>,
}

#[derive(Deserialize)]
struct SubjectVector {
    name: String,
    subject: String,
}

#[derive(Deserialize)]
struct KeyVector {
    name: String,
    key: String,
    token: String,
}

#[derive(Deserialize)]
struct RefusedKey {
    name: String,
    key: String,
}

#[derive(Deserialize)]
struct RefusedToken {
    name: String,
    token: String,
}

fn key_vectors() -> KeyVectors {
    let text = include_str!("../../../tests/golden/keys.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn takes_the_subjects_and_refuses_those_that_are_none() {
    let vectors = key_vectors();
    for SubjectVector { name, subject } in vectors.subjects {
        assert!(Subject::parse(subject.clone()).is_ok(), "{name}");
        assert!(Pattern::parse(subject).is_ok(), "{name}");
    }
    for SubjectVector { name, subject } in vectors.refused_subjects {
        let wild = subject.contains(['*', '>']);
        assert!(Subject::parse(subject.clone()).is_err(), "{name}");
        assert!(wild || Pattern::parse(subject).is_err(), "{name}");
    }
}

#[test]
fn escapes_and_unescapes_the_vectors_of_keys() {
    let vectors = key_vectors();
    for KeyVector { name, key, token } in vectors.keys {
        assert_eq!(escape_key(&key).as_ref(), Ok(&token), "{name}");
        assert_eq!(unescape_key(&token), Ok(key), "{name}");
    }
    for RefusedKey { name, key } in vectors.refused_keys {
        assert!(escape_key(&key).is_err(), "{name}");
    }
    for RefusedToken { name, token } in vectors.refused_tokens {
        assert!(unescape_key(&token).is_err(), "{name}");
    }
}

fn any_head() -> impl Strategy<Value = EnvelopeHeader> {
    let text = || prop_oneof!["[a-z]{1,8}", any::<String>()];
    let id = prop_oneof![
        any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string()),
        text()
    ];
    let entries = proptest::collection::vec((text(), text()), 0..4);
    // The years 1 to 9998.
    let micros = -62_135_596_800_000_000_i64..253_370_764_800_000_000;
    let fixed = (any::<u128>(), text(), micros, text(), any::<(u16, u16)>());
    let metadata = (
        proptest::option::of(id.clone()),
        proptest::option::of(id),
        proptest::option::of(text()),
        entries,
    );
    (fixed, metadata).prop_map(|((id, kind, micros, source, (major, minor)), metadata)| {
        let timestamp = jiff::Timestamp::from_microsecond(micros).unwrap();
        let mut head = EnvelopeHeader::new(Uuid::from_u128(id), kind, timestamp);
        head.source = source.into();
        head.version = Version::new(major, minor);
        let (correlation, causation, key, entries) = metadata;
        for (name, text) in entries {
            head.metadata.insert(name, text);
        }
        head.metadata.correlation_id = correlation.map(Into::into);
        head.metadata.causation_id = causation.map(Into::into);
        head.metadata.key = key.and_then(|key| EventKey::new(&key).ok());
        head
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(head in any_head(), data in any::<Option<String>>()) {
        let data = RawJson::from_value(&data).unwrap();
        let text = encode(&head, &data);
        // It is JSON to others too.
        let _: serde_json::Value = serde_json::from_str(&text).unwrap();
        let envelope = decode(&text).unwrap();
        prop_assert_eq!(&envelope.head, &head);
        prop_assert_eq!(&envelope.data, data.as_str().as_bytes());
        prop_assert_eq!(encode_again(&envelope), text);
    }

    #[test]
    fn bytes_from_the_wire_never_panic(bytes in any::<Vec<u8>>()) {
        let _ = JsonCodec.decode(&bytes.into(), &Headers::new());
    }

    #[test]
    fn a_broken_envelope_never_panics(at in 0_usize..260, byte in any::<u8>()) {
        let mut bytes = vectors().accepted[0].body.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = JsonCodec.decode(&bytes.into(), &Headers::new());
    }
}

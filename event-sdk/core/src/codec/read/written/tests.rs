//! The fast reader accepts what this SDK writes, and otherwise agrees with the general reader.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::codec::{Codec, JsonCodec, read};
use crate::headers::Headers;
use crate::json::RawJson;

fn general(body: &Bytes) -> Option<RawEnvelope> {
    read::in_any_form(body).ok()
}

fn written(head: &EnvelopeHeader, data: &str) -> Bytes {
    let mut out = Vec::new();
    let data = RawJson::parse(data).unwrap();
    JsonCodec
        .encode(head, &data, &mut Headers::new(), &mut out)
        .unwrap();
    out.into()
}

fn head() -> EnvelopeHeader {
    let instant = Timestamp::new(1_763_697_600, 123_456_000).unwrap();
    let mut head = EnvelopeHeader::new(Uuid::from_u128(7), "order.placed", instant);
    head.source = "shop".into();
    head.metadata.correlation_id = Some(Uuid::from_u128(7).into());
    head
}

#[test]
fn what_this_sdk_writes_is_read_here() {
    let mut all = vec![head()];
    let mut more = head();
    more.metadata.causation_id = Some("no uuid".into());
    more.metadata.insert("traceparent", "00-ab-cd-01");
    more.metadata.key = EventKey::new("0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11").ok();
    more.version = Version::new(12, 345);
    all.push(more);
    let mut least = head();
    least.metadata = Metadata::default();
    least.source = "Zürich, 東京".into();
    all.push(least);
    let mut keyed = head();
    keyed.metadata.key = EventKey::new(&"Grüße ".repeat(30)).ok();
    assert!(keyed.metadata.key.is_some());
    all.push(keyed);
    for head in all {
        for data in [
            "{}",
            "null",
            r#"{"a":[1,"b\"c",{"metadata":{}}]}"#,
            "{ \"a\" : 1 }",
        ] {
            let body = written(&head, data);
            let read = envelope(&body).unwrap();
            assert_eq!((&read.head, &*read.data), (&head, data.as_bytes()));
            assert_eq!(general(&body), Some(read));
        }
    }
}

#[test]
fn what_is_unusual_is_left_to_the_general_reader() {
    let plain = String::from_utf8(written(&head(), "1").to_vec()).unwrap();
    for (from, to) in [
        ("\"order.placed\"", "\"order\\u002eplaced\""),
        ("\"shop\"", "null"),
        ("\"version\":\"1.0\",", ""),
        ("\"data\":1", "\"data\": 1"),
        ("\"metadata\":{", "\"metadata\":{\"a\":1,"),
        ("\"metadata\":{", "\"metadata\":{\"correlation_id\":\"x\","),
        (
            "\"metadata\":{",
            "\"metadata\":{\"key\":\"x\",\"key\":\"x\",",
        ),
        ("\"metadata\":{", "\"metadata\":{\"key\":7,"),
        ("\"metadata\":{", "\"metadata\":{\"key\":\"\\n\","),
        ("\"metadata\":{", "\"more\":1,\"metadata\":{"),
        ("{\"event_id\"", " {\"event_id\""),
    ] {
        let body: Bytes = plain.replacen(from, to, 1).into();
        assert_ne!(body, plain, "{from}");
        assert_eq!(envelope(&body), None, "{from} → {to}");
    }
}

/// Texts as they stand in a foreign envelope, and such as look like its ends.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,20}",
        Just("\",\"metadata\":{}}".to_owned()),
        Just(Uuid::from_u128(9).to_string()),
    ]
}

fn any_head() -> impl Strategy<Value = EnvelopeHeader> {
    let option = || prop::option::of(text());
    let named = (option(), option(), option());
    let name = prop_oneof![Just("key".to_owned()), text()];
    let entries = prop::collection::vec((name, text()), 0..4);
    (
        any::<u128>(),
        text(),
        text(),
        any::<(u16, u16)>(),
        named,
        entries,
    )
        .prop_map(
            |(id, event_type, source, (major, minor), (correlation, causation, key), entries)| {
                let mut head = head();
                head.event_id = Uuid::from_u128(id);
                head.event_type = Text::copy_of(&event_type);
                head.source = Text::copy_of(&source);
                head.version = Version::new(major, minor);
                head.metadata = Metadata::default();
                head.metadata.correlation_id = correlation.as_deref().map(Into::into);
                head.metadata.causation_id = causation.as_deref().map(Into::into);
                head.metadata.key = key.and_then(|key| EventKey::new(&key).ok());
                for (name, text) in entries {
                    head.metadata.insert(name, text);
                }
                head
            },
        )
}

fn data() -> impl Strategy<Value = String> {
    prop_oneof![
        text().prop_map(|text| serde_json::json!({ "text": text, "metadata": {} }).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        Just(r#"{"data":{},"metadata":{"correlation_id":"x"}}"#.to_owned()),
    ]
}

proptest! {
    #[test]
    fn both_readers_read_the_same(head in any_head(), data in data()) {
        let body = written(&head, &data);
        let in_general = general(&body);
        prop_assert_eq!(in_general.as_ref().map(|read| &*read.data), Some(data.as_bytes()));
        if let Some(read) = envelope(&body) {
            prop_assert_eq!(Some(read), in_general);
        }
    }

    #[test]
    fn what_is_broken_is_read_as_by_the_general_reader(
        head in any_head(),
        data in data(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"\"\\{}[],: 0".as_slice())],
        how in 0..3_u8,
    ) {
        let mut body = written(&head, &data).to_vec();
        let at = at.index(body.len());
        match how {
            0 => body[at] = byte,
            1 => body.insert(at, byte),
            _ => body.truncate(at),
        }
        let body = Bytes::from(body);
        if let Some(read) = envelope(&body) {
            prop_assert_eq!(Some(read), general(&body));
        }
    }
}

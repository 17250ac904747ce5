//! The codec's limits are the same for writing and for reading.

use bytes::Bytes;
use event_sdk_core::codec::{Codec, EncodeError, JsonCodec};
use event_sdk_core::envelope::{MAX_METADATA, Metadata};
use event_sdk_core::headers::Headers;
use event_sdk_core::json::{RawJson, read_value, write_value};
use event_sdk_core::{EnvelopeHeader, EventKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Each of them inside of the one before it, in every form that an enum or struct has.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
enum Tree {
    Leaf,
    Newtype(Box<Tree>),
    Tuple(Box<Tree>, u8),
    Struct { inner: Box<Tree> },
    List(Vec<Tree>),
}

/// Takes one more around a tree.
type Around = fn(Tree) -> Tree;

/// The forms, and how many arrays and objects each is.
const FORMS: [(Around, usize); 4] = [
    (|inner| Tree::Newtype(Box::new(inner)), 1),
    (|inner| Tree::Tuple(Box::new(inner), 1), 2),
    (
        |inner| Tree::Struct {
            inner: Box::new(inner),
        },
        2,
    ),
    (|inner| Tree::List(vec![inner]), 2),
];

fn written(value: &impl Serialize) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    write_value(value, &mut out).map(|()| out)
}

#[test]
fn what_is_nested_too_deep_is_not_written() {
    for (around, levels) in FORMS {
        let mut tree = Tree::Leaf;
        for depth in (levels..200).step_by(levels) {
            tree = around(tree);
            let mut json = Vec::new();
            let whole = serde_json::to_writer(&mut json, &tree);
            whole.expect("serde_json writes any depth");
            let read = read_value::<Tree>(&json);
            let written = written(&tree);
            assert_eq!(written.is_ok(), depth <= 127, "{depth} levels");
            assert_eq!(written.is_ok(), read.is_ok(), "{depth} levels: {read:?}");
            match written {
                Ok(written) => assert_eq!(read.unwrap(), read_value::<Tree>(&written).unwrap()),
                Err(why) => assert!(
                    why.to_string().contains("127 nested arrays and objects"),
                    "{why}"
                ),
            }
        }
    }
}

#[test]
fn lists_maps_and_raw_json_have_the_same_limit() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    for levels in [126, 127, 128] {
        let value: Result<serde_json::Value, _> = read_value(nested(levels).as_bytes());
        assert_eq!(value.is_ok(), levels <= 127);
    }
    let raw = RawJson::parse("[1]").unwrap();
    let mut list = serde_json::json!(null);
    for _ in 0..127 {
        list = serde_json::json!([list]);
    }
    assert!(written(&list).is_ok() && written(&[&list]).is_err());
    assert!(written(&std::collections::BTreeMap::from([("a", &list)])).is_err());
    assert!(written(&Some(&list)).is_ok() && written(&(&list, 1)).is_err());
    assert!(written(&raw).is_ok());
}

fn head(metadata: Metadata) -> EnvelopeHeader {
    let mut head = EnvelopeHeader::new(Uuid::nil(), "order.placed", Timestamp::UNIX_EPOCH);
    head.metadata = metadata;
    head
}

#[test]
fn metadata_has_as_many_entries_as_are_read() {
    let null = RawJson::parse("null").unwrap();
    for ids in 0..=3 {
        for entries in [0, 1, 253, 254, 255, 256, 257, 300] {
            let mut metadata = Metadata::default();
            if ids > 0 {
                metadata.correlation_id = Some(Uuid::nil().into());
            }
            if ids > 1 {
                metadata.causation_id = Some(Uuid::nil().into());
            }
            if ids > 2 {
                metadata.key = EventKey::new("7").ok();
            }
            for entry in 0..entries {
                metadata.insert(format!("entry {entry}"), "x");
            }
            assert_eq!(metadata.len(), ids + entries);
            assert_eq!(metadata.is_empty(), ids + entries == 0);
            let (head, mut out) = (head(metadata), Vec::new());
            let encoded = JsonCodec.encode(&head, &null, &mut Headers::new(), &mut out);
            assert_eq!(
                encoded.is_ok(),
                ids + entries <= MAX_METADATA,
                "{ids} and {entries}"
            );
            match encoded {
                Ok(()) => {
                    let read = JsonCodec
                        .decode(&Bytes::from(out), &Headers::new())
                        .unwrap();
                    assert_eq!(read.head, head);
                }
                Err(why) => assert!(why.to_string().contains("at most 256"), "{why}"),
            }
        }
    }
}

#[test]
fn an_id_that_is_no_text_counts_until_it_is_replaced() {
    let mut metadata = Metadata::default();
    metadata.insert_json("correlation_id", &1).unwrap();
    assert_eq!((metadata.len(), metadata.get("correlation_id")), (1, None));
    metadata.insert("correlation_id", "story");
    assert_eq!(metadata.len(), 1);
}

#[test]
fn a_key_that_is_too_long_or_no_text_is_an_entry_until_it_is_replaced() {
    let long = "k".repeat(EventKey::MAX_LEN + 1);
    let mut metadata = Metadata::default();
    metadata.insert("key", &*long);
    assert_eq!((metadata.len(), metadata.get("key")), (1, Some(&*long)));
    metadata.insert_json("key", &7).unwrap();
    assert_eq!(metadata.key, None);
    metadata.insert("key", "short");
    metadata.insert("key", &*long);
    assert_eq!((metadata.len(), metadata.key.clone()), (1, None));
    metadata.insert("key", &long[1..]);
    assert_eq!(metadata.len(), 1);
    assert_eq!(
        metadata.key.as_ref().map(EventKey::text).as_deref(),
        Some(&long[1..])
    );
    let null = RawJson::parse("null").unwrap();
    let mut out = Vec::new();
    JsonCodec
        .encode(&head(metadata), &null, &mut Headers::new(), &mut out)
        .unwrap();
    let written = String::from_utf8(out).unwrap();
    assert_eq!(written.matches("\"key\"").count(), 1, "{written}");
}

/// Whatever was set, in whichever order: the last value counts, and a reader has the same metadata.
#[test]
fn the_last_value_of_an_id_or_key_is_what_readers_have() {
    let values = ["null", "1", "[]", "\"text\""].map(|json| RawJson::parse(json).unwrap());
    for name in ["correlation_id", "causation_id", "key"] {
        for first in &values {
            for last in &values {
                let mut metadata = Metadata::default();
                metadata.insert_json(name, first).unwrap();
                metadata.insert_json(name, last).unwrap();
                let of_last = {
                    let mut metadata = Metadata::default();
                    metadata.insert_json(name, last).unwrap();
                    metadata
                };
                assert_eq!(metadata, of_last, "{name}: {first:?}, {last:?}");
                assert_eq!(metadata.is_empty(), last.as_str() == "null", "{name}");
                let mut out = Vec::new();
                JsonCodec
                    .encode(&head(metadata), last, &mut Headers::new(), &mut out)
                    .unwrap();
                let read = JsonCodec.decode(&Bytes::from(out), &Headers::new());
                assert_eq!(
                    read.unwrap().head,
                    head(of_last),
                    "{name}: {first:?}, {last:?}"
                );
            }
        }
    }
}

#[test]
fn an_id_stands_once_whatever_it_is() {
    let body = |metadata: &str| {
        Bytes::from(format!(
            r#"{{"event_id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":"order.placed","timestamp":"2025-11-06T12:00:00Z","source":"shop","version":"1.0","data":1,"metadata":{{{metadata}}}}}"#
        ))
    };
    let reads = |metadata: &str| JsonCodec.decode(&body(metadata), &Headers::new()).is_ok();
    for name in ["correlation_id", "causation_id", "key"] {
        for one in ["\"x\"", "1", "null", "{}"] {
            assert!(reads(&format!("\"{name}\":{one}")), "{one}");
            for other in ["\"x\"", "1", "null", "{}"] {
                let twice = format!("\"{name}\":{one},\"a\":1,\"{name}\":{other}");
                assert!(!reads(&twice), "{twice}");
            }
        }
    }
    assert!(reads(r#""correlation_id":1,"causation_id":1,"a":1,"a":2"#));
}

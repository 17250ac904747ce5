//! Random documents: accepted by the read schema if and only if the type reads them.

use std::collections::BTreeMap;

use event_schemas::Catalogue;
use event_schemas_subset::Schema;
use event_sdk::Event;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Something of everything.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "a", entity = "b", action = "c")]
struct Everything {
    a: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<i16>,
    c: Vec<Kind>,
    #[serde(flatten)]
    d: Part,
    e: BTreeMap<String, bool>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Part {
    #[serde(rename = "f", default)]
    other: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Kind {
    One { x: u8 },
    Two,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![any::<u8>().prop_map(|x| Kind::One { x }), Just(Kind::Two)]
}

fn values() -> impl Strategy<Value = Everything> {
    let map = prop::collection::btree_map("[a-z]{0,3}", any::<bool>(), 0..3);
    let kinds = prop::collection::vec(kinds(), 0..3);
    (any::<u8>(), any::<Option<i16>>(), kinds, ".*", map).prop_map(|(a, b, c, other, e)| {
        Everything {
            a,
            b,
            c,
            d: Part { other },
            e,
        }
    })
}

/// Documents near those that are read: each field may be left out or be anything.
fn documents() -> impl Strategy<Value = Value> {
    let some = prop_oneof![
        Just(json!(null)),
        Just(json!(0)),
        Just(json!(300)),
        Just(json!(-40000)),
        Just(json!("")),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{"t": "two"}])),
        Just(json!([{"t": "one", "x": 1}, {"t": "two", "x": "y"}])),
        Just(json!([{"t": "one"}])),
        Just(json!({"k": true})),
        Just(json!({"k": 1})),
        Just(json!(255)),
        Just(json!(-5)),
    ];
    let names = prop::sample::subsequence(vec!["a", "b", "c", "d", "e", "f"], 0..=6);
    (names, prop::collection::vec(some, 6)).prop_map(|(names, values)| {
        let entries = names.into_iter().map(str::to_owned).zip(values);
        Value::Object(entries.collect::<Map<_, _>>())
    })
}

/// One that is likely to be read, with a field changed.
fn near() -> impl Strategy<Value = Value> {
    (values(), documents()).prop_map(|(value, change)| {
        let mut document = serde_json::to_value(value).unwrap();
        if let (Some(document), Value::Object(change)) = (document.as_object_mut(), change) {
            document.extend(change.into_iter().take(1));
        }
        document
    })
}

proptest! {
    #[test]
    fn what_is_written_is_accepted_by_both_sides(value in values()) {
        let catalogue = Catalogue::new("Test").example(value);
        prop_assert!(catalogue.faults().is_empty(), "{:?}", catalogue.faults());
    }

    #[test]
    fn a_document_is_read_if_and_only_if_the_readers_schema_accepts_it(
        document in prop_oneof![documents(), near()]
    ) {
        let catalogue = Catalogue::new("Test").events_of::<Everything>();
        let entry = &catalogue.events()[0];
        let schema = Schema::parse(entry.reader()).unwrap();
        let read = entry.decode(entry.spec().version(), document.to_string().as_bytes());
        prop_assert_eq!(schema.accepts(&document), read.is_ok(), "{}: {:?}", document, read);
    }
}

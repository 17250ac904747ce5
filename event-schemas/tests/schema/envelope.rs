//! The schema of the whole envelope against written envelopes.

use bytes::Bytes;
use event_schemas::lock::Options;
use event_schemas::{Catalogue, EventEntry};
use event_schemas_subset::Schema;
use event_sdk::codec::{Codec as _, JsonCodec};
use event_sdk::headers::Headers;
use event_sdk::json::RawJson;
use event_sdk::{Event, EventBus, Pii};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An order was placed.
#[derive(Clone, Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders", version = "1.2")]
struct OrderPlaced {
    #[event(key)]
    id: u64,
    by: Pii<String>,
    #[serde(default)]
    note: String,
}

fn placed() -> OrderPlaced {
    OrderPlaced {
        id: 7,
        by: "Ada".to_owned().into(),
        note: String::new(),
    }
}

fn entry() -> EventEntry {
    let catalogue = Catalogue::new("Shop").example(placed());
    assert!(catalogue.faults().is_empty());
    catalogue.events()[0].clone()
}

#[tokio::test]
async fn what_a_publisher_writes_is_accepted() {
    let bus = EventBus::memory();
    let mut all = bus.subscribe::<event_sdk::RawEvent>().await.unwrap();
    bus.publisher().publish(placed()).await.unwrap();
    let delivery = all.next().await.unwrap().unwrap();
    let raw = delivery.decode().unwrap();
    let mut body = Vec::new();
    let data = RawJson::parse(String::from_utf8(raw.data.to_vec()).unwrap()).unwrap();
    JsonCodec
        .encode(&raw.head, &data, &mut Headers::default(), &mut body)
        .unwrap();
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    let schema = Schema::parse(&entry().envelope()).unwrap();
    assert_eq!(schema.validate(&envelope), [], "{envelope}");
    assert_eq!(envelope["metadata"]["key"], "7");
    assert_eq!(
        entry().envelope()["properties"]["metadata"]["properties"]["key"]["type"],
        "string"
    );
    for (key, is_written) in [
        (json!(7), false),
        (json!("k".repeat(256)), false),
        (json!(""), true),
    ] {
        let mut envelope = envelope.clone();
        envelope["metadata"]["key"] = key;
        assert_eq!(schema.accepts(&envelope), is_written, "{envelope}");
    }
}

/// An envelope as it is written.
fn written() -> Value {
    json!({
        "event_id": "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "event_type": "order.placed",
        "timestamp": "2025-11-06T12:00:00.123456Z",
        "source": "shop",
        "version": "1.2",
        "data": { "id": 7, "by": "Ada", "note": "" },
        "metadata": { "correlation_id": "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11", "region": "eu" },
        "unknown": [1]
    })
}

#[test]
fn no_field_may_be_missing_when_writing() {
    let schema = Schema::parse(&entry().envelope()).unwrap();
    assert_eq!(schema.validate(&written()), []);
    for field in [
        "event_id",
        "event_type",
        "timestamp",
        "source",
        "version",
        "data",
        "metadata",
    ] {
        let mut envelope = written();
        envelope.as_object_mut().unwrap().remove(field);
        assert!(!schema.accepts(&envelope), "{field} may be missing");
        envelope[field] = Value::Null;
        assert!(!schema.accepts(&envelope), "{field} may be null");
    }
    for (field, value) in [("event_type", "order.paid"), ("version", "1.1")] {
        let mut envelope = written();
        envelope[field] = value.into();
        assert!(!schema.accepts(&envelope), "{field} may be {value}");
    }
}

/// What stands in `envelope.json`, and what the codec says.
#[test]
fn what_a_reader_takes_is_as_the_schema_says() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::new("Shop").example(placed());
    event_schemas::lock::generate(&catalogue, dir.path(), &Options::default()).unwrap();
    let text = std::fs::read_to_string(dir.path().join("envelope.json")).unwrap();
    let schema = Schema::parse(&serde_json::from_str(&text).unwrap()).unwrap();
    let mut cases = vec![written()];
    for field in written().as_object().unwrap().keys() {
        for value in [None, Some(json!(null)), Some(json!("text")), Some(json!(1))] {
            let mut envelope = written();
            match value {
                None => drop(envelope.as_object_mut().unwrap().remove(field)),
                Some(value) => envelope[field] = value,
            }
            cases.push(envelope);
        }
    }
    for version in ["2", "01.02", "1.", "1.0.0", "v1", ""] {
        let mut envelope = written();
        envelope["version"] = version.into();
        cases.push(envelope);
    }
    for count in [254, 255, 256] {
        let mut envelope = written();
        envelope["metadata"] = (0..=count).map(|n| (n.to_string(), json!(n))).collect();
        cases.push(envelope);
    }
    let mut envelope = written();
    envelope["metadata"]["correlation_id"] = json!({"a": 1});
    cases.push(envelope);
    for key in [json!(null), json!(7), json!("k".repeat(1_000))] {
        let mut envelope = written();
        envelope["metadata"]["key"] = key;
        cases.push(envelope);
    }
    for case in cases {
        // A text that is no id is refused by the reader. No format says what it takes:
        // it reads ids in more forms than `uuid` has.
        let badly_formed = case["event_id"] == "text";
        let read = JsonCodec.decode(&Bytes::from(case.to_string()), &Headers::default());
        assert_eq!(
            schema.accepts(&case),
            read.is_ok() || badly_formed,
            "{case}: {read:?}"
        );
    }
}

#[test]
fn it_says_where_the_data_are_for_each_side() {
    let envelope = entry().envelope();
    assert_eq!(envelope["x-event"]["subject"], "orders.order.placed");
    assert_eq!(envelope["x-event"]["written"], "#/$defs/OrderPlaced");
    assert_eq!(envelope["x-event"]["read"], "#/$defs/OrderPlacedRead");
    let defs = &envelope["$defs"];
    assert_eq!(defs["OrderPlaced"]["required"], json!(["by", "id", "note"]));
    assert_eq!(defs["OrderPlacedRead"]["required"], json!(["by", "id"]));
    assert_eq!(defs["OrderPlaced"]["properties"]["by"]["x-pii"], true);
    assert_eq!(defs["OrderPlaced"]["examples"][0]["id"], 7);
}

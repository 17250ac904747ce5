//! Bodies of messages: the reader of envelopes, the data as events of a set, and raw JSON.

use bytes::Bytes;
use event_sdk::codec::{Codec as _, JsonCodec, RawEnvelope};
use event_sdk::headers::Headers;
use event_sdk::json::{RawJson, read_value};
use event_sdk::{EventSet, Subject};
use event_sdk_core::set::{Content, Opened};

use crate::orders::{AllOrderEvents, CustomerEvents, OrderEvents};

pub(super) fn run(input: &[u8]) {
    let body = Bytes::copy_from_slice(input);
    let _ = read_value::<serde_json::Value>(input).map_err(|why| why.to_string());
    match JsonCodec.decode(&body, &Headers::new()) {
        Ok(envelope) => {
            is_written_as_it_is_read(&envelope);
            decode(&envelope);
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// What was read can be written, and stays the same from then on.
fn is_written_as_it_is_read(envelope: &RawEnvelope) {
    let first = write(envelope);
    let again = JsonCodec.decode(&first, &Headers::new());
    let again = again.unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&first)));
    assert_eq!(again.data, envelope.data);
    assert_eq!(again.head.metadata, envelope.head.metadata);
    assert_eq!(write(&again), first);
}

fn write(envelope: &RawEnvelope) -> Bytes {
    let data = String::from_utf8(envelope.data.to_vec()).expect("JSON is UTF-8");
    let data = RawJson::parse(data).expect("the data of an envelope are JSON");
    let mut out = Vec::new();
    let written = JsonCodec.encode(&envelope.head, &data, &mut Headers::new(), &mut out);
    written.expect("what was read can be written");
    out.into()
}

/// As each event of the sets, whatever its subject is.
fn decode(envelope: &RawEnvelope) {
    for subject in [
        "events.orders.order.placed",
        "events.orders.order.paid",
        "events.orders.order.shipped",
        "events.crm.customer.moved.key",
        "elsewhere",
    ] {
        let subject = Subject::parse(subject).expect("it is a subject");
        let content = Content::Encoded(&envelope.head, &envelope.data);
        let opened = Opened::new(&subject, "events", content);
        decode_as::<OrderEvents>(&opened);
        decode_as::<AllOrderEvents>(&opened);
        decode_as::<CustomerEvents>(&opened);
    }
}

fn decode_as<S: EventSet>(opened: &Opened<'_>) {
    if let Err(why) = S::decode(opened) {
        // What is logged of it.
        let _ = (why.to_string(), format!("{why:?}"));
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let golden = include_str!("../../golden/envelopes.json");
    let golden: serde_json::Value = serde_json::from_str(golden).expect("golden files are JSON");
    let mut seeds = Vec::new();
    bodies(&golden, &mut seeds);
    for data in [
        r#"{"id":1,"item":"x"}"#,
        r#"{"id":1,"amount":2.5}"#,
        r#"{"customer":"a","city":"b"}"#,
        "null",
    ] {
        for event_type in ["order.placed", "order.paid", "customer.moved"] {
            seeds.push(crate::raw::envelope(event_type, "1.0", data).into());
        }
    }
    seeds
}

/// Every text in the file that stands for a body.
fn bodies(value: &serde_json::Value, found: &mut Vec<Vec<u8>>) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                match value.as_str() {
                    Some(text) if name == "body" => found.push(text.into()),
                    _ => bodies(value, found),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| bodies(value, found)),
        _ => {}
    }
}

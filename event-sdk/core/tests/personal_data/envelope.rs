//! No event data in errors of envelopes and sets, nor in `Debug` of messages.

use std::sync::Arc;

use bytes::Bytes;
use event_sdk_core::codec::{Codec, JsonCodec};
use event_sdk_core::event::ValueHeader;
use event_sdk_core::headers::Headers;
use event_sdk_core::json::RawJson;
use event_sdk_core::set::{Content, Opened};
use event_sdk_core::transport::{
    Body, DeliveryInfo, Incoming, MessageId, PublishRequest, Received, StoredMessage, ValueBody,
};
use event_sdk_core::{EnvelopeHeader, Event, EventKey, EventSet, RawEvent, Subject};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::person::{PersonSeen, RIGHT};
use crate::{SECRET, printed, printed_error};

fn head() -> EnvelopeHeader {
    let mut head = EnvelopeHeader::new(Uuid::nil(), "person.seen", Timestamp::UNIX_EPOCH);
    head.metadata.correlation_id = Some(SECRET.into());
    head.metadata.key = EventKey::new(SECRET).ok();
    head.metadata.insert("user", SECRET);
    head.metadata.insert_json("users", &[SECRET]).unwrap();
    head
}

fn body() -> Bytes {
    let body = format!(
        r#"{{"event_id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":"person.seen","timestamp":"2025-11-06T12:00:00Z","source":"shop","version":"1.0","data":{{"name":"{SECRET}"}},"metadata":{{"correlation_id":"{SECRET}","key":"{SECRET}","user":"{SECRET}"}},"more":"{SECRET}"}}"#
    );
    Bytes::from(body)
}

#[test]
fn no_error_of_an_envelope_shows_a_value() {
    let right = String::from_utf8(body().to_vec()).unwrap();
    for (from, to, says) in [
        (
            "\"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11\"",
            format!("\"{SECRET}\""),
            "event_id: invalid value: string, expected a UUID",
        ),
        (
            "\"person.seen\"",
            format!("[\"{SECRET}\"]"),
            "event_type: invalid type: sequence, expected a string",
        ),
        (
            "2025-11-06T12:00:00Z",
            SECRET.to_owned(),
            "timestamp: invalid value: string, expected a time by RFC 3339",
        ),
        (
            "2025-11-06T12:00:00Z",
            "9999-11-06T12:00:00Z".to_owned(),
            "timestamp: invalid value: string, expected a time in the years 0001 to 9998",
        ),
        (
            "\"1.0\"",
            format!("\"{SECRET}\""),
            "version: invalid value: string, expected a version",
        ),
        (
            "\"shop\"",
            "41".to_owned(),
            "source: invalid type: integer, expected a string",
        ),
        (
            "\"metadata\":{",
            format!("\"metadata\":[\"{SECRET}\"],\"x\":{{"),
            "metadata: invalid type: sequence, expected metadata",
        ),
        (
            "\"metadata\":{",
            format!("\"metadata\":{{\"correlation_id\":\"{SECRET}\","),
            "metadata: duplicate field `correlation_id`",
        ),
        (
            "\"metadata\":{",
            format!("\"metadata\":{{\"key\":\"{SECRET}\","),
            "metadata: duplicate field `key`",
        ),
        (
            "\"event_type\"",
            "\"kind\"".to_owned(),
            "missing field `event_type`",
        ),
    ] {
        let broken = right.replacen(from, &to, 1);
        assert_ne!(broken, right, "{from}");
        let fault = JsonCodec
            .decode(&Bytes::from(broken), &Headers::new())
            .unwrap_err();
        let shown = printed_error(&fault);
        assert!(shown.contains(says), "{to}: {shown}");
        assert!(shown.contains("the body is no event envelope: "), "{shown}");
        assert!(
            !shown.contains(SECRET) && !shown.contains("41"),
            "{to}: {shown}"
        );
    }
    let array = Bytes::from(format!("[\"{SECRET}\"]"));
    let shown = printed_error(&JsonCodec.decode(&array, &Headers::new()).unwrap_err());
    assert!(
        shown.contains("expected an event envelope") && !shown.contains(SECRET),
        "{shown}"
    );
}

#[derive(Event, Serialize, Deserialize, Debug)]
#[event(crate = event_sdk_core, domain = "test")]
struct NameTold {
    name: String,
}

#[test]
fn debug_shows_no_data() {
    let subject = Subject::parse("events.test.name.told").unwrap();
    let envelope = JsonCodec.decode(&body(), &Headers::new()).unwrap();
    let raw = RawEvent {
        subject: subject.clone(),
        head: envelope.head.clone(),
        data: envelope.data.clone(),
    };
    let event: Arc<dyn event_sdk_core::event::ErasedEvent> = Arc::new(NameTold {
        name: SECRET.to_owned(),
    });
    let value = ValueBody {
        head: ValueHeader::from(head()),
        event: Arc::clone(&event),
    };
    let mut headers = Headers::new();
    headers.insert("user", SECRET).unwrap();
    let info = DeliveryInfo {
        stream: None,
        sequence: Some(1),
        attempt: 1,
        number: None,
        stored_at: None,
        pending: None,
    };
    let received = |body| {
        Incoming::Message(Received {
            subject: subject.clone(),
            headers: headers.clone(),
            body,
            info: info.clone(),
            settler: None,
        })
    };
    let stored = StoredMessage {
        subject: subject.clone(),
        headers: headers.clone(),
        body: Body::Encoded(body()),
        stream: "PEOPLE".into(),
        sequence: 1,
        stored_at: Timestamp::UNIX_EPOCH,
    };
    let outgoing = {
        let mut request = PublishRequest::new(&subject, Body::Encoded(body()));
        request.headers = headers.clone();
        request.message_id = Some(MessageId::Text(SECRET.into()));
        request
    };
    let encoded = Opened::new(
        &subject,
        "events",
        Content::Encoded(&envelope.head, &envelope.data),
    );
    let handed = Opened::new(
        &subject,
        "events",
        Content::Value(&value.head, &value.event),
    );
    let printed = [
        printed(&head()),
        printed(&head().metadata),
        printed(&head().metadata.value("user")),
        printed(&head().metadata.correlation_id),
        printed(&envelope),
        printed(&raw),
        printed(&value),
        printed(&*event),
        printed(&received(Body::Encoded(body()))),
        printed(&received(Body::Value(value.clone()))),
        printed(&stored),
        printed(&outgoing),
        printed(&encoded),
        printed(&handed),
        printed(&RawJson::from_value(SECRET).unwrap()),
        printed(&headers),
    ];
    for text in printed {
        assert!(!text.contains(SECRET), "{text}");
    }
    // What it does show is enough to find the event.
    let shown = format!("{raw:?}");
    for part in [
        "events.test.name.told",
        "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11",
        "shop",
        "user",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    // The values are there for those who ask.
    assert_eq!(headers.get("user"), Some(SECRET));
    assert_eq!(head().metadata.get("user"), Some(SECRET));
    assert_eq!(head().metadata.correlation_id.unwrap().to_string(), SECRET);
}

#[derive(EventSet, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one event has a field of each kind"
)]
enum People {
    Seen(PersonSeen),
    Told(NameTold),
}

#[test]
fn a_set_says_no_more_than_its_events() {
    let subject = Subject::parse("events.test.person.seen").unwrap();
    let head = EnvelopeHeader::new(Uuid::nil(), "person.seen", Timestamp::UNIX_EPOCH);
    let right = Bytes::from_static(RIGHT.as_bytes());
    let opened = Opened::new(&subject, "events", Content::Encoded(&head, &right));
    match People::decode(&opened).unwrap() {
        People::Seen(seen) => assert_eq!(seen.age, 7),
        People::Told(told) => panic!("{} has another subject", told.name),
    }
    let data = Bytes::from(RIGHT.replace("\"age\":7", &format!("\"age\":\"{SECRET}\"")));
    let opened = Opened::new(&subject, "events", Content::Encoded(&head, &data));
    let fault = People::decode(&opened).unwrap_err();
    assert!(!printed_error(&fault).contains(SECRET));
    assert_eq!(fault.path(), Some("age"));
}

//! Events from other languages, read in Rust.

use std::collections::BTreeMap;

use event_sdk::{EventKey, Version};

use crate::client::{Client, Line, within};
use crate::rig::{ReadingChecked, ReadingTaken, Rig, STREAM, Weather, json, next, reading};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TAKEN: &str = "prod.eu.weather.reading.taken";
const CHECKED: &str = "prod.eu.weather.reading.checked";

/// A check of no station.
fn checked(good: bool) -> ReadingChecked {
    ReadingChecked {
        station: String::new(),
        good,
    }
}

pub(crate) async fn what_it_publishes_is_read(client: Client) {
    let rig = Rig::start().await;
    let keys = [
        "plain_-9",
        "a.b c",
        "",
        "=",
        "*>",
        "x\ny\0",
        "Grüße 日本 😀",
    ];
    let values = "[12345678901234567890123,1e400,-0.0,1.50]";
    let mut lines: Vec<Line<'_>> = keys
        .iter()
        .map(|key| Line {
            subject: TAKEN,
            key: Some(key),
            event_type: Some("reading.taken"),
            // A newer minor may have fields that we do not know.
            version: Some("2.17"),
            data: Some(json(&format!(
                r#"{{"station":{},"values":{values},"since":"2.17"}}"#,
                serde_json::to_string(key).unwrap()
            ))),
            ..Line::default()
        })
        .collect();
    lines.push(Line {
        subject: CHECKED,
        event_type: Some("reading.checked"),
        data: Some(json(r#"{"station":"","good":true}"#)),
        correlation_id: Some("REQ-4711 / ü"),
        key_beside_subject: Some("a.b \"ü\""),
        metadata: BTreeMap::from([("Straße", json(r#""Grüße""#)), ("attempt", json("1e400"))]),
        headers: BTreeMap::from([
            ("traceparent", PARENT),
            ("tracestate", "a=1,b@c=2"),
            ("x-tenant", "Grüße: 1"),
        ]),
        ..Line::default()
    });
    let published = client.publish(&rig.server.url(), &lines).await;

    let mut weather = rig.weather().await;
    for (number, (key, published)) in (1..).zip(keys.iter().zip(&published)) {
        assert_eq!(published.stream, STREAM);
        assert_eq!(published.sequence, number);
        let delivery = next(&mut weather).await;
        assert_eq!(delivery.sequence(), Some(number));
        let taken = reading(key, values);
        assert_eq!(delivery.decode().unwrap(), Weather::Taken(taken.clone()));
        let ours = rig.bus.publisher::<ReadingTaken>().subject_of(&taken);
        assert_eq!(*delivery.subject(), ours.unwrap());
        assert_eq!(delivery.key().as_deref(), Some(*key));
        let head = delivery.head().unwrap();
        assert_eq!(
            head.metadata.key.as_ref().map(EventKey::text).as_deref(),
            Some(*key)
        );
        let id = head.event_id.to_string();
        assert_eq!(Some(&id), published.event_id.as_ref());
        assert_eq!(head.event_id.get_version_num(), 7);
        assert_eq!(head.version, Version::new(2, 17));
        // The first of a story: its correlation id is its own.
        let story = head.metadata.correlation_id.as_ref();
        assert_eq!(story.map(ToString::to_string), Some(id));
        assert_eq!(head.metadata.causation_id, None);
        delivery.ack_confirmed().await.unwrap();
    }
    let delivery = next(&mut weather).await;
    assert_eq!(delivery.decode().unwrap(), Weather::Checked(checked(true)));
    assert_eq!(delivery.key().as_deref(), Some("a.b \"ü\""));
    let head = delivery.head().unwrap();
    let story = head.metadata.correlation_id.as_ref().unwrap();
    assert_eq!(story.to_string(), "REQ-4711 / ü");
    assert_eq!(head.metadata.get("Straße"), Some("Grüße"));
    assert_eq!(head.metadata.iter().count(), 2);
    assert_eq!(delivery.headers().get("x-tenant"), Some("Grüße: 1"));
    let trace = delivery.trace().unwrap();
    assert_eq!(trace.traceparent(), PARENT);
    assert_eq!(trace.tracestate(), Some("a=1,b@c=2"));
}

pub(crate) async fn loose_forms_are_read(client: Client) {
    const ID: &str = "0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11";
    let rig = Rig::start().await;
    let loose = [
        // Only what is required, and fields that nobody knows.
        r#"{"event_id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":"reading.checked","timestamp":"2025-11-06T12:00:00Z","data":{"station":"","good":true},"tenant":{"id":12345678901234567890123}}"#,
        // Null for what is optional, any order, any white space, escapes in names and texts.
        "\n{ \"data\" : {\"good\":true, \"station\":\"\"}, \"metadata\":null,\r\n\t\"version\":null,\"source\":null,\
         \"timestamp\":\"2025-11-06t13:00:00.0000009+01:00\",\
         \"event\\u005ftype\":\"reading\\u002echecked\",\"event_id\":\"{0193A5C2-7B1E-7C4A-9F55-2F6D6F1F0B11}\" } ",
        // Other forms of an id, a time and a version; ids that are none.
        r#"{"event_id":"0193a5c27b1e7c4a9f552f6d6f1f0b11","event_type":"reading.checked","timestamp":"2016-12-31T23:59:60Z","version":"1","data":{"station":"","good":true},"metadata":{"correlation_id":null,"causation_id":7,"a":1,"a":2}}"#,
        r#"{"event_id":"urn:uuid:0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":"reading.checked","timestamp":"2025-11-06T12:00:00.123456789-00:00","version":"01.65535","data":{"station":"","good":true},"metadata":{}}"#,
    ];
    let lines = loose.map(|body| Line {
        subject: CHECKED,
        body: Some(body.to_owned()),
        ..Line::default()
    });
    client.publish(&rig.server.url(), &lines).await;

    let times = [
        "2025-11-06T12:00:00.000000Z",
        "2025-11-06T12:00:00.000000Z",
        "2016-12-31T23:59:59.000000Z",
        "2025-11-06T12:00:00.123456Z",
    ];
    let mut weather = rig.weather().await;
    for time in times {
        let delivery = next(&mut weather).await;
        assert_eq!(delivery.decode().unwrap(), Weather::Checked(checked(true)));
        let head = delivery.head().unwrap();
        assert_eq!(head.event_id.to_string(), ID);
        assert_eq!(head.source, "unknown");
        assert_eq!(head.version.major(), 1);
        assert_eq!(head.metadata.correlation_id, None);
        assert_eq!(head.metadata.causation_id, None);
        // Finer than a microsecond is cut when it is written again.
        let micros = head.timestamp.as_microsecond();
        let written = jiff::Timestamp::from_microsecond(micros).unwrap();
        assert_eq!(format!("{written:.6}"), time);
        delivery.ack_confirmed().await.unwrap();
    }
    // The client reads its own loose forms as we do.
    for (read, time) in client.consume(&rig.server.url(), 4).await.iter().zip(times) {
        assert_eq!(read.outcome, "event", "{read:?}");
        assert_eq!(read.event_id.as_deref(), Some(ID));
        assert_eq!(read.source.as_deref(), Some("unknown"));
        assert_eq!(read.timestamp.as_deref(), Some(time));
        assert_eq!(read.correlation_id, None);
        assert_eq!(read.causation_id, None);
    }
}

pub(crate) async fn the_same_event_is_stored_once(client: Client) {
    let rig = Rig::start().await;
    let line = || Line {
        subject: CHECKED,
        event_type: Some("reading.checked"),
        data: Some(json(r#"{"station":"","good":true}"#)),
        event_id: Some("0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11".to_owned()),
        ..Line::default()
    };
    // In one run and, as a retry after a crash would be, in another.
    let url = rig.server.url();
    let mut published = client.publish(&url, &[line(), line()]).await;
    published.extend(client.publish(&url, &[line()]).await);
    let duplicates: Vec<bool> = published.iter().map(|it| it.duplicate).collect();
    assert_eq!(duplicates, [false, true, true]);
    assert!(published.iter().all(|it| it.sequence == 1));
    assert_eq!(rig.stored().await, 1);
}

pub(crate) async fn a_retry_in_another_language_is_the_same_event(client: Client) {
    let rig = Rig::start().await;
    let checks = rig.bus.publisher::<ReadingChecked>();
    let event = checks.prepare(checked(false));
    within(checks.publish(&event)).await.unwrap();
    let line = Line {
        subject: CHECKED,
        event_type: Some("reading.checked"),
        data: Some(json(r#"{"station":"","good":false}"#)),
        event_id: Some(event.id().to_string()),
        ..Line::default()
    };
    let published = client.publish(&rig.server.url(), &[line]).await;
    assert!(published[0].duplicate);

    let line = Line {
        subject: CHECKED,
        event_type: Some("reading.checked"),
        data: Some(json(r#"{"station":"","good":false}"#)),
        ..Line::default()
    };
    let published = client.publish(&rig.server.url(), &[line]).await;
    assert!(!published[0].duplicate);
    let theirs = published[0].event_id.clone().unwrap();
    let again = checks.publish(checks.prepare(checked(false)).message_id(theirs));
    assert!(within(again).await.unwrap().is_duplicate());
    assert_eq!(rig.stored().await, 2);
}

//! Newer versions, older versions and invalid messages, in both directions.

use std::time::Duration;

use event_sdk::Event;
use event_sdk::codec::DecodeErrorKind;
use event_sdk::json::RawJson;
use event_sdk_tests::raw;
use serde::{Deserialize, Serialize};

use crate::client::{Client, Line, within};
use crate::rig::{Rig, Weather, json, next, reading};

/// How a later program writes the reading.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(
    domain = "weather",
    entity = "reading",
    action = "taken",
    version = "3.0"
)]
struct LaterReading {
    #[event(key, in_subject)]
    station: String,
}

/// A check with all that its data may have.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "weather", entity = "reading", action = "checked")]
struct WholeCheck {
    values: serde_json::Value,
}

const TAKEN: &str = "prod.eu.weather.reading.taken";

pub(crate) async fn what_we_cannot_read_is_told_apart(client: Client) {
    let rig = Rig::start().await;
    let event = |event_type, version, data| Line {
        subject: TAKEN,
        key: Some("k"),
        event_type: Some(event_type),
        version: Some(version),
        data: Some(json(data)),
        ..Line::default()
    };
    let data = r#"{"station":"k","values":[]}"#;
    let lines = [
        event("reading.taken", "3.0", "{}"),
        event("reading.taken", "1.9", data),
        event("reading.checked", "2.3", data),
        event("reading.taken", "2.3", "{}"),
        Line {
            subject: TAKEN,
            key: Some("k"),
            body: Some("not json".to_owned()),
            ..Line::default()
        },
        event("reading.taken", "2.3", data),
    ];
    client.publish(&rig.server.url(), &lines).await;

    let mut weather = rig.weather().await;
    for kind in [
        DecodeErrorKind::Newer,
        DecodeErrorKind::Older,
        DecodeErrorKind::TypeMismatch,
        DecodeErrorKind::Data,
        DecodeErrorKind::Malformed,
    ] {
        let delivery = next(&mut weather).await;
        let error = delivery.decode().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        delivery
            .refuse(&error, Duration::from_millis(200))
            .await
            .unwrap();
    }
    let delivery = next(&mut weather).await;
    let taken = Weather::Taken(reading("k", "[]"));
    assert_eq!(delivery.decode().unwrap(), taken);
    delivery.ack_confirmed().await.unwrap();
    // Only the newer one comes again.
    let again = next(&mut weather).await;
    assert_eq!(again.sequence(), Some(1));
    assert_eq!(again.attempt(), 2);
    assert!(again.decode().unwrap_err().is_newer());
}

pub(crate) async fn what_it_cannot_read_is_told_apart(client: Client) {
    let rig = Rig::start().await;
    let later = rig.bus.publisher::<LaterReading>();
    let station = "k".to_owned();
    within(later.publish(LaterReading { station }))
        .await
        .unwrap();
    let subject = format!("{TAKEN}.k");
    let older = raw::envelope("reading.taken", "1.9", "{}");
    let mismatch = raw::envelope("reading.checked", "2.3", "{}");
    for body in [&older, &mismatch, "not json", ""] {
        raw::publish(&rig.bus, &subject, body.to_owned())
            .await
            .unwrap();
    }
    let unheard_of = "prod.eu.weather.reading.unheard-of";
    let body = raw::envelope("reading.unheard-of", "1.0", "null");
    raw::publish(&rig.bus, unheard_of, body).await.unwrap();
    let body = raw::envelope("reading.taken", "2.3", "{}");
    raw::publish(&rig.bus, &format!("{TAKEN}.=2e"), body)
        .await
        .unwrap();
    let readings = rig.bus.publisher();
    within(readings.publish(reading("k", "[]"))).await.unwrap();

    let url = rig.server.url();
    let consumed = client.consume(&url, 8).await;
    let outcomes: Vec<&str> = consumed.iter().map(|it| it.outcome.as_str()).collect();
    let refused = ["refused"; 4];
    let later = ["unknown", "refused", "event"];
    assert_eq!(outcomes, [&["newer"], &refused[..], &later].concat());
    assert_eq!(consumed[0].version.as_deref(), Some("3.0"));
    for (read, named) in consumed[1..7].iter().zip([
        "1.9",
        "reading.checked",
        "JSON",
        "JSON",
        "unheard-of",
        "=2e",
    ]) {
        let reason = read.reason.as_deref().unwrap();
        assert!(reason.contains(named), "{reason}");
    }
    // Only the newer one comes again.
    let again = client.consume(&url, 1).await;
    assert_eq!(again[0].outcome, "newer");
    assert_eq!(again[0].sequence, 1);
    assert_eq!(again[0].deliveries, 2);
}

pub(crate) async fn data_of_127_nested_values_are_read(client: Client) {
    let rig = Rig::start().await;
    // The object around the values is one of them.
    let nested = |depth: usize| {
        let values = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{{"values":{values}}}"#)
    };
    for depth in [127, 128] {
        let body = raw::envelope("reading.checked", "1.0", &nested(depth));
        let subject = "prod.eu.weather.reading.checked";
        raw::publish(&rig.bus, subject, body).await.unwrap();
    }
    let consumed = client.consume(&rig.server.url(), 2).await;
    let outcomes: Vec<&str> = consumed.iter().map(|it| it.outcome.as_str()).collect();
    assert_eq!(outcomes, ["event", "refused"]);

    let mut checks = within(rig.bus.subscribe::<WholeCheck>()).await.unwrap();
    let deep = next(&mut checks).await.decode().unwrap();
    let data = RawJson::from_value(&deep).unwrap();
    assert_eq!(Some(data), consumed[0].data);
    let error = next(&mut checks).await.decode().unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::Data, "{error}");
}

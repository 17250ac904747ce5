//! Events from Rust, read in other languages.

use event_sdk::json::RawJson;
use event_sdk::{Event, EventKey, LooseId, Prepared, TraceContext};

use crate::client::{Client, Consumed, within};
use crate::rig::{AlarmRaised, ReadingChecked, ReadingTaken, Rig, StationLogged, json, reading};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub(crate) async fn what_we_publish_is_read(client: Client) {
    let rig = Rig::start().await;
    let readings = rig.bus.publisher::<ReadingTaken>();
    let checks = rig.bus.publisher::<ReadingChecked>();

    let keys = [
        "plain_-9",
        "a.b c",
        "",
        "=",
        "*>",
        "$JS/../x",
        "x\ny\0",
        "Grüße 日本 😀",
    ];
    let mut taken = Vec::new();
    for key in keys {
        let event = readings.prepare(reading(key, "[]"));
        within(readings.publish(&event)).await.unwrap();
        taken.push(event);
    }
    let trace = TraceContext::new(PARENT, Some("a=1,b@c=2".to_owned())).unwrap();
    let check = checks
        .prepare(ReadingChecked {
            station: "not in the subject".to_owned(),
            good: true,
        })
        .caused_by(&taken[1])
        .trace(&trace)
        .metadata("Straße", "Grüße \u{0} \u{2028}")
        .header("x-tenant", "Grüße: 1")
        .unwrap();
    within(checks.publish(&check)).await.unwrap();
    let asked = checks
        .prepare(ReadingChecked {
            station: String::new(),
            good: false,
        })
        .correlation_id("REQ-4711 / ü")
        .message_id("asked once");
    within(checks.publish(&asked)).await.unwrap();

    let consumed = client.consume(&rig.server.url(), keys.len() + 2).await;
    for ((key, event), read) in keys.iter().zip(&taken).zip(&consumed) {
        assert_eq!(read.event.as_deref(), Some("weather.reading.taken"));
        assert_eq!(read.key.as_deref(), Some(*key));
        assert_eq!(read.headers.len(), 1, "{:?}", read.headers);
        assert_same(event, read);
    }
    let read = &consumed[keys.len()];
    assert_same(&check, read);
    assert_eq!(read.subject, "prod.eu.weather.reading.checked");
    assert_eq!(read.key.as_deref(), Some("not in the subject"));
    assert_eq!(read.causation_id, Some(taken[1].id().to_string()));
    assert_eq!(read.correlation_id, Some(taken[1].id().to_string()));
    assert_eq!(read.headers["x-tenant"], "Grüße: 1");
    assert_eq!(read.trace["traceparent"], PARENT);
    assert_eq!(read.trace["tracestate"], "a=1,b@c=2");
    assert_eq!(read.metadata["region"], json(r#""eu-west-1""#));
    let text: String = read.metadata["Straße"].read().unwrap();
    assert_eq!(text, "Grüße \u{0} \u{2028}");

    let read = &consumed[keys.len() + 1];
    assert_eq!(read.correlation_id.as_deref(), Some("REQ-4711 / ü"));
    assert_eq!(read.headers["Nats-Msg-Id"], "asked once");
    assert_eq!(read.event_id, Some(asked.id().to_string()));
}

pub(crate) async fn the_numbers_and_texts_of_data_survive(client: Client) {
    let rig = Rig::start().await;
    let readings = rig.bus.publisher::<ReadingTaken>();
    let values = [
        "12345678901234567890123",
        "1e400",
        "[-0,-0.0,1.50,1E5,0.1,1e-400]",
        r#"{"":null,"ключ":[true,false,{}],"__proto__":{"a":1}}"#,
    ];
    let notes = [
        "",
        "\"\\/\u{8}\u{c}\n\r\t\u{1f}",
        "\u{7f}\u{85}\u{2028}\u{feff}",
        "日本 😀 e\u{301}",
    ];
    let mut taken = Vec::new();
    for (value, note) in values.iter().zip(notes) {
        let mut event = reading("exact", value);
        event.note = Some(note.to_owned());
        let event = readings.prepare(event);
        within(readings.publish(&event)).await.unwrap();
        taken.push(event);
    }
    let consumed = client.consume(&rig.server.url(), values.len()).await;
    for (event, read) in taken.iter().zip(&consumed) {
        assert_same(event, read);
    }
}

pub(crate) async fn foreign_subjects_are_found(client: Client) {
    let rig = Rig::start().await;
    let logs = rig.bus.publisher::<StationLogged>();
    let logged = logs.prepare(StationLogged {
        line: "up".to_owned(),
    });
    within(logs.publish(&logged)).await.unwrap();
    let alarms = rig.bus.publisher::<AlarmRaised>();
    let raised = alarms.prepare(AlarmRaised { level: 9 });
    within(alarms.publish(&raised)).await.unwrap();

    let consumed = client.consume(&rig.server.url(), 2).await;
    assert_eq!(consumed[0].subject, "prod.eu.stations.log");
    assert_eq!(consumed[0].event.as_deref(), Some("stations.log"));
    assert_same(&logged, &consumed[0]);
    assert_eq!(consumed[1].subject, "legacy.ALARM.raised");
    assert_eq!(consumed[1].event.as_deref(), Some("legacy.ALARM.raised"));
    assert_same(&raised, &consumed[1]);
}

/// The client has read what was published: head, data and message id.
fn assert_same<E: Event>(published: &Prepared<E>, read: &Consumed) {
    assert_eq!(read.outcome, "event", "{read:?}");
    let head = published.head();
    assert_eq!(read.event_id, Some(head.event_id.to_string()));
    assert_eq!(read.event_type.as_deref(), Some(&*head.event_type));
    assert_eq!(read.timestamp, Some(format!("{:.6}", head.timestamp)));
    assert_eq!(read.source.as_deref(), Some("rust"));
    assert_eq!(read.version, Some(head.version.to_string()));
    let text = |id: &Option<LooseId>| id.as_ref().map(ToString::to_string);
    assert_eq!(read.correlation_id, text(&head.metadata.correlation_id));
    assert_eq!(read.causation_id, text(&head.metadata.causation_id));
    assert_eq!(
        read.key.as_deref(),
        head.metadata.key.as_ref().map(EventKey::text).as_deref()
    );
    // Read into values of the client's language and written again.
    let data = RawJson::from_value(published.event()).unwrap();
    assert_eq!(read.data.as_ref(), Some(&data));
    assert_eq!(read.headers["Nats-Msg-Id"], head.event_id.to_string());
}

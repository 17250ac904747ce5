//! Correlation and causation through three languages.

use crate::client::{Client, Line, within};
use crate::rig::{ReadingChecked, ReadingTaken, Rig, Weather, json, next, reading};

#[tokio::test]
async fn a_story_goes_from_rust_over_python_and_node_to_rust() {
    a_story_goes_round(&Client::python(), &Client::node()).await;
}

#[tokio::test]
async fn a_story_goes_from_rust_over_node_and_python_to_rust() {
    a_story_goes_round(&Client::node(), &Client::python()).await;
}

/// We publish a reading; `first` reads it and checks it; `second` reads the check, which `first`
/// has published, and logs it; we read the log and raise an alarm.
async fn a_story_goes_round(first: &Client, second: &Client) {
    let rig = Rig::start().await;
    let url = rig.server.url();
    let readings = rig.bus.publisher::<ReadingTaken>();
    let taken = readings
        .prepare(reading("a.b", "[1e400]"))
        .correlation_id("REQ-1");
    within(readings.publish(&taken)).await.unwrap();

    let read = first.consume(&url, 1).await;
    let check = Line {
        subject: "prod.eu.weather.reading.checked",
        event_type: Some("reading.checked"),
        data: Some(json(r#"{"station":"a.b","good":true}"#)),
        caused_by: Some(read[0].as_cause()),
        ..Line::default()
    };
    first.publish(&url, &[check]).await;

    // The durable goes on where the other language has stopped.
    let read = second.consume(&url, 1).await;
    assert_eq!(read[0].event.as_deref(), Some("weather.reading.checked"));
    assert_eq!(read[0].causation_id, Some(taken.id().to_string()));
    let log = Line {
        subject: "prod.eu.stations.log",
        event_type: Some("station.logged"),
        data: Some(json(r#"{"line":"checked"}"#)),
        caused_by: Some(read[0].as_cause()),
        ..Line::default()
    };
    second.publish(&url, &[log]).await;

    let mut weather = rig.weather().await;
    let mut causes = Vec::new();
    for number in 1..=3 {
        let delivery = next(&mut weather).await;
        let head = delivery.head().unwrap();
        let story = head.metadata.correlation_id.as_ref().unwrap();
        assert_eq!(story.to_string(), "REQ-1");
        assert_eq!(head.metadata.causation_id, causes.last().cloned());
        causes.push(head.event_id.into());
        match (number, delivery.decode().unwrap()) {
            (1, Weather::Taken(event)) => assert_eq!(event, *taken.event()),
            (2, Weather::Checked(ReadingChecked { good: true, .. })) => {}
            (3, Weather::Logged(_)) => {
                let alarms = rig.bus.publisher();
                let alarm = crate::rig::AlarmRaised { level: 1 };
                within(alarms.publish(alarm).caused_by(&delivery))
                    .await
                    .unwrap();
            }
            (_, other) => panic!("{number} is {other:?}"),
        }
        delivery.ack_confirmed().await.unwrap();
    }
    let alarm = first.consume(&url, 2).await.pop().unwrap();
    assert_eq!(alarm.event.as_deref(), Some("legacy.ALARM.raised"));
    assert_eq!(alarm.correlation_id.as_deref(), Some("REQ-1"));
    assert_eq!(alarm.causation_id, causes.last().map(ToString::to_string));
}

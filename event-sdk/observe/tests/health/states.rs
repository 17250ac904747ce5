//! The states of a service: what makes it degraded or down, what does not, and that readiness depends on
//! neither lag nor dead letters.

use std::time::Duration;

use event_sdk::stream::{Discard, StreamSpec};
use event_sdk_observe::health::{Health, HealthReport, Status, Thresholds};
use futures_util::poll;

use crate::rig::{Running, Service, gated, until};

/// The problems as sentences.
fn problems(report: &HealthReport) -> Vec<String> {
    report.problems.iter().map(ToString::to_string).collect()
}

/// A health that looks anew each time.
fn anew(builder: event_sdk_observe::health::HealthBuilder) -> Health {
    builder.interval(Duration::ZERO).build()
}

#[tokio::test]
async fn a_service_without_trouble_is_ok_and_reports_every_value() {
    let service = Service::start().await;
    let (consumer, gate) = gated(&service.bus);
    let health = Health::builder(&service.bus)
        .stream("ORDERS")
        .consumer(&consumer)
        .dead_letters("DLQ")
        .feature("inbox", true)
        .version("4.0.3");
    let health = anew(health);
    let running = Running::start(consumer).await;
    gate.add_permits(3);
    service.publish(3).await;
    until("three events are settled", async || {
        let report = health.check().await;
        report.consumers[0].durables[0].lag_events == Some(0)
    })
    .await;

    let report = health.check().await;
    let json = serde_json::to_value(&*report).unwrap();
    let expected = serde_json::json!({
        "status": "ok",
        "healthy": true,
        "ready": true,
        "problems": [],
        "connection": {
            "transport": "memory", "state": "connected", "connected": true, "connections": 0,
            "certificates": []
        },
        "streams": [{
            "name": "ORDERS", "exists": true, "subjects": ["events.orders.>"],
            "messages": 3, "bytes": json["streams"][0]["bytes"], "discard": "old",
            "removed": 0
        }],
        "consumers": [{ "name": "billing", "ready": true, "durables": [{
            "stream": "ORDERS", "durable": "billing", "lag_events": 0, "lag_seconds": 0.0,
            "pending": 0, "ack_pending": 0, "redelivered": 0, "still_seconds": 0.0, "stuck": false
        }]}],
        "outboxes": [],
        "dead_letters": [{ "stream": "DLQ", "messages": 0 }],
        "performance": { "round_trip_ms": 0.0, "check_duration_ms": 0.0 },
        "config": {
            "source": "billing", "prefix": "events", "discarded": 0,
            "features": { "consumers": true, "dead_letters": true, "inbox": true, "outbox": false }
        },
        "version": "4.0.3",
        "sdk_version": env!("CARGO_PKG_VERSION"),
        "checked_at": "2025-01-01T00:00:00Z"
    });
    assert_eq!(json, expected);
    assert!(report.streams[0].bytes > Some(0));
    running.end().await;
}

#[tokio::test]
async fn lag_is_reported_in_events_and_seconds_and_leaves_the_service_ready() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let mut thresholds = Thresholds::default();
    thresholds.lag_events = Some(4);
    thresholds.stuck_after = None;
    let health = Health::builder(&service.bus).consumer(&consumer);
    let health = anew(health.thresholds(thresholds));
    let running = Running::start(consumer).await;

    service.publish(2).await;
    service.clock.advance(Duration::from_secs(100));
    service.publish(2).await;
    service.clock.advance(Duration::from_secs(200));
    let report = health.check().await;
    let durable = &report.consumers[0].durables[0];
    assert_eq!(durable.lag_events, Some(4));
    // The oldest was stored 300 s ago, which is the limit, and not beyond it.
    assert_eq!(durable.lag_seconds, Some(300.0));
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);

    service.clock.advance(Duration::from_secs(1));
    service.publish(1).await;
    let report = health.check().await;
    assert_eq!(report.status, Status::Degraded);
    assert_eq!(
        problems(&report),
        [
            "durable billing of stream ORDERS has 5 events that are not settled, more than 4",
            "durable billing of stream ORDERS has an event that was not settled for 301 s, longer than 300s",
        ]
    );
    assert!(report.ready && report.healthy && health.is_ready());
    drop(running);
}

#[tokio::test]
async fn lag_in_seconds_follows_the_ack_floor() {
    let service = Service::start().await;
    let (consumer, gate) = gated(&service.bus);
    let health = anew(Health::builder(&service.bus).consumer(&consumer));
    let _running = Running::start(consumer).await;
    service.publish(1).await;
    service.clock.advance(Duration::from_secs(40));
    service.publish(1).await;
    service.clock.advance(Duration::from_secs(2));
    let lag = async || health.check().await.consumers[0].durables[0].lag_seconds;
    assert_eq!(lag().await, Some(42.0));
    gate.add_permits(1);
    until("the first event is settled", async || {
        lag().await == Some(2.0)
    })
    .await;
    gate.add_permits(1);
    until("both events are settled", async || lag().await == Some(0.0)).await;
}

#[tokio::test]
async fn a_consumer_that_stands_still_is_stuck_until_it_goes_on() {
    let service = Service::start().await;
    let (consumer, gate) = gated(&service.bus);
    let health = anew(Health::builder(&service.bus).consumer(&consumer));
    let _running = Running::start(consumer).await;
    service.publish(3).await;
    until("the first event is delivered", async || {
        health.check().await.consumers[0].durables[0].pending == Some(2)
    })
    .await;

    service.clock.advance(Duration::from_secs(59));
    service.publish(1).await; // more to do is no progress
    assert_eq!(health.check().await.status, Status::Ok);
    service.clock.advance(Duration::from_secs(1));
    let report = health.check().await;
    assert_eq!(report.status, Status::Degraded);
    assert_eq!(
        problems(&report),
        [
            "durable billing of stream ORDERS is stuck: 3 events wait, and for 60 s none was delivered or settled while the connection exists"
        ]
    );
    assert!(report.ready);
    assert_eq!(report.consumers[0].durables[0].still_seconds, Some(60.0));

    gate.add_permits(1);
    until("an event is handled", async || {
        health.check().await.status == Status::Ok
    })
    .await;
}

#[tokio::test]
async fn a_time_without_a_connection_makes_no_consumer_stuck() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let health = anew(Health::builder(&service.bus).consumer(&consumer));
    let _running = Running::start(consumer).await;
    service.publish(3).await;
    until("the first event is delivered", async || {
        health.check().await.consumers[0].durables[0].pending == Some(2)
    })
    .await;
    service.server.away(true);
    assert_eq!(health.check().await.status, Status::Down);
    service.clock.advance(Duration::from_secs(120));
    service.server.away(false);
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
    service.clock.advance(Duration::from_secs(60));
    assert_eq!(health.check().await.status, Status::Degraded);
}

#[tokio::test]
async fn a_handler_that_takes_long_with_nothing_behind_it_is_not_stuck() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let health = anew(Health::builder(&service.bus).consumer(&consumer));
    let _running = Running::start(consumer).await;
    service.publish(1).await;
    until("the event is delivered", async || {
        health.check().await.consumers[0].durables[0].pending == Some(0)
    })
    .await;
    service.clock.advance(Duration::from_secs(120));
    assert_eq!(health.check().await.status, Status::Ok);
}

#[tokio::test]
async fn an_event_that_came_just_now_makes_no_consumer_stuck_however_seldom_is_checked() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let mut thresholds = Thresholds::default();
    let checked = |thresholds: &Thresholds| {
        let health = Health::builder(&service.bus).consumer(&consumer);
        anew(health.thresholds(thresholds.clone()))
    };
    let health = checked(&thresholds);
    thresholds.stuck_after = Some(Duration::ZERO);
    let strict = checked(&thresholds);
    let _running = Running::start(consumer).await;
    service.publish(1).await;
    until("the event is delivered", async || {
        health.check().await.consumers[0].durables[0].pending == Some(0)
    })
    .await;
    assert_eq!(strict.check().await.status, Status::Ok);
    service.clock.advance(Duration::from_secs(120));
    service.publish(1).await;
    let report = health.check().await;
    assert_eq!(report.consumers[0].durables[0].pending, Some(1));
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
    service.clock.advance(Duration::from_secs(60));
    assert_eq!(health.check().await.status, Status::Degraded);
}

#[tokio::test]
async fn a_consumer_of_another_bus_is_asked_for_at_its_own_server() {
    let service = Service::start().await;
    let other = event_sdk::EventBus::builder()
        .stream(StreamSpec::new("ELSEWHERE").subject("orders.>"))
        .memory()
        .unwrap();
    let (consumer, _gate) = gated(&other);
    let health = anew(Health::builder(&service.bus).consumer(&consumer));
    let _running = Running::start(consumer).await;
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
    assert_eq!(report.streams, []);
    let durable = &report.consumers[0].durables[0];
    assert_eq!(
        (&*durable.stream, durable.lag_events),
        ("ELSEWHERE", Some(0))
    );
    // Its server is not that of the health.
    service.server.away(true);
    let report = health.check().await;
    assert_eq!(problems(&report), ["connection to memory is lost"]);
    assert_eq!(report.consumers[0].durables[0].lag_events, Some(0));
}

#[tokio::test]
async fn dead_letters_beyond_the_limit_degrade() {
    let service = Service::start().await;
    let health = anew(Health::builder(&service.bus).dead_letters("DLQ"));
    let raw = service.bus.raw().absolute();
    let put = async |number: u64| {
        let subject = format!("dlq.billing.{number}");
        raw.publish(subject, "letter").await.unwrap();
    };
    for number in 0..100 {
        put(number).await;
    }
    assert_eq!(health.check().await.status, Status::Ok);
    put(100).await;
    let report = health.check().await;
    assert_eq!(report.status, Status::Degraded);
    assert_eq!(
        problems(&report),
        ["dead-letter stream DLQ has 101 messages, more than 100"]
    );
    assert!(report.ready);
}

#[tokio::test]
async fn a_server_that_is_away_gives_a_report_at_once_and_without_a_request() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let health = Health::builder(&service.bus)
        .stream("ORDERS")
        .consumer(&consumer);
    let health = anew(health.dead_letters("DLQ"));
    let _running = Running::start(consumer).await;
    assert!(health.is_ready());
    service.server.away(true);
    let before = service.server.requests();
    let report = health.check().await;
    assert_eq!(service.server.requests(), before);
    assert_eq!(report.status, Status::Down);
    assert!(!report.ready && !report.healthy && !health.is_ready());
    assert_eq!(problems(&report), ["connection to memory is lost"]);
    assert_eq!(report.connection.state, "disconnected");
    let without = Some("not asked, because there is no connection".to_owned());
    assert_eq!(report.streams[0].error, without);
    assert_eq!(report.consumers[0].durables[0].error, without);
    assert_eq!(report.dead_letters[0].error, without);
    service.server.away(false);
    assert_eq!(health.check().await.status, Status::Ok);
    assert!(health.is_ready());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_after_the_timeout() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus)
        .stream("ORDERS")
        .dead_letters("DLQ");
    let health = anew(health);
    service.server.silent(true);
    let mut check = Box::pin(health.check());
    assert!(poll!(&mut check).is_pending());
    until("both streams are asked for", async || {
        service.server.requests() == 2
    })
    .await;
    service.clock.advance(Duration::from_millis(1_999));
    tokio::task::yield_now().await;
    assert!(poll!(&mut check).is_pending());
    service.clock.advance(Duration::from_millis(1));
    let report = check.await;
    assert_eq!(report.status, Status::Down);
    assert_eq!(
        problems(&report),
        [
            "stream ORDERS gave no answer within 2s",
            "dead-letter stream DLQ gave no answer within 2s",
        ]
    );
    assert_eq!(report.performance.round_trip_ms, None);
    service.server.silent(false);
    assert_eq!(health.check().await.status, Status::Ok);
}

#[tokio::test]
async fn what_the_user_may_not_see_is_left_out_and_changes_no_state() {
    let service = Service::start().await;
    service.server.refusing();
    let health = anew(
        Health::builder(&service.bus)
            .stream("ORDERS")
            .dead_letters("DLQ"),
    );
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
    assert_eq!(report.streams[0].messages, None);
    let error = report.streams[0].error.as_deref().unwrap();
    assert!(
        error.starts_with("cannot be read: ") && error.contains("denied"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stream_or_durable_that_is_missing_is_down() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let health = Health::builder(&service.bus)
        .stream("NONE")
        .consumer(&consumer);
    let health = anew(health);
    let _running = Running::start(consumer).await;
    let report = health.check().await;
    assert_eq!(report.status, Status::Down);
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(report.problems[0].part, "stream NONE");
    assert!(report.problems[0].problem.starts_with("does not exist: "));
    let none = report.streams.iter().find(|stream| stream.name == "NONE");
    assert_eq!(none.unwrap().exists, Some(false));
}

#[tokio::test]
async fn a_closed_bus_is_down() {
    let service = Service::start().await;
    let health = anew(Health::builder(&service.bus));
    assert_eq!(health.check().await.status, Status::Ok);
    service.bus.close().await.unwrap();
    let report = health.check().await;
    assert_eq!(
        problems(&report),
        ["connection to memory is closed and will not be made again"]
    );
    assert_eq!(report.connection.state, "closed");
}

#[tokio::test]
async fn a_registry_is_ready_when_it_has_consumers_and_all_receive() {
    let service = Service::start().await;
    let consumers = event_sdk::consumer::Consumers::new();
    let health = anew(Health::builder(&service.bus).consumers(&consumers));
    assert_eq!(health.unready()[0].to_string(), "registry has no consumer");
    let (consumer, _gate) = gated(&service.bus);
    let id = consumers.add(consumer).unwrap();
    consumers.ready().await.unwrap();
    assert!(health.is_ready());
    assert_eq!(health.check().await.consumers[0].durables.len(), 1);
    consumers.remove(id).await.unwrap();
    assert!(!health.is_ready());
}

#[tokio::test]
async fn a_stream_that_soon_refuses_messages_degrades_and_one_that_drops_them_does_not() {
    let full = |name, subject, discard| {
        let stream = StreamSpec::new(name).subject(subject).max_messages(10);
        stream.when_full(discard)
    };
    let bus = event_sdk::EventBus::builder()
        .stream(full("NEW", "new.>", Discard::New))
        .stream(full("OLD", "old.>", Discard::Old))
        .memory()
        .unwrap();
    let health = anew(Health::builder(&bus).stream("NEW").stream("OLD"));
    for number in 0..20 {
        let body = format!("{number}");
        bus.raw()
            .publish("old.event.stored", body.clone())
            .await
            .unwrap();
        if number < 8 {
            bus.raw().publish("new.event.stored", body).await.unwrap();
        }
    }
    let report = health.check().await;
    assert_eq!(report.status, Status::Ok, "{:?}", report.problems);
    assert_eq!(report.streams[1].removed, Some(10));
    bus.raw().publish("new.event.stored", "9").await.unwrap();
    assert_eq!(
        problems(&*health.check().await),
        ["stream NEW has 9 of at most 10 messages, and refuses new messages when it is full"]
    );
}

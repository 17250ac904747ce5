//! The gauges that a check sets: those of its report, and apart from those of another health.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::{Discard, StreamSpec};
use event_sdk::time::SteppedClock;
use event_sdk::transport::DeliverPolicy;
use event_sdk_observe::health::Health;

use crate::rig::Recorded;
use crate::{OrderBilled, OrderPlaced, bus};

#[tokio::test]
async fn a_check_sets_the_gauges_to_what_it_reports() {
    let recorded = Recorded::install();
    let clock = SteppedClock::new();
    let bus = bus(&clock);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .deliver(DeliverPolicy::All)
        .no_handler_timeout()
        .ack_wait(Duration::from_secs(3_600))
        .on(|_: OrderPlaced, _| std::future::pending());
    let health = Health::builder(&bus)
        .consumer(&consumer)
        .dead_letters("BILLING");
    let health = health.interval(Duration::ZERO).build();
    for id in 0..7 {
        bus.publisher().publish(OrderPlaced { id }).await.unwrap();
    }
    bus.publisher()
        .publish(OrderBilled { id: 1 })
        .await
        .unwrap();
    let mut readiness = consumer.readiness();
    let running = tokio::spawn(consumer.run());
    assert_eq!(readiness.changed().await, Some(true));
    clock.advance(Duration::from_secs(42));
    let report = health.check().await;
    running.abort();

    let metrics = recorded.take();
    let durable = [
        ("stream", "ORDERS"),
        ("messaging.consumer.group.name", "billing"),
        ("durable", "billing"),
    ];
    let reported = &report.consumers[0].durables[0];
    assert_eq!(reported.lag_events, Some(7));
    assert_eq!(metrics.gauge("event_sdk.consumer.lag", &durable), Some(7.0));
    assert_eq!(
        metrics.gauge("event_sdk.consumer.lag.seconds", &durable),
        Some(42.0)
    );
    assert_eq!(
        metrics.gauge("event_sdk.consumer.stuck", &durable),
        Some(0.0)
    );
    let consumer = [("messaging.consumer.group.name", "billing")];
    assert_eq!(
        metrics.gauge("event_sdk.consumer.ready", &consumer),
        Some(1.0)
    );
    assert_eq!(
        metrics.gauge("event_sdk.dead_letters", &[("stream", "BILLING")]),
        Some(1.0)
    );
    assert_eq!(
        metrics.gauge("event_sdk.stream.messages", &[("stream", "ORDERS")]),
        Some(7.0)
    );
    assert_eq!(
        metrics.gauge("event_sdk.connection.connected", &[]),
        Some(1.0)
    );
    assert_eq!(metrics.gauge("event_sdk.health.status", &[]), Some(0.0));
    assert_eq!(
        metrics.counter("event_sdk.health.checks", &[("status", "ok")]),
        1
    );
}

#[tokio::test]
async fn the_gauges_of_a_consumer_that_was_removed_are_not_known() {
    let recorded = Recorded::install();
    let clock = SteppedClock::new();
    let bus = bus(&clock);
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .deliver(DeliverPolicy::All)
        .max_ack_pending(1)
        .on(move |_: OrderPlaced, _| {
            let gate = Arc::clone(&opened);
            async move {
                gate.acquire().await?.forget();
                Ok(())
            }
        });
    for id in 0..3 {
        bus.publisher().publish(OrderPlaced { id }).await.unwrap();
    }
    let consumers = event_sdk::consumer::Consumers::new();
    let health = Health::builder(&bus).consumers(&consumers);
    let health = health.interval(Duration::ZERO).build();
    let id = consumers.add(consumer).unwrap();
    consumers.ready().await.unwrap();
    clock.advance(Duration::from_secs(10));
    let report = health.check().await;
    let durable = &report.consumers[0].durables[0];
    assert_eq!(
        (durable.lag_events, durable.lag_seconds),
        (Some(3), Some(10.0))
    );
    let name = [("messaging.consumer.group.name", "billing")];
    let durable = [name[0], ("stream", "ORDERS"), ("durable", "billing")];
    gate.add_permits(3);
    consumers.remove(id).await.unwrap();
    health.check().await;
    // A snapshot also resets, so that there is only one.
    let metrics = recorded.take();
    for gauge in ["lag", "lag.seconds", "stuck"] {
        metrics.is_unknown(&format!("event_sdk.consumer.{gauge}"), &durable);
    }
    metrics.is_unknown("event_sdk.consumer.ready", &name);
    metrics.is_unknown("event_sdk.stream.messages", &[("stream", "ORDERS")]);
}

#[tokio::test]
async fn a_gauge_whose_label_or_limit_is_gone_is_not_known() {
    let recorded = Recorded::install();
    let orders = || StreamSpec::new("ORDERS").subject("orders.>");
    let full = orders().max_bytes(1_000).max_messages(10);
    let bus = EventBus::builder().stream(full.when_full(Discard::New));
    let bus = bus.memory().unwrap();
    let health = Health::builder(&bus).stream("ORDERS");
    let health = health.interval(Duration::ZERO).build();
    let change = async |stream: StreamSpec| {
        let changed = EventBus::builder().stream(stream);
        let changed = changed.transport(bus.transport().clone()).unwrap();
        changed.apply_streams().await.unwrap();
        health.check().await;
    };
    let limit = |discard| [("stream", "ORDERS"), ("discard", discard)];
    let gauges = [
        "event_sdk.stream.max_bytes",
        "event_sdk.stream.max_messages",
    ];
    health.check().await;
    let metrics = recorded.take();
    let most = gauges.map(|gauge| metrics.gauge(gauge, &limit("new")));
    assert_eq!(most, [Some(1_000.0), Some(10.0)]);

    // It drops the oldest messages from now on: it does not become full.
    change(orders().max_bytes(1_000).max_messages(10)).await;
    let metrics = recorded.take();
    let most = gauges.map(|gauge| metrics.gauge(gauge, &limit("old")));
    assert_eq!(most, [Some(1_000.0), Some(10.0)]);
    for gauge in gauges {
        metrics.is_unknown(gauge, &limit("new"));
    }

    change(orders()).await;
    let metrics = recorded.take();
    for gauge in gauges {
        metrics.is_unknown(gauge, &limit("old"));
    }
}

#[tokio::test]
async fn a_gauge_that_cannot_be_read_any_more_is_not_known() {
    let recorded = Recorded::install();
    let bus = bus(&SteppedClock::new());
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let consumer = consumer.on(|_: OrderPlaced, _| std::future::pending());
    let health = Health::builder(&bus)
        .consumer(&consumer)
        .dead_letters("BILLING");
    let health = health.interval(Duration::ZERO).build();
    let mut readiness = consumer.readiness();
    let running = tokio::spawn(consumer.run());
    assert_eq!(readiness.changed().await, Some(true));
    let durable = [
        ("stream", "ORDERS"),
        ("messaging.consumer.group.name", "billing"),
        ("durable", "billing"),
    ];
    let gauges = [
        ("event_sdk.consumer.lag", &durable[..]),
        ("event_sdk.consumer.lag.seconds", &durable),
        ("event_sdk.consumer.stuck", &durable),
        ("event_sdk.stream.messages", &[("stream", "ORDERS")]),
        ("event_sdk.dead_letters", &[("stream", "BILLING")]),
    ];
    health.check().await;
    let metrics = recorded.take();
    for (gauge, labels) in gauges {
        assert_eq!(metrics.gauge(gauge, labels), Some(0.0), "{gauge}");
    }
    // The values of before are those of a time that is over.
    bus.close().await.unwrap();
    running.abort();
    health.check().await;
    let metrics = recorded.take();
    for (gauge, labels) in gauges {
        metrics.is_unknown(gauge, labels);
    }
    let connected = metrics.gauge("event_sdk.connection.connected", &[]);
    assert_eq!(connected, Some(0.0));

    drop(health);
    recorded.take().is_unknown("event_sdk.health.status", &[]);
}

#[tokio::test]
async fn two_healths_of_a_process_do_not_overwrite_each_other() {
    let recorded = Recorded::install();
    let of = |events: u64| async move {
        let bus = EventBus::builder().source("two-healths");
        let bus = bus.stream(StreamSpec::new("ORDERS").subject("orders.>"));
        let bus = bus.memory().unwrap();
        for id in 0..events {
            bus.publisher().publish(OrderPlaced { id }).await.unwrap();
        }
        let health = Health::builder(&bus).stream("ORDERS").build();
        (bus, health)
    };
    let ((one, first), (_other, second)) = (of(1).await, of(2).await);
    one.close().await.unwrap();
    first.check().await;
    second.check().await;
    // Its name is free again, and that of the first is not.
    drop(second);
    let (_third, third) = of(3).await;
    third.check().await;
    let named = Health::builder(&one).name("named").build();
    named.check().await;

    let metrics = recorded.take();
    let status = |health| metrics.gauge("event_sdk.health.status", &[("health", health)]);
    assert_eq!(status("two-healths"), Some(2.0));
    assert_eq!(status("two-healths-2"), Some(0.0));
    assert_eq!(status("named"), Some(2.0));
    assert_eq!(metrics.series("event_sdk.health.status"), 3);
    let stored = [("health", "two-healths-2"), ("stream", "ORDERS")];
    let stored = metrics.gauge("event_sdk.stream.messages", &stored);
    assert_eq!(stored, Some(3.0));
}

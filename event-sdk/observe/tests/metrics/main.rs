//! Metrics: the values agree with what the test counts itself, with the report of the consumer, and with
//! the report of the health.

mod gauges;
mod monitoring;
mod recording;
mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Failure, Retry};
use event_sdk::dead_letters::{DeadLetters, MemoryDeadLetters};
use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::DeliverPolicy;
use event_sdk::{Event, EventBus};
use event_sdk_observe::metrics::Metrics;
use serde::{Deserialize, Serialize};

use crate::rig::Recorded;

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key)]
    id: u64,
}

/// An order was billed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "billing")]
struct OrderBilled {
    #[event(key, in_subject)]
    id: u64,
}

fn bus(clock: &SteppedClock) -> EventBus {
    EventBus::builder()
        .clock(Arc::new(clock.clone()))
        .stream(
            StreamSpec::new("ORDERS")
                .subject("orders.>")
                .max_bytes(1_000_000)
                .max_messages(1_000_000),
        )
        .stream(StreamSpec::new("BILLING").subject("billing.>"))
        .observer(Metrics::new())
        .memory()
        .unwrap()
}

const ORDERS: [(&str, &str); 2] = [
    ("messaging.consumer.group.name", "billing"),
    ("event.type", "order.placed"),
];

#[tokio::test]
async fn the_counts_are_those_of_the_handler_and_of_the_report() {
    let recorded = Recorded::install();
    let clock = SteppedClock::new();
    let bus = bus(&clock);
    let letters = MemoryDeadLetters::new();
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let stopped = Arc::new(tokio::sync::Notify::new());
    let stop = Arc::clone(&stopped);
    let moving = clock.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .deliver(DeliverPolicy::All)
        .retry(Retry::steps([Duration::ZERO]).max_attempts(3))
        .dead_letters(DeadLetters::memory(&letters))
        .on(move |order: OrderPlaced, ctx: event_sdk::consumer::Ctx| {
            counted.fetch_add(1, Ordering::SeqCst);
            moving.advance(Duration::from_millis(250));
            let stop = Arc::clone(&stop);
            async move {
                match order.id {
                    // Succeeds at the second attempt.
                    0..5 if ctx.attempt() == 1 => return Err(Failure::retry("busy")),
                    // Never succeeds.
                    5..7 => return Err(Failure::retry("broken")),
                    7..10 => return Err(Failure::reject("no price")),
                    99 => stop.notify_one(),
                    _ => ctx.publish(OrderBilled { id: order.id }).await.map(drop)?,
                }
                Ok(())
            }
        });
    let publisher = bus.publisher::<OrderPlaced>();
    for id in (0..20).chain([99]) {
        publisher.publish(OrderPlaced { id }).await.unwrap();
    }
    let report = consumer.run_until(stopped.notified()).await.unwrap();

    let metrics = recorded.take();
    let sent = |event_type, error| {
        let labels = [
            ("messaging.operation.name", "publish"),
            ("event.type", event_type),
            ("error.type", error),
        ];
        metrics.counter("messaging.client.sent.messages", &labels)
    };
    assert_eq!(sent("order.placed", ""), 21);
    // The five that were retried, and the ten that succeeded at once.
    assert_eq!(sent("order.billed", ""), 15);
    let stored = bus.stream_state("BILLING").await.unwrap().messages;
    assert_eq!(sent("order.billed", ""), stored);
    assert_eq!(
        metrics.counter("messaging.client.consumed.messages", &ORDERS),
        21
    );

    // 5 twice, 2 three times, 3 once, 10 once, and the last.
    let total = attempts.load(Ordering::SeqCst);
    assert_eq!(total, 30);
    let timed = |class| {
        let [consumer, event_type] = ORDERS;
        metrics.histogram(
            "messaging.process.duration",
            &[consumer, event_type, ("error.type", class)],
        )
    };
    let (ok, retry, reject) = (timed(""), timed("retry"), timed("reject"));
    assert_eq!((ok.len(), retry.len(), reject.len()), (16, 11, 3));
    assert_eq!(ok.len() + retry.len() + reject.len(), total as usize);
    assert!(
        ok.iter()
            .chain(&retry)
            .chain(&reject)
            .all(|took| (*took - 0.25).abs() < 1e-9)
    );
    let failures = |class| {
        let [consumer, event_type] = ORDERS;
        metrics.counter(
            "event_sdk.consumer.failures",
            &[consumer, event_type, ("class", class)],
        )
    };
    assert_eq!(
        failures("retry") + failures("reject"),
        report.failed_attempts
    );
    assert_eq!((failures("retry"), failures("reject")), (11, 3));
    // 5 second attempts, and 2 of each of the 2 that never succeed.
    assert_eq!(metrics.counter("event_sdk.consumer.retries", &ORDERS), 9);

    let ended = |outcome| {
        let [consumer, event_type] = ORDERS;
        metrics.counter(
            "event_sdk.consumer.events",
            &[consumer, event_type, ("outcome", outcome)],
        )
    };
    assert_eq!(ended("handled"), report.handled);
    assert_eq!(ended("handled"), 16);
    assert_eq!(ended("dead_lettered"), report.dead_lettered);
    assert_eq!(ended("dead_lettered"), 5);
    assert_eq!(letters.len(), 5);
}

#[tokio::test]
async fn timeouts_panics_and_outages_count_as_in_the_report() {
    let recorded = Recorded::install();
    let clock = SteppedClock::new();
    let bus = bus(&clock);
    for id in 0..3 {
        bus.publisher().publish(OrderPlaced { id }).await.unwrap();
    }
    let begun: [_; 3] = std::array::from_fn(|_| AtomicU32::new(0));
    let (handled, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .deliver(DeliverPolicy::All)
        .retry(Retry::steps([Duration::ZERO]).max_attempts(3))
        .on(move |order: OrderPlaced, _| {
            let index = usize::try_from(order.id).unwrap();
            let first = begun[index].fetch_add(1, Ordering::SeqCst) == 0;
            let handled = handled.clone();
            async move {
                match order.id {
                    0 if first => std::future::pending().await,
                    1 if first => panic!("a fault"),
                    2 if first => return Err(Failure::outage("no database")),
                    _ => handled.send(order.id).unwrap(),
                }
                Ok(())
            }
        });
    let all = async {
        for _ in 0..3 {
            // The time limit and the breaker need time.
            while ends.try_recv().is_err() {
                clock.advance(Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    let within = Duration::from_secs(60);
    let report = tokio::time::timeout(within, consumer.run_until(all));
    let report = report.await.unwrap().unwrap();
    let metrics = recorded.take();
    let [name, event_type] = ORDERS;
    let failures = |class| {
        let labels = [name, event_type, ("class", class)];
        metrics.counter("event_sdk.consumer.failures", &labels)
    };
    assert_eq!((failures("retry"), report.failed_attempts), (2, 2));
    assert_eq!((failures("outage"), report.outages), (1, 1));
    let labels = [name, event_type, ("outcome", "handled")];
    let ended = metrics.counter("event_sdk.consumer.events", &labels);
    assert_eq!((ended, report.handled), (3, 3));
}

#[tokio::test]
async fn what_was_delivered_before_counts_as_redelivered() {
    let recorded = Recorded::install();
    let clock = SteppedClock::new();
    let bus = bus(&clock);
    bus.publisher()
        .publish(OrderPlaced { id: 1 })
        .await
        .unwrap();
    let mut before = bus
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .deliver(DeliverPolicy::All)
        .await
        .unwrap();
    before
        .next()
        .await
        .unwrap()
        .unwrap()
        .nak(Duration::ZERO)
        .await
        .unwrap();
    drop(before);

    let handled = Arc::new(tokio::sync::Notify::new());
    let done = Arc::clone(&handled);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(move |_: OrderPlaced, _| {
            done.notify_one();
            async { Ok(()) }
        });
    consumer.run_until(handled.notified()).await.unwrap();
    let metrics = recorded.take();
    assert_eq!(
        metrics.counter("messaging.client.consumed.messages", &ORDERS),
        1
    );
    assert_eq!(
        metrics.counter("event_sdk.consumer.redelivered", &ORDERS),
        1
    );
}

#[tokio::test]
async fn a_publish_that_fails_counts_by_the_kind_of_its_error_and_raw_messages_have_no_type() {
    let recorded = Recorded::install();
    let bus = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .observer(Metrics::new())
        .memory()
        .unwrap();
    bus.publisher()
        .publish(OrderBilled { id: 1 })
        .await
        .unwrap_err();
    // The subjects of raw messages could be any number of texts.
    for number in 0..10 {
        let subject = format!("orders.order.{number}");
        bus.raw().publish(subject, "{}").await.unwrap();
    }
    bus.raw().publish("orders..", "{}").await.unwrap_err();
    let metrics = recorded.take();
    let sent = |event_type, error| {
        let labels = [
            ("messaging.operation.name", "publish"),
            ("event.type", event_type),
            ("error.type", error),
        ];
        metrics.counter("messaging.client.sent.messages", &labels)
    };
    assert_eq!(sent("order.billed", "NoStream"), 1);
    assert_eq!(sent("other", ""), 10);
    assert_eq!(sent("other", "InvalidSubject"), 1);
    assert_eq!(metrics.series("messaging.client.sent.messages"), 3);
}

#[tokio::test]
async fn a_batch_counts_each_of_its_events() {
    let recorded = Recorded::install();
    let clock = SteppedClock::new();
    let bus = bus(&clock);
    for id in 0..4 {
        bus.publisher().publish(OrderPlaced { id }).await.unwrap();
    }
    let stopped = Arc::new(tokio::sync::Notify::new());
    let stop = Arc::clone(&stopped);
    let moving = clock.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .deliver(DeliverPolicy::All)
        .on_batches(4, Duration::ZERO, move |batch| {
            let events = batch.len();
            moving.advance(Duration::from_secs(2));
            stop.notify_one();
            async move {
                assert!(events > 0);
                Ok(())
            }
        });
    let report = consumer.run_until(stopped.notified()).await.unwrap();
    let metrics = recorded.take();
    let [name, event_type] = ORDERS;
    let labels = [name, event_type, ("error.type", "")];
    let timed = metrics.histogram("messaging.process.duration", &labels);
    assert_eq!(timed.len() as u64, report.handled);
    assert!(report.handled > 0 && timed.iter().all(|took| (*took - 2.0).abs() < 1e-9));
}

/// An observer with a fault.
#[derive(Debug)]
struct Faulty;

impl event_sdk::observer::Observer for Faulty {
    fn observe(&self, _: &event_sdk::observer::Observation<'_>) {
        panic!("a fault");
    }
}

#[tokio::test]
async fn an_observer_that_panics_ends_neither_a_publish_nor_a_consumer() {
    let bus = EventBus::builder().observer(Faulty).memory().unwrap();
    for id in 0..3 {
        bus.publisher().publish(OrderPlaced { id }).await.unwrap();
    }
    let (handled, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .deliver(DeliverPolicy::All)
        .on(move |order: OrderPlaced, _| {
            handled.send(order.id).unwrap();
            async { Ok(()) }
        });
    let all = async {
        for _ in 0..3 {
            ends.recv().await;
        }
    };
    let report = consumer.run_until(all).await.unwrap();
    assert_eq!(report.handled, 3);
}

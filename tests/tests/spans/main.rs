//! The spans `publish`, `receive` and `process` as a plain `tracing` subscriber sees them, and the
//! trace context that an event starts.

mod recorder;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::{BatchFailure, EventBatch, Failure};
use event_sdk::trace::failed;
use event_sdk::{EventBus, IntoPublishable as _, RawEvent, TraceContext};
use event_sdk_tests::held::Held;
use event_sdk_tests::orders::{
    CustomerEvents, CustomerMoved, OrderEvents, OrderPaid, OrderPlaced, placed,
};
use event_sdk_tests::raw;
use futures_util::FutureExt as _;
use recorder::Recorder;
use tokio::sync::Notify;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn held() -> (Held, EventBus) {
    let held = Held::new();
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    (held, bus)
}

#[tokio::test]
async fn a_publish_span_is_open_from_the_first_poll_until_the_confirmation() {
    let (recorder, _default) = Recorder::install();
    let (held, bus) = held();
    let publisher = bus.publisher::<OrderPlaced>();
    let prepared = publisher.prepare(placed(7)).correlation_id("REQ-1");
    let mut publish = pin!(publisher.publish(&prepared).into_future());
    assert!(recorder.named("publish").is_empty());

    assert!(publish.as_mut().now_or_never().is_none());
    let span = recorder.one("publish");
    assert!(span.open && !span.entered, "{span:?}");
    held.handing_over.add_permits(1);
    assert!(publish.as_mut().now_or_never().is_none());
    assert!(recorder.one("publish").open);
    // The work itself is done in the span.
    let inside = recorder.clone();
    held.on_confirmed(move || assert!(inside.one("publish").entered));
    held.confirming.add_permits(1);
    assert!(publish.await.is_ok());

    let span = recorder.one("publish");
    assert!(!span.open && span.entries >= 3, "{span:?}");
    let id = prepared.id().to_string();
    for (field, value) in [
        ("otel.name", "publish events.orders.order.placed"),
        ("otel.kind", "producer"),
        ("messaging.system", "held"),
        ("messaging.operation.name", "publish"),
        ("messaging.operation.type", "send"),
        ("messaging.destination.name", "events.orders.order.placed"),
        ("messaging.message.id", &id),
        ("messaging.message.conversation_id", "REQ-1"),
    ] {
        assert_eq!(span.field(field), Some(value), "{field}");
    }
    for field in [
        "error.type",
        "otel.status_code",
        "messaging.destination.template",
        "messaging.consumer.group.name",
    ] {
        assert_eq!(span.field(field), None, "{field}");
    }
}

#[tokio::test]
async fn a_publish_that_fails_or_is_dropped_closes_its_span() {
    let (recorder, _default) = Recorder::install();
    let (held, bus) = held();
    let publisher = bus.publisher::<OrderPaid>();
    let paid = |amount| OrderPaid { id: 7, amount };
    assert!(publisher.publish(paid(f64::NAN)).await.is_err());
    let span = recorder.take_one("publish");
    assert!(!span.open);
    assert_eq!(span.field("error.type"), Some("Encode"));
    assert_eq!(span.field("otel.status_code"), Some("ERROR"));

    held.handing_over.add_permits(10);
    held.confirming.add_permits(10);
    let refused = publisher.publish(paid(1.0)).expect_last_sequence(5);
    assert!(refused.await.is_err());
    let span = recorder.take_one("publish");
    assert!(!span.open);
    assert_eq!(span.field("error.type"), Some("WrongLastSequence"));

    held.withhold(1);
    let mut dropped = Box::pin(publisher.publish(paid(1.0)).into_future());
    assert!(dropped.as_mut().now_or_never().is_none());
    assert!(recorder.one("publish").open);
    drop(dropped);
    let span = recorder.take_one("publish");
    assert!(!span.open);
    assert_eq!(span.field("error.type"), None);
}

#[tokio::test]
async fn each_of_several_publishes_has_a_span_of_its_own() {
    let (recorder, _default) = Recorder::install();
    let (held, bus) = held();
    let publisher = bus.publisher::<OrderPlaced>();
    let publish = publisher.publish_all((0..3).map(placed));
    let mut publish = pin!(publish.into_future());
    held.handing_over.add_permits(3);
    assert!(publish.as_mut().now_or_never().is_none());
    let spans = recorder.named("publish");
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| span.open && !span.entered));
    held.confirming.add_permits(3);
    publish.await.unwrap();
    assert!(recorder.named("publish").iter().all(|span| !span.open));
}

#[tokio::test]
async fn raw_bytes_are_published_in_a_span() {
    let (recorder, _default) = Recorder::install();
    let (held, bus) = held();
    let mut publish = pin!(
        bus.raw()
            .publish("orders.order.placed.7", "{}")
            .into_future()
    );
    assert!(publish.as_mut().now_or_never().is_none());
    let span = recorder.one("publish");
    assert!(span.open && !span.entered, "{span:?}");
    // Its last token may be a key.
    assert_eq!(span.field("otel.name"), Some("publish"));
    let subject = "events.orders.order.placed.7";
    assert_eq!(span.field("messaging.destination.name"), Some(subject));
    held.handing_over.add_permits(1);
    held.confirming.add_permits(1);
    publish.await.unwrap();
    assert!(!recorder.take_one("publish").open);
    let error = bus.raw().publish("orders.*", "{}").await.unwrap_err();
    assert!(error.to_string().contains("orders.*"), "{error}");
}

#[tokio::test]
async fn an_event_whose_span_is_recorded_starts_a_trace_that_others_inherit() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<OrderPlaced>();
    let mut orders = bus
        .subscribe::<OrderEvents>()
        .durable("billing")
        .await
        .unwrap();
    // Nobody records it.
    publisher.publish(placed(1)).await.unwrap();
    let first = orders.next().await.unwrap().unwrap();
    assert!(first.headers().is_empty(), "{:?}", first.headers());

    let (recorder, _default) = Recorder::install();
    let stored = publisher.publish(placed(2)).await.unwrap();
    let second = orders.next().await.unwrap().unwrap();
    let trace = second.trace().unwrap();
    let id = stored.event_id();
    assert_eq!(trace.trace_id(), id.simple().to_string());
    let (_, parent) = id.as_u64_pair();
    let expected = format!("00-{}-{parent:016x}-01", id.simple());
    assert_eq!(trace.traceparent(), expected);
    assert_eq!(
        recorder.take_one("publish").field("trace_id"),
        Some(trace.trace_id())
    );
    assert_eq!(
        recorder.take_one("receive").field("trace_id"),
        Some(trace.trace_id())
    );
    let process = second.process_span("billing");
    assert_eq!(
        recorder.one("process").field("trace_id"),
        Some(trace.trace_id())
    );
    drop(process);

    // What is inherited or set by the caller is not changed.
    publisher
        .publish(placed(3))
        .caused_by(&second)
        .await
        .unwrap();
    let third = orders.next().await.unwrap().unwrap();
    assert_eq!(third.trace(), Some(trace));
    let own = TraceContext::new(PARENT, Some("a=1".to_owned())).unwrap();
    publisher.publish(placed(4)).trace(&own).await.unwrap();
    let fourth = orders.next().await.unwrap().unwrap();
    assert_eq!(fourth.trace(), Some(own));
    // The cause was not received, so its trace is not known here; it has the same id.
    let prepared = publisher.prepare(placed(5));
    publisher.publish(&prepared).await.unwrap();
    let caused = publisher.publish(placed(6)).caused_by(&prepared);
    caused.await.unwrap();
    let [cause, effect] = [
        orders.next().await.unwrap().unwrap().trace().unwrap(),
        orders.next().await.unwrap().unwrap().trace().unwrap(),
    ];
    assert_eq!(cause.trace_id(), prepared.id().simple().to_string());
    assert_eq!(effect.trace_id(), cause.trace_id());
    assert_ne!(effect, cause);
    // A message without an id starts none.
    bus.raw()
        .publish("orders.order.placed", "{}")
        .await
        .unwrap();
    let last = orders.next().await.unwrap().unwrap();
    assert_eq!(last.trace(), None);
}

#[tokio::test]
async fn a_subscriber_that_is_not_interested_changes_nothing() {
    let (recorder, _default) = Recorder::install_for("other");
    let bus = EventBus::memory();
    let mut orders = bus.subscribe::<OrderPlaced>().await.unwrap();
    bus.publisher().publish(placed(1)).await.unwrap();
    let delivery = orders.next().await.unwrap().unwrap();
    assert!(delivery.headers().is_empty(), "{:?}", delivery.headers());
    assert!(delivery.process_span("billing").is_disabled());
    assert_eq!(recorder.all(), 0);
}

#[tokio::test]
async fn a_delivery_is_received_and_processed_in_spans() {
    let (recorder, _default) = Recorder::install();
    for hand_over in [false, true] {
        let bus = EventBus::builder()
            .memory_with(|memory| memory.hand_over(hand_over))
            .unwrap();
        let moved = CustomerMoved {
            customer: "ada@example.com".to_owned(),
            city: "Ulm".to_owned(),
        };
        let published = bus.publisher().publish(moved).await.unwrap();
        let subject = "events.crm.customer.moved.ada=40example=2Ecom";
        let template = "events.crm.customer.moved.{key}";
        let span = recorder.take_one("publish");
        assert_eq!(
            span.field("otel.name"),
            Some(&*format!("publish {template}"))
        );
        assert_eq!(span.field("messaging.destination.template"), Some(template));
        assert_eq!(span.field("messaging.system"), Some("memory"));

        let mut customers = bus
            .subscribe::<CustomerEvents>()
            .durable("crm")
            .await
            .unwrap();
        let delivery = customers.next().await.unwrap().unwrap();
        let receive = recorder.take_one("receive");
        assert!(!receive.open);
        let process = delivery.process_span("mailer");
        let span = recorder.one("process");
        assert!(span.open && !span.entered);
        let id = published.event_id().to_string();
        for (span, operation, kind, consumer) in [
            (receive, "receive", "client", "crm"),
            (span, "process", "consumer", "mailer"),
        ] {
            for (field, value) in [
                ("otel.name", &*format!("{operation} {template}")),
                ("otel.kind", kind),
                ("messaging.system", "memory"),
                ("messaging.operation.name", operation),
                ("messaging.operation.type", operation),
                ("messaging.destination.name", subject),
                ("messaging.destination.template", template),
                ("messaging.consumer.group.name", consumer),
                ("messaging.message.id", &id),
                ("messaging.message.conversation_id", &id),
            ] {
                assert_eq!(span.field(field), Some(value), "{field}");
            }
        }
        failed(&process, "Retry");
        drop(process);
        let span = recorder.take_one("process");
        assert!(!span.open);
        assert_eq!(span.field("error.type"), Some("Retry"));
        assert_eq!(span.field("otel.status_code"), Some("ERROR"));
    }
}

#[tokio::test]
async fn what_is_no_event_of_the_set_has_spans_too() {
    let (recorder, _default) = Recorder::install();
    let bus = EventBus::memory();
    raw::publish(&bus, "events.orders.order.placed", "?")
        .await
        .unwrap();
    bus.publisher()
        .publish(placed(2).into_publishable())
        .await
        .unwrap();
    let mut all = bus.subscribe::<RawEvent>().await.unwrap();
    let batch = all.next_batch(2, Duration::from_secs(50)).await;
    let batch = batch.unwrap().unwrap();
    let received = recorder.named("receive");
    assert_eq!(received.len(), 2);
    for (delivery, receive) in batch.iter().zip(received) {
        drop(delivery.process_span("audit"));
        let process = recorder.take_one("process");
        for (span, name) in [(receive, "receive"), (process, "process")] {
            // The last token of an unknown subject may be a key.
            assert_eq!(span.field("otel.name"), Some(name));
            assert_eq!(span.field("messaging.destination.template"), None);
            let id = delivery.event_id().ok().map(|id| id.to_string());
            assert_eq!(span.field("messaging.message.id"), id.as_deref());
        }
    }
}

#[tokio::test]
async fn a_batch_is_processed_in_one_span() {
    let (recorder, _default) = Recorder::install();
    let bus = EventBus::memory();
    for number in 1..=3 {
        bus.publisher().publish(placed(number)).await.unwrap();
    }
    let done = Arc::new(Notify::new());
    let end = Arc::clone(&done);
    let (inside, within) = (recorder.clone(), Duration::from_secs(50));
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let consumer = consumer.on_batches(3, within, move |batch: EventBatch<OrderPlaced>| {
        let (inside, end) = (inside.clone(), Arc::clone(&end));
        async move {
            assert_eq!(batch.len(), 3);
            assert!(inside.one("process").entered);
            end.notify_one();
            Err(BatchFailure::of([(1, Failure::reject("declined"))]))
        }
    });
    let report = consumer.run_until(done.notified()).await.unwrap();
    assert_eq!((report.handled, report.terminated), (2, 1));
    let span = recorder.take_one("process");
    assert!(!span.open);
    for (field, value) in [
        ("otel.name", "process events.orders.order.placed"),
        ("otel.kind", "consumer"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "events.orders.order.placed"),
        ("messaging.consumer.group.name", "billing"),
        ("messaging.batch.message_count", "3"),
        ("error.type", "reject"),
        ("otel.status_code", "ERROR"),
    ] {
        assert_eq!(span.field(field), Some(value), "{field}");
    }
    // The events have a trace each, and ids of their own.
    for field in ["trace_id", "messaging.message.id"] {
        assert_eq!(span.field(field), None, "{field}");
    }
}

#[tokio::test]
async fn a_batch_of_several_subjects_has_no_destination() {
    let (recorder, _default) = Recorder::install();
    let bus = EventBus::memory();
    let trace = TraceContext::new(PARENT, None).unwrap();
    let placed = placed(1);
    bus.publisher().publish(placed).trace(&trace).await.unwrap();
    let paid = OrderPaid { id: 1, amount: 1.0 };
    bus.publisher().publish(paid).trace(&trace).await.unwrap();
    let done = Arc::new(Notify::new());
    let end = Arc::clone(&done);
    let within = Duration::from_secs(50);
    let consumer = bus.consumer::<OrderEvents>("billing");
    let consumer = consumer.on_batches(2, within, move |_: EventBatch<OrderEvents>| {
        end.notify_one();
        std::future::ready(Ok(()))
    });
    consumer.run_until(done.notified()).await.unwrap();
    let span = recorder.take_one("process");
    assert_eq!(span.field("otel.name"), Some("process"));
    assert_eq!(span.field("messaging.destination.name"), None);
    assert_eq!(span.field("messaging.batch.message_count"), Some("2"));
    // Both events are of one trace.
    assert_eq!(span.field("trace_id"), Some(trace.trace_id()));
    assert_eq!(span.field("error.type"), None);
}

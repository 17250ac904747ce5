//! Traces over several services, as the SDK of OpenTelemetry exports them.

mod rig;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::consumer::{Ctx, EventBatch, Failure, Retry};
use event_sdk::trace::TraceContext;
use event_sdk::{Delivery, EventBus, EventSet, Subscriber};
use event_sdk_observe::otel::OpenTelemetry;
use event_sdk_test_servers::Server;
use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::{Sampler, SpanData};
use rig::{OrderPaid, OrderPlaced, Tracer, attributes, ids, memory, parent_of_children};
use tokio::sync::Notify;
use tracing::{Instrument as _, info_span};

const FOREIGN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn next<S: EventSet>(subscriber: &mut Subscriber<S>) -> Delivery<S> {
    let patience = Duration::from_secs(50);
    let delivery = tokio::time::timeout(patience, subscriber.next()).await;
    delivery.unwrap().unwrap().unwrap()
}

#[tokio::test]
async fn services_share_a_trace_in_memory() {
    services_share_a_trace(rig::three_in_memory(), "memory").await;
}

#[tokio::test]
async fn services_share_a_trace_over_a_server() {
    let server = Server::start().await.unwrap();
    services_share_a_trace(rig::three_on(&server).await, "nats").await;
}

/// A publishes in a span, B handles that and publishes, C handles what B has published.
async fn services_share_a_trace([shop, billing, ledger]: [EventBus; 3], system: &str) {
    let tracer = Tracer::install();
    let mut placed = billing
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap();
    let mut paid = ledger
        .subscribe::<OrderPaid>()
        .durable("ledger")
        .await
        .unwrap();

    let published = async { shop.publisher().publish(OrderPlaced { id: 7 }).await }
        .instrument(info_span!("request"))
        .await
        .unwrap();
    let order = next(&mut placed).await;
    let handle = async {
        let paid = OrderPaid { id: 7 };
        billing.publisher().publish(paid).caused_by(&order).await
    };
    handle
        .instrument(order.process_span("billing"))
        .await
        .unwrap();
    order.ack().await.unwrap();
    let payment = next(&mut paid).await;
    async {}.instrument(payment.process_span("ledger")).await;
    payment.ack().await.unwrap();

    let spans = tracer.spans();
    let request = spans.one("request");
    let in_shop = spans.one("publish events.orders.order.placed");
    let received = spans.one("receive events.orders.order.placed");
    let in_billing = spans.one("process events.orders.order.placed");
    let onward = spans.one("publish events.orders.order.paid.{key}");
    let received_too = spans.one("receive events.orders.order.paid.{key}");
    let in_ledger = spans.one("process events.orders.order.paid.{key}");
    assert_eq!(spans.0.len(), 7, "{spans:?}");
    for (child, parent, kind) in [
        (in_shop, request, SpanKind::Producer),
        (received, in_shop, SpanKind::Client),
        (in_billing, in_shop, SpanKind::Consumer),
        (onward, in_billing, SpanKind::Producer),
        (received_too, onward, SpanKind::Client),
        (in_ledger, onward, SpanKind::Consumer),
    ] {
        assert_eq!(ids(child).0, ids(request).0, "{}", child.name);
        assert_eq!(child.parent_span_id, ids(parent).1, "{}", child.name);
        assert_eq!(child.span_kind, kind, "{}", child.name);
        assert_eq!(child.status, Status::Unset, "{}", child.name);
        let is_remote = !matches!(kind, SpanKind::Producer);
        assert_eq!(child.parent_span_is_remote, is_remote, "{}", child.name);
    }
    assert_eq!(request.parent_span_id, SpanId::INVALID);
    let trace = order.trace().unwrap();
    assert_eq!(trace.traceparent(), parent_of_children(in_shop));
    let trace = payment.trace().unwrap();
    assert_eq!(trace.traceparent(), parent_of_children(onward));

    let found = attributes(in_ledger);
    let story = published.event_id().to_string();
    for (name, value) in [
        ("messaging.system", system),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.destination.name", "events.orders.order.paid.7"),
        (
            "messaging.destination.template",
            "events.orders.order.paid.{key}",
        ),
        ("messaging.consumer.group.name", "ledger"),
        ("messaging.message.conversation_id", &story),
    ] {
        assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
    }
    let own = payment.event_id().unwrap().to_string();
    assert_eq!(found.get("messaging.message.id"), Some(&own));
    assert!(!found.contains_key("trace_id"));
}

#[tokio::test]
async fn a_consumer_runs_its_attempts_in_the_trace_in_memory() {
    a_consumer_runs_its_attempts_in_the_trace(rig::three_in_memory()).await;
}

#[tokio::test]
async fn a_consumer_runs_its_attempts_in_the_trace_over_a_server() {
    let server = Server::start().await.unwrap();
    a_consumer_runs_its_attempts_in_the_trace(rig::three_on(&server).await).await;
}

/// A publishes, the consumer of B fails once and then publishes, C receives that.
async fn a_consumer_runs_its_attempts_in_the_trace([shop, billing, ledger]: [EventBus; 3]) {
    let tracer = Tracer::install();
    let mut paid = ledger.subscribe::<OrderPaid>().await.unwrap();
    shop.publisher()
        .publish(OrderPlaced { id: 7 })
        .await
        .unwrap();
    let bill = |order: OrderPlaced, ctx: Ctx| async move {
        if ctx.attempt() == 1 {
            return Err(Failure::retry("once more"));
        }
        ctx.publish(OrderPaid { id: order.id }).await?;
        Ok(())
    };
    let consumer = billing.consumer::<OrderPlaced>("billing").on(bill);
    let consumer = consumer.retry(Retry::steps([Duration::from_millis(1)]));
    let received = async { drop(next(&mut paid).await) };
    consumer.run_until(received).await.unwrap();

    let spans = tracer.spans();
    let in_shop = spans.one("publish events.orders.order.placed");
    let onward = spans.one("publish events.orders.order.paid.{key}");
    let attempts = spans
        .0
        .iter()
        .filter(|span| span.span_kind == SpanKind::Consumer);
    let [first, second] = attempts.collect::<Vec<_>>()[..] else {
        panic!("{spans:?}");
    };
    for attempt in [first, second] {
        assert_eq!(attempt.name, "process events.orders.order.placed");
        assert_eq!(ids(attempt).0, ids(in_shop).0);
        assert_eq!(attempt.parent_span_id, ids(in_shop).1);
        let consumer = &attributes(attempt)["messaging.consumer.group.name"];
        assert_eq!(consumer, "billing");
    }
    assert!(matches!(first.status, Status::Error { .. }), "{first:?}");
    assert_eq!(second.status, Status::Unset);
    assert_eq!(onward.parent_span_id, ids(second).1);
    // A runtime calls the handler: only the subscription of C receives by itself.
    let received = spans.one("receive events.orders.order.paid.{key}");
    assert_eq!(received.parent_span_id, ids(onward).1);
    assert_eq!(spans.0.len(), 5, "{spans:?}");
}

#[tokio::test]
async fn a_batch_is_linked_to_each_of_its_events() {
    let tracer = Tracer::install();
    let bus = memory();
    let publisher = bus.publisher::<OrderPlaced>();
    for id in 1..=3 {
        publisher.publish(OrderPlaced { id }).await.unwrap();
    }
    let done = Arc::new(Notify::new());
    let (end, onward) = (Arc::clone(&done), bus.clone());
    let within = Duration::from_secs(50);
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let consumer = consumer.on_batches(3, within, move |_: EventBatch<OrderPlaced>| {
        let (end, onward) = (Arc::clone(&end), onward.clone());
        async move {
            onward.publisher().publish(OrderPaid { id: 7 }).await?;
            end.notify_one();
            Ok(())
        }
    });
    consumer.run_until(done.notified()).await.unwrap();
    let spans = tracer.spans();
    let sent: Vec<_> = spans
        .0
        .iter()
        .filter(|span| span.name == "publish events.orders.order.placed")
        .collect();
    assert_eq!(sent.len(), 3);
    let batch = spans.one("process events.orders.order.placed");
    assert_eq!(batch.span_kind, SpanKind::Consumer);
    assert_eq!(batch.parent_span_id, SpanId::INVALID);
    let expected: Vec<_> = sent.iter().map(|span| ids(span).1.to_string()).collect();
    assert_eq!(links(batch), expected);
    let found = attributes(batch);
    assert_eq!(found["messaging.batch.message_count"], "3");
    assert!(!found.contains_key("messaging.message.id"));
    // What the handler publishes is in the trace of the batch.
    let onward = spans.one("publish events.orders.order.paid.{key}");
    assert_eq!(onward.parent_span_id, ids(batch).1);
}

/// Publishes an order in `bus`, outside of any span, and receives it.
async fn delivered(bus: &EventBus, trace: Option<&str>) -> Delivery<OrderPlaced> {
    let publisher = bus.publisher::<OrderPlaced>();
    let mut prepared = publisher.prepare(OrderPlaced { id: 7 });
    if let Some(trace) = trace {
        let state = Some("vendor=1".to_owned());
        prepared = prepared.trace(&TraceContext::new(trace, state).unwrap());
    }
    let mut orders = bus.subscribe::<OrderPlaced>().await.unwrap();
    publisher.publish(prepared).await.unwrap();
    loop {
        let delivery = next(&mut orders).await;
        delivery.ack().await.unwrap();
        if delivery.pending() == Some(0) {
            return delivery;
        }
    }
}

#[tokio::test]
async fn a_publish_outside_of_a_span_starts_a_trace() {
    let tracer = Tracer::install();
    let delivery = delivered(&memory(), None).await;
    let spans = tracer.spans();
    let publish = spans.one("publish events.orders.order.placed");
    assert_eq!(publish.parent_span_id, SpanId::INVALID);
    let trace = delivery.trace().unwrap();
    assert_eq!(trace.traceparent(), parent_of_children(publish));
    assert_eq!(trace.tracestate(), None);
}

#[tokio::test]
async fn a_context_of_the_caller_is_the_parent_whatever_span_is_active() {
    let tracer = Tracer::install();
    let bus = memory();
    for is_active in [false, true] {
        let span = if is_active {
            info_span!("request")
        } else {
            tracing::Span::none()
        };
        let delivery = delivered(&bus, Some(FOREIGN)).instrument(span).await;
        let trace = delivery.trace().unwrap();
        let spans = tracer.spans();
        let publish = spans.0.iter().rev();
        let mut publish = publish.filter(|span| span.span_kind == SpanKind::Producer);
        let publish = publish.next().unwrap();
        assert_eq!(
            publish.parent_span_id.to_string(),
            "b7ad6b7169203331",
            "{is_active}"
        );
        assert_eq!(
            trace.trace_id(),
            "0af7651916cd43dd8448eb211c80319c",
            "{is_active}"
        );
        assert_eq!(
            trace.traceparent(),
            parent_of_children(publish),
            "{is_active}"
        );
        // Another vendor's state belongs to the trace.
        assert_eq!(trace.tracestate(), Some("vendor=1"), "{is_active}");
    }
}

#[tokio::test]
async fn a_cause_is_the_parent_of_a_publish_outside_of_a_span() {
    let tracer = Tracer::install();
    let bus = memory();
    let order = delivered(&bus, Some(FOREIGN)).await;
    let paid = OrderPaid { id: 7 };
    bus.publisher()
        .publish(paid)
        .caused_by(&order)
        .await
        .unwrap();
    let spans = tracer.spans();
    let cause = spans.one("publish events.orders.order.placed");
    let publish = spans.one("publish events.orders.order.paid.{key}");
    assert_eq!(ids(publish).0, ids(cause).0);
    assert_eq!(publish.parent_span_id, ids(cause).1);
    assert!(publish.parent_span_is_remote && links(publish).is_empty());
}

fn links(span: &SpanData) -> Vec<String> {
    let links = span.links.links.iter();
    links
        .map(|link| link.span_context.span_id().to_string())
        .collect()
}

#[tokio::test]
async fn a_cause_in_another_trace_than_the_active_span_is_linked() {
    let tracer = Tracer::install();
    let bus = memory();
    let order = delivered(&bus, Some(FOREIGN)).await;
    let publisher = bus.publisher::<OrderPaid>();
    async {
        publisher
            .publish(OrderPaid { id: 7 })
            .caused_by(&order)
            .await
    }
    .instrument(info_span!("job"))
    .await
    .unwrap();
    let spans = tracer.spans();
    let (job, cause) = (
        spans.one("job"),
        spans.one("publish events.orders.order.placed"),
    );
    let publish = spans.one("publish events.orders.order.paid.{key}");
    assert_eq!(publish.parent_span_id, ids(job).1);
    assert_eq!(links(publish), [ids(cause).1.to_string()]);
}

#[tokio::test]
async fn a_delivery_received_in_a_span_is_linked_and_its_processing_is_not() {
    let tracer = Tracer::install();
    let bus = memory();
    let order = delivered(&bus, None).instrument(info_span!("job")).await;
    drop(order.process_span("billing"));
    let other = delivered(&bus, Some(FOREIGN))
        .instrument(info_span!("other"))
        .await;
    async { drop(other.process_span("billing")) }
        .instrument(info_span!("loop"))
        .await;
    let spans = tracer.spans();
    let last = |kind| spans.0.iter().rfind(|span| span.span_kind == kind).unwrap();
    let publish = last(SpanKind::Producer);
    let receive = last(SpanKind::Client);
    assert_eq!(receive.parent_span_id, ids(spans.one("other")).1);
    assert_eq!(links(receive), [ids(publish).1.to_string()]);
    let process = last(SpanKind::Consumer);
    assert_eq!(process.parent_span_id, ids(publish).1);
    assert!(process.parent_span_is_remote && links(process).is_empty());
}

#[tokio::test]
async fn what_is_not_sampled_says_so_to_others() {
    let tracer = Tracer::with(Sampler::AlwaysOff, |_| true);
    let bus = memory();
    let delivery = delivered(&bus, None).await;
    let trace = delivery.trace().unwrap();
    assert!(trace.traceparent().ends_with("-00"), "{trace:?}");
    drop(delivery.process_span("billing"));
    assert_eq!(tracer.spans().0.len(), 0);
    drop(tracer);
    // Another service, which would sample by itself, follows the decision.
    let tracer = Tracer::install();
    drop(delivery.process_span("billing"));
    assert_eq!(tracer.spans().0.len(), 0);
    // One that was sampled is recorded: publish, receive and process.
    let unsampled = trace.traceparent().strip_suffix("-00").unwrap();
    let parent = format!("{unsampled}-01");
    drop(delivered(&bus, Some(&parent)).await.process_span("billing"));
    assert_eq!(tracer.spans().0.len(), 3);
}

#[tokio::test]
async fn without_the_spans_of_the_sdk_the_active_span_is_written() {
    let tracer = Tracer::with(Sampler::AlwaysOn, |metadata| {
        !metadata.target().starts_with("event_sdk")
    });
    let bus = memory();
    let delivery = delivered(&bus, None)
        .instrument(info_span!(target: "app", "request"))
        .await;
    let spans = tracer.spans();
    let trace = delivery.trace().unwrap();
    assert_eq!(
        trace.traceparent(),
        parent_of_children(spans.one("request"))
    );
    assert_eq!(spans.0.len(), 1);
    // Nothing is active, and nothing is started.
    assert_eq!(delivered(&bus, None).await.trace(), None);
    let trace = delivered(&bus, Some(FOREIGN)).await.trace().unwrap();
    assert_eq!(trace.traceparent(), FOREIGN);
}

#[tokio::test]
async fn a_failed_publish_is_an_error_of_its_span() {
    let tracer = Tracer::install();
    let bus = memory();
    let publisher = bus.publisher::<OrderPlaced>();
    let publish = publisher.publish(OrderPlaced { id: 7 });
    assert!(publish.expect_last_sequence(5).await.is_err());
    let spans = tracer.spans();
    let publish = spans.one("publish events.orders.order.placed");
    assert!(
        matches!(publish.status, Status::Error { .. }),
        "{publish:?}"
    );
    let kind = attributes(publish)["error.type"].clone();
    assert_eq!(kind, "WrongLastSequence");
}

/// What is written to it, by several copies.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_missing_layer_is_logged_once_and_loses_nothing_else() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let bus = EventBus::builder()
        .trace_source(OpenTelemetry::new())
        .memory()
        .unwrap();
    for _ in 0..2 {
        let delivery = delivered(&bus, Some(FOREIGN)).await;
        assert_eq!(delivery.trace().unwrap().traceparent(), FOREIGN);
        drop(delivery.process_span("billing"));
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(
        log.matches("tracing-opentelemetry 0.34").count(),
        1,
        "{log}"
    );
}

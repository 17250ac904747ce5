//! `apply_streams`, `apply` of a bucket, and `drain` through the public API.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{BucketConfig, Drained, ErrorKind, Revision, StreamChange};
use event_sdk::{BusBuilder, EventBus};
use event_sdk_tests::orders::{OrderEvents, placed};
use futures_util::FutureExt;

const MINUTE: Duration = Duration::from_mins(1);

fn orders() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>")
}

fn declares(streams: impl IntoIterator<Item = StreamSpec>) -> BusBuilder {
    let streams = streams.into_iter();
    streams.fold(EventBus::builder(), BusBuilder::stream)
}

#[tokio::test]
async fn a_bus_applies_the_streams_that_it_declares() {
    let transport = MemoryTransport::builder().without_default_stream();
    let transport = transport.build().unwrap();
    let bus = declares([orders(), StreamSpec::new("CRM").subject("crm.>")])
        .transport(transport.clone())
        .unwrap();
    let error = bus.publisher().publish(placed(1)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NoStream);
    let prepared = error.into_prepared();
    let changes = bus.apply_streams().await.unwrap();
    assert_eq!(
        changes,
        [
            ("ORDERS".into(), StreamChange::Created),
            ("CRM".into(), StreamChange::Created)
        ]
    );
    let published = bus.publisher().publish(&prepared).await.unwrap();
    assert_eq!(published.stream(), Some("ORDERS"));

    let newer = declares([
        orders().max_messages(10),
        StreamSpec::new("CRM").subject("crm.>"),
    ])
    .transport(transport)
    .unwrap();
    let changes = newer.apply_streams().await.unwrap();
    let texts: Vec<_> = changes
        .iter()
        .map(|(stream, change)| format!("{stream} {change}"))
        .collect();
    assert_eq!(
        texts,
        [
            "ORDERS updated: max messages from no limit to 10",
            "CRM unchanged"
        ]
    );
    assert_eq!(bus.stream_state("ORDERS").await.unwrap().messages, 1);
}

#[tokio::test]
async fn applying_stops_at_what_cannot_be_and_says_which() {
    let transport = MemoryTransport::builder().without_default_stream();
    let bus = declares([
        orders(),
        StreamSpec::new("PAID").subject("orders.order.paid"),
        StreamSpec::new("CRM").subject("crm.>"),
    ])
    .transport(transport.build().unwrap())
    .unwrap();
    let error = bus.apply_streams().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert_eq!(error.stream(), Some("PAID"));
    assert!(error.to_string().contains("of stream ORDERS"), "{error}");
    assert!(bus.stream_state("ORDERS").await.is_ok());
    assert!(bus.stream_state("CRM").await.is_err());
}

#[tokio::test]
async fn what_memory_has_made_is_as_it_was_declared() {
    let bus = declares([orders()]).memory().unwrap();
    let changes = bus.apply_streams().await.unwrap();
    assert_eq!(changes, [("ORDERS".into(), StreamChange::Unchanged)]);
    assert_eq!(EventBus::memory().apply_streams().await.unwrap(), []);
}

#[tokio::test]
async fn only_apply_creates_the_bucket_of_a_bus() {
    let transport = MemoryTransport::builder();
    let transport = transport.stream(orders().config("events").unwrap());
    let transport = transport.build().unwrap();
    let bus = |bucket: BucketConfig| {
        let builder = declares([orders()]).coordination(bucket);
        builder.transport(transport.clone()).unwrap()
    };
    let billing = bus("BILLING".into());
    let mut orders = billing.subscribe::<OrderEvents>().await.unwrap();
    billing.publisher().publish(placed(1)).await.unwrap();
    orders.next().await.unwrap().unwrap().ack().await.unwrap();
    let bucket = billing.coordination();
    let error = bucket.get("lease").await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::BucketNotFound);
    assert_eq!(error.bucket(), Some("BILLING"));

    let applied = billing.apply().await.unwrap();
    assert_eq!(
        applied.bucket,
        Some(("BILLING".into(), StreamChange::Created))
    );
    assert_eq!(
        applied.to_string(),
        "stream ORDERS unchanged\nbucket BILLING created"
    );
    assert!(!applied.is_unchanged());
    assert!(billing.apply().await.unwrap().is_unchanged());
    let revision = bucket.put("lease", "me", Revision::Absent, None).await;
    let revision = revision.unwrap();

    let longer = bus(BucketConfig::new("BILLING").unlimited_age());
    let applied = longer.apply().await.unwrap();
    assert!(
        applied
            .to_string()
            .contains("bucket BILLING updated: max age"),
        "{applied}"
    );
    let entry = longer.coordination().get("lease").await.unwrap().unwrap();
    assert_eq!(entry.revision, revision);

    // A bus that declares none uses the default one, and does not create it.
    let other = EventBus::builder().transport(transport.clone()).unwrap();
    assert_eq!(other.apply().await.unwrap().bucket, None);
    let error = other.coordination().get("lease").await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::BucketNotFound);
    assert_eq!(error.bucket(), Some(BucketConfig::DEFAULT_NAME));
}

#[tokio::test]
async fn a_bus_on_memory_has_its_bucket() {
    let declared = EventBus::builder().coordination("BILLING").memory();
    for (bus, name) in [
        (EventBus::memory(), BucketConfig::DEFAULT_NAME),
        (
            EventBus::builder().memory().unwrap(),
            BucketConfig::DEFAULT_NAME,
        ),
        (declared.unwrap(), "BILLING"),
    ] {
        let bucket = bus.coordination();
        assert_eq!(bucket.name(), name);
        bucket.put("k", "v", Revision::Absent, None).await.unwrap();
        assert_eq!(bucket.list("").await.unwrap().len(), 1);
        assert!(bus.apply().await.unwrap().is_unchanged());
    }
    let wrong = EventBus::builder().coordination("a b").memory();
    assert_eq!(*wrong.unwrap_err().kind(), ErrorKind::InvalidOption);
}

#[tokio::test]
async fn a_service_that_stops_leaves_the_rest_to_the_one_that_starts() {
    let transport = MemoryTransport::builder().build().unwrap();
    let starts = EventBus::builder()
        .transport(transport.connect().unwrap())
        .unwrap();
    let stops = EventBus::builder().transport(transport).unwrap();
    for id in 0..10 {
        stops.publisher().publish(placed(id)).await.unwrap();
    }
    let mut orders = stops.subscribe::<OrderEvents>().durable("d").await.unwrap();
    for _ in 0..3 {
        let delivery = orders.next().await.unwrap().unwrap();
        delivery.ack().await.unwrap();
    }
    let (bus, publisher) = (stops.clone(), stops.publisher());
    let (told, is_told) = tokio::sync::oneshot::channel();
    let handler = tokio::spawn(async move {
        let delivery = orders.next().await.unwrap().unwrap();
        told.send(()).unwrap();
        // What it is about when it is told to stop is finished.
        let is_draining = async |bus: &EventBus| {
            let error = bus.stream_state("ORDERS").await.err();
            error.is_some_and(|error| *error.kind() == ErrorKind::Closed)
        };
        while !is_draining(&bus).await {
            tokio::task::yield_now().await;
        }
        publisher.publish(placed(99)).await.unwrap();
        delivery.ack_confirmed().await.unwrap();
        assert!(orders.next().await.is_none());
    });
    is_told.await.unwrap();
    let drained = stops.drain(MINUTE).await.unwrap();
    let one = Drained {
        settled: 1,
        given_back: 0,
    };
    assert_eq!(drained, one);
    handler.await.unwrap();
    let mut orders = starts
        .subscribe::<OrderEvents>()
        .durable("d")
        .await
        .unwrap();
    for id in (4..10).chain([99]) {
        let delivery = orders.next().await.unwrap().unwrap();
        let OrderEvents::Placed(order) = delivery.decode().unwrap() else {
            panic!("only orders were placed");
        };
        assert_eq!(order.id, id);
        delivery.ack().await.unwrap();
    }
}

#[tokio::test]
async fn a_drain_goes_by_the_clock_of_the_bus() {
    let clock = SteppedClock::new();
    let bus = EventBus::builder()
        .clock(Arc::new(clock.clone()))
        .memory()
        .unwrap();
    let mut orders = bus.subscribe::<OrderEvents>().durable("d").await.unwrap();
    bus.publisher().publish(placed(1)).await.unwrap();
    let delivery = orders.next().await.unwrap().unwrap();
    let mut drain = bus.drain(MINUTE);
    assert!((&mut drain).now_or_never().is_none());
    bus.publisher().publish(placed(2)).await.unwrap();
    let refused = bus.subscribe::<OrderEvents>().await.unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::Closed);
    assert!(
        refused.to_string().contains("is being drained"),
        "{refused}"
    );
    clock.advance(Duration::from_secs(59));
    assert!((&mut drain).now_or_never().is_none());
    clock.advance(Duration::from_secs(1));
    let given_back = Drained {
        settled: 0,
        given_back: 1,
    };
    assert_eq!(drain.await.unwrap(), given_back);
    let late = delivery.ack().await.unwrap_err();
    assert_eq!(*late.kind(), ErrorKind::Closed);
    let late = bus.publisher().publish(placed(3)).await.unwrap_err();
    assert_eq!(*late.kind(), ErrorKind::Closed);
    assert!(late.error().to_string().contains("was closed"), "{late}");
}

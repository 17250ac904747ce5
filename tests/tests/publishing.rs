//! Publishing through the public API: retries, expectations, batches, timestamps, ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::stream::{Discard, StreamSpec};
use event_sdk::time::{Clock, Sleep};
use event_sdk::time::{SequentialIds, SteppedClock};
use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk::{EventBus, Published};
use event_sdk_tests::orders::{CustomerMoved, CustomerRenamed, OrderPaid, OrderPlaced, placed};
use jiff::Timestamp;

fn moved(customer: &str) -> CustomerMoved {
    CustomerMoved {
        customer: customer.into(),
        city: "Oslo".into(),
    }
}

fn renamed(customer: &str) -> CustomerRenamed {
    CustomerRenamed {
        customer: customer.into(),
        name: "Ada".into(),
    }
}

#[tokio::test]
async fn a_prepared_event_is_published_once_however_often_it_is_tried() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<OrderPlaced>();
    let prepared = publisher.prepare(placed(1));
    let first = publisher.publish(&prepared).await.unwrap();
    let again = publisher.publish(&prepared).await.unwrap();
    assert!(!first.is_duplicate() && again.is_duplicate());
    assert_eq!(
        (first.event_id(), first.sequence()),
        (again.event_id(), again.sequence())
    );
    assert_eq!(
        (first.stream(), first.sequence()),
        (Some("EVENTS"), Some(1))
    );
    assert_eq!(first.event_id(), prepared.id());
    assert_eq!(bus.stream_state("EVENTS").await.unwrap().messages, 1);
}

#[tokio::test]
async fn an_error_gives_the_event_back_and_a_retry_is_the_same_event() {
    let stream = StreamSpec::new("ORDERS")
        .subject("orders.>")
        .max_messages(1)
        .when_full(Discard::New);
    let bus = EventBus::builder().stream(stream).memory().unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    publisher.publish(placed(1)).await.unwrap();
    let error = publisher.publish(placed(2)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::StreamFull);
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert!(error.is_transient());
    let (id, at) = (error.prepared().id(), error.prepared().head().timestamp);
    let error = publisher.publish(error.into_prepared()).await.unwrap_err();
    assert_eq!(
        (error.prepared().id(), error.prepared().head().timestamp),
        (id, at)
    );
}

#[tokio::test]
async fn a_message_id_of_the_callers_is_what_a_duplicate_is_known_by() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<OrderPlaced>();
    publisher
        .publish(placed(1))
        .message_id("order-1")
        .await
        .unwrap();
    assert!(
        publisher
            .publish(placed(1))
            .message_id("order-1")
            .await
            .unwrap()
            .is_duplicate()
    );
    assert!(!publisher.publish(placed(1)).await.unwrap().is_duplicate());
}

#[tokio::test]
async fn expectations_of_stream_subject_and_entity() {
    let bus = EventBus::memory();
    let (moves, renames) = (
        bus.publisher::<CustomerMoved>(),
        bus.publisher::<CustomerRenamed>(),
    );
    assert_eq!(
        moves
            .publish(moved("a"))
            .expect_last_sequence(0)
            .await
            .unwrap()
            .sequence(),
        Some(1)
    );
    assert!(
        renames
            .publish(renamed("b"))
            .expect_last_sequence(1)
            .await
            .is_ok()
    );
    let error = moves
        .publish(moved("a"))
        .expect_last_sequence(1)
        .await
        .unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::WrongLastSequence { last: Some(2) }
    );

    // The subject has the key in it: what happened to b does not matter.
    assert!(
        moves
            .publish(moved("b"))
            .expect_last_subject_sequence(0)
            .await
            .is_ok()
    );
    assert!(
        moves
            .publish(moved("a"))
            .expect_last_subject_sequence(1)
            .await
            .is_ok()
    );
    // 4: a moved. The entity's last sequence sees all actions of a.
    assert!(
        renames
            .publish(renamed("a"))
            .expect_last_entity_sequence(4)
            .await
            .is_ok()
    );
    let error = moves
        .publish(moved("a"))
        .expect_last_entity_sequence(4)
        .await
        .unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::WrongLastSequence { last: Some(5) }
    );
    assert!(
        moves
            .publish(moved("c"))
            .expect_last_entity_sequence(0)
            .await
            .is_ok()
    );
    assert_eq!(bus.stream_state("EVENTS").await.unwrap().messages, 6);
}

#[tokio::test]
async fn an_entity_cannot_be_expected_without_its_key_in_the_subject() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<OrderPlaced>();
    let error = publisher
        .publish(placed(1))
        .expect_last_entity_sequence(0)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    let error = error.into_error();
    assert!(error.to_string().contains("in_subject"), "{error}");
}

#[tokio::test]
async fn many_events_have_a_result_each() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<OrderPlaced>();
    let stored = publisher
        .publish_all((0..1000).map(placed))
        .in_flight(7)
        .await
        .unwrap();
    let sequences: Vec<_> = stored.iter().filter_map(Published::sequence).collect();
    assert_eq!(sequences, (1..=1000).collect::<Vec<_>>());

    let paid = |amount| OrderPaid { id: 1, amount };
    let amounts = [1.0, f64::NAN, 3.0, f64::INFINITY];
    let error = bus
        .publisher()
        .publish_all(amounts.map(paid))
        .await
        .unwrap_err();
    let ok: Vec<_> = error.results().iter().map(Result::is_ok).collect();
    assert_eq!(ok, [true, false, true, false]);
    assert!(
        error
            .to_string()
            .starts_with("2 of 4 events were not published"),
        "{error}"
    );
    assert_eq!(error.into_failed().len(), 2);
    assert!(
        publisher
            .publish_all(Vec::<OrderPlaced>::new())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn time_ids_source_and_metadata_come_from_the_bus() {
    let clock = Arc::new(SteppedClock::new());
    let bus = EventBus::builder()
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .ids(Arc::new(SequentialIds::new()))
        .source("shop")
        .metadata("region", "eu")
        .memory()
        .unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let first = publisher.prepare(placed(1));
    assert_eq!(first.head().timestamp, clock.now());
    assert_eq!(first.head().source, "shop");
    assert_eq!(first.head().metadata.get("region"), Some("eu"));
    assert_eq!(first.head().event_type, "order.placed");
    clock.advance(Duration::from_secs(5));
    let second = publisher.prepare(placed(1));
    assert_eq!(second.head().timestamp, clock.now());
    assert!(second.id() > first.id());
}

#[tokio::test]
async fn a_stream_forgets_an_id_after_its_window() {
    let clock = Arc::new(SteppedClock::new());
    let stream = StreamSpec::new("ORDERS")
        .subject("orders.>")
        .duplicate_window(Duration::from_secs(10));
    let bus = EventBus::builder()
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .stream(stream)
        .memory()
        .unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let prepared = publisher.prepare(placed(1));
    publisher.publish(&prepared).await.unwrap();
    clock.advance(Duration::from_secs(9));
    assert!(publisher.publish(&prepared).await.unwrap().is_duplicate());
    clock.advance(Duration::from_secs(2));
    assert!(!publisher.publish(&prepared).await.unwrap().is_duplicate());
}

#[tokio::test]
async fn a_publisher_of_a_set_publishes_its_events() {
    let bus = EventBus::memory();
    let out = bus.publisher_set::<event_sdk_tests::orders::OrderEvents>();
    out.publisher::<OrderPlaced>()
        .publish(placed(1))
        .await
        .unwrap();
    assert_eq!(bus.stream_state("EVENTS").await.unwrap().messages, 1);
}

#[tokio::test]
async fn a_closed_bus_says_so() {
    let bus = EventBus::memory();
    bus.close().await.unwrap();
    bus.close().await.unwrap();
    let error = bus
        .publisher::<OrderPlaced>()
        .publish(placed(1))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed);
    let error = bus.subscribe::<OrderPlaced>().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn no_stream_is_an_error_that_names_the_subject() {
    let bus = EventBus::builder()
        .stream(StreamSpec::new("CRM").subject("crm.>"))
        .memory()
        .unwrap();
    let error = bus
        .publisher::<OrderPlaced>()
        .publish(placed(1))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NoStream);
    assert_eq!(
        error.to_string(),
        "events.orders.order.placed was not published: no stream stores the subject"
    );
    let source = std::error::Error::source(&error).unwrap();
    let source = source.downcast_ref::<event_sdk::Error>().unwrap();
    assert_eq!(source.kind(), error.kind());
    let error = bus.subscribe::<OrderPlaced>().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NoStream);
    assert!(
        error.to_string().contains("events.orders.order.placed"),
        "{error}"
    );
}

/// Counts how often it is asked for the time of day.
#[derive(Debug)]
struct CountingClock {
    clock: SteppedClock,
    asked: AtomicUsize,
}

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.clock.sleep_until(deadline)
    }
}

#[tokio::test]
async fn an_event_is_dated_when_it_is_handed_over_by_the_reading_that_dates_its_storing() {
    let clock = Arc::new(CountingClock {
        clock: SteppedClock::new(),
        asked: AtomicUsize::new(0),
    });
    let bus = EventBus::builder().clock(clock.clone()).memory().unwrap();
    let mut orders = bus.subscribe::<OrderPlaced>().await.unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let publish = publisher.publish(placed(1));
    clock.clock.advance(Duration::from_secs(9));
    clock.asked.store(0, Ordering::Relaxed);
    publish.await.unwrap();
    assert_eq!(clock.asked.load(Ordering::Relaxed), 1);
    let delivery = orders.next().await.unwrap().unwrap();
    let now = clock.clock.now();
    assert_eq!(delivery.head().unwrap().timestamp, now);
    assert_eq!(delivery.stored_at(), Some(now));

    // One that was dated before is stored when it is stored.
    let prepared = publisher.prepare(placed(2));
    clock.clock.advance(Duration::from_secs(9));
    publisher.publish(prepared).await.unwrap();
    let delivery = orders.next().await.unwrap().unwrap();
    assert_eq!(delivery.head().unwrap().timestamp, now);
    assert_eq!(delivery.stored_at(), Some(clock.clock.now()));
}

#[tokio::test]
async fn a_publish_that_was_changed_or_fails_keeps_the_id_and_the_time_that_it_got() {
    let clock = SteppedClock::new();
    let stream = StreamSpec::new("CRM").subject("crm.>");
    let builder = EventBus::builder().stream(stream);
    let bus = builder.clock(Arc::new(clock.clone())).memory().unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let begun = clock.now();
    let publish = publisher.publish(placed(1)).metadata("region", "us-east-1");
    clock.advance(Duration::from_secs(9));
    let error = publish.await.unwrap_err();
    assert_eq!(error.prepared().head().timestamp, begun);
    let error = publisher.publish(placed(1)).await.unwrap_err();
    let (id, at) = (error.prepared().id(), error.prepared().head().timestamp);
    assert_eq!(at, clock.now());
    clock.advance(Duration::from_secs(9));
    let again = publisher.publish(error.into_prepared()).await.unwrap_err();
    let again = again.prepared();
    assert_eq!((again.id(), again.head().timestamp), (id, at));
}

//! Publishing at a later time through the bus: times, keys, cancelling, listing, errors, on memory and
//! on a real server.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::time::{Clock as _, SteppedClock};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Cancellation, Capability, ErrorKind, Outcome, RollUp, ScheduleRequest};
use event_sdk::{Event, EventBus, EventKey, LooseId, Subscriber, WaitingEvent};
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::nats::oldest;
use event_sdk_tests::orders::{
    CustomerEvents, CustomerMoved, OrderEvents, OrderPaid, OrderPlaced, placed,
};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const MINUTE: Duration = Duration::from_mins(1);

/// An event without a key.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct DayClosed {
    day: u32,
}

const ORDERS: StreamSpec = StreamSpec::constant("ORDERS", &["orders.>", "crm.>"]).schedules();

/// A bus on memory whose clock is stepped.
fn stepped() -> (EventBus, Arc<SteppedClock>) {
    let clock = Arc::new(SteppedClock::new());
    let bus = EventBus::builder().clock(clock.clone()).stream(ORDERS);
    (bus.memory().unwrap(), clock)
}

fn moved(customer: &str) -> CustomerMoved {
    CustomerMoved {
        customer: customer.into(),
        city: "Oslo".into(),
    }
}

/// The next delivery, if there is one now.
fn ready<S>(subscriber: &mut Subscriber<S>) -> Option<event_sdk::Delivery<S>> {
    let next = subscriber.next().now_or_never()?;
    Some(next.expect("the subscription goes on").unwrap())
}

#[tokio::test]
async fn an_event_is_published_at_its_time_as_an_ordinary_one() {
    let (bus, clock) = stepped();
    let mut orders = bus.subscribe::<OrderEvents>().await.unwrap();
    let scheduled_at = clock.now();
    let at = scheduled_at + MINUTE;
    let cause = bus
        .publisher::<OrderPaid>()
        .prepare(OrderPaid { id: 7, amount: 1.0 });
    let scheduled = bus
        .publisher::<OrderPlaced>()
        .publish_at(placed(7), at)
        .caused_by(&cause)
        .metadata("region", "eu")
        .header("Team", "shop")
        .await
        .unwrap();
    assert_eq!((scheduled.stream(), scheduled.at()), ("ORDERS", at));
    assert!(!scheduled.replaced());
    clock.advance(Duration::from_nanos(59_999_999_999));
    assert!(ready(&mut orders).is_none());
    clock.advance(Duration::from_nanos(1));
    let delivery = ready(&mut orders).expect("the event");
    assert_eq!(delivery.decode().unwrap(), OrderEvents::Placed(placed(7)));
    assert_eq!(delivery.subject().as_str(), "events.orders.order.placed");
    assert_eq!(delivery.stored_at(), Some(at));
    let head = delivery.head().unwrap();
    assert_eq!(head.event_id, scheduled.event_id());
    // The event is dated when it was scheduled.
    assert_eq!(
        head.timestamp.as_microsecond(),
        scheduled_at.as_microsecond()
    );
    assert_eq!(head.metadata.causation_id, Some(LooseId::from(cause.id())));
    assert_eq!(
        head.metadata.correlation_id,
        Some(LooseId::from(cause.id()))
    );
    assert_eq!(head.metadata.key, Some(EventKey::new("7").unwrap()));
    assert_eq!(delivery.headers().get("Team"), Some("shop"));
    delivery.ack().await.unwrap();
}

#[tokio::test]
async fn a_delay_begins_when_the_publish_is_polled() {
    let (bus, clock) = stepped();
    let publisher = bus.publisher::<OrderPlaced>();
    let later = publisher.publish_after(placed(1), MINUTE);
    clock.advance(MINUTE);
    let scheduled = later.await.unwrap();
    assert_eq!(scheduled.at(), clock.now() + MINUTE);
    let error = publisher.publish_after(placed(2), Duration::MAX).await;
    let error = error.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert_eq!(error.prepared().event().id, 2);
}

#[tokio::test]
async fn each_type_has_one_waiting_event_for_each_key() {
    let (bus, clock) = stepped();
    let orders = bus.publisher::<OrderPlaced>();
    let paid = bus.publisher::<OrderPaid>();
    for (id, replaces) in [(1, false), (2, false), (1, true)] {
        let scheduled = orders.publish_after(placed(id), MINUTE).await.unwrap();
        assert_eq!(scheduled.replaced(), replaces, "{id}");
    }
    // The same key of another type is another schedule.
    let scheduled = paid.publish_after(OrderPaid { id: 1, amount: 2.0 }, 2 * MINUTE);
    assert!(!scheduled.await.unwrap().replaced());
    // So is another key of the same event.
    let scheduled = orders.publish_after(placed(1), 3 * MINUTE);
    let scheduled = scheduled.schedule_key("a. b").await.unwrap();
    assert!(!scheduled.replaced());
    let waiting = bus.schedules().list::<OrderEvents>().await.unwrap();
    let keys: Vec<_> = waiting.iter().map(WaitingEvent::key).collect();
    assert_eq!(keys, ["1", "2", "1", "a. b"]);
    assert_eq!(waiting[2].at(), clock.now() + 2 * MINUTE);
    assert_eq!(waiting[2].scheduled_at(), clock.now());
    assert_eq!(waiting[2].stream(), "ORDERS");
    let event = waiting[2].decode().unwrap();
    assert_eq!(event, OrderEvents::Paid(OrderPaid { id: 1, amount: 2.0 }));
    assert!(!format!("{:?}", waiting[3]).contains("a. b"));
}

#[tokio::test]
async fn an_event_without_a_key_has_its_id() {
    let (bus, _) = stepped();
    let publisher = bus.publisher::<DayClosed>();
    let first = publisher.publish_after(DayClosed { day: 1 }, MINUTE);
    let first = first.await.unwrap();
    let second = publisher.publish_after(DayClosed { day: 2 }, MINUTE);
    assert!(!second.await.unwrap().replaced());
    let named = publisher.publish_after(DayClosed { day: 3 }, MINUTE);
    named.metadata("key", "march").await.unwrap();
    let schedules = bus.schedules();
    assert_eq!(schedules.list::<DayClosed>().await.unwrap().len(), 3);
    for key in [first.event_id().to_string(), "march".to_owned()] {
        let cancelled = schedules.cancel::<DayClosed>(key).await.unwrap();
        assert_eq!(cancelled, Cancellation::InTime);
    }
    assert_eq!(schedules.list::<DayClosed>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_is_cancelled_by_its_key() {
    let (bus, clock) = stepped();
    let (schedules, customers) = (bus.schedules(), bus.publisher::<CustomerMoved>());
    let mut deliveries = bus.subscribe::<CustomerEvents>().await.unwrap();
    for customer in ["a.b", "c"] {
        let later = customers.publish_after(moved(customer), MINUTE);
        later.await.unwrap();
    }
    let waiting = schedules.list::<CustomerEvents>().await.unwrap();
    assert_eq!(
        waiting[0].subject().as_str(),
        "events.crm.customer.moved.a=2Eb"
    );
    let cancel = async |key: &str| schedules.cancel::<CustomerMoved>(key).await.unwrap();
    assert_eq!(cancel("a.b").await, Cancellation::InTime);
    assert_eq!(cancel("a.b").await, Cancellation::Unknown);
    clock.advance(MINUTE);
    assert_eq!(cancel("c").await, Cancellation::TooLate);
    let delivery = ready(&mut deliveries).expect("the event of c");
    assert_eq!(delivery.subject().as_str(), "events.crm.customer.moved.c");
    delivery.ack().await.unwrap();
    assert!(ready(&mut deliveries).is_none());
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused_and_given_back() {
    let (bus, clock) = stepped();
    let orders = bus.publisher::<OrderPlaced>();
    let option = ErrorKind::InvalidOption;
    let with_id = orders.prepare(placed(1)).message_id("own");
    let rolling = orders.prepare(placed(1)).roll_up(RollUp::Subject);
    let error = orders.encode(&rolling).unwrap_err();
    assert_eq!(*error.kind(), option, "{error}");
    assert!(error.to_string().contains("roll up"), "{error}");
    let late = ScheduleRequest::LATEST + SignedDuration::from_secs(1);
    let long = "k".repeat(256);
    for (later, kind) in [
        (orders.publish_after(&with_id, MINUTE), &option),
        (orders.publish_after(&rolling, MINUTE), &option),
        (orders.publish_at(placed(1), late), &option),
        (
            orders.publish_after(placed(1), MINUTE).schedule_key(long),
            &ErrorKind::InvalidSubject,
        ),
        (
            orders
                .publish_after(placed(1), MINUTE)
                .header("Nats-Schedule", "@hourly"),
            &ErrorKind::InvalidHeader,
        ),
    ] {
        let error = later.await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.outcome(), Outcome::NotDone);
        assert_eq!(error.prepared().event(), &placed(1));
        assert!(error.error().subject().is_some(), "{error}");
    }
    clock.advance(2 * MINUTE);
    assert_eq!(bus.stream_state("ORDERS").await.unwrap().messages, 0);

    let stream = StreamSpec::new("ORDERS").subject("orders.>");
    let bus = EventBus::builder().stream(stream).memory().unwrap();
    let orders = bus.publisher::<OrderPlaced>();
    let error = orders.publish_after(placed(1), MINUTE).await.unwrap_err();
    assert_eq!(*error.kind(), option, "{error}");
    assert!(error.error().to_string().contains("schedules()"), "{error}");
    let elsewhere = bus.publisher::<CustomerMoved>();
    let error = elsewhere.publish_after(moved("a"), MINUTE).await;
    assert_eq!(*error.unwrap_err().kind(), ErrorKind::NoStream);
}

#[tokio::test]
async fn a_value_that_is_handed_over_is_scheduled_as_it_is() {
    let clock = Arc::new(SteppedClock::new());
    let stream = ORDERS.config("events").unwrap();
    let memory = MemoryTransport::builder().stream(stream).hand_over(true);
    let memory = memory.clock(clock.clone()).build().unwrap();
    let bus = EventBus::builder().clock(clock.clone());
    let bus = bus.transport(memory).unwrap();
    let mut orders = bus.subscribe::<Arc<OrderPlaced>>().await.unwrap();
    let event = Arc::new(placed(1));
    let publisher = bus.publisher();
    let scheduled = publisher.publish_after(Arc::clone(&event), MINUTE);
    scheduled.await.unwrap();
    clock.advance(MINUTE);
    let delivery = ready(&mut orders).expect("the event");
    assert!(Arc::ptr_eq(&delivery.decode().unwrap(), &event));
}

/// Waits for something that is owed.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(MINUTE, future)
        .await
        .expect("what was owed did not come")
}

async fn over(server: &Server) -> EventBus {
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    EventBus::builder().stream(ORDERS).transport(nats).unwrap()
}

#[tokio::test]
async fn an_event_is_published_at_its_time_by_a_server() {
    let server = Server::start().await.unwrap();
    let bus = over(&server).await;
    bus.apply_streams().await.unwrap();
    let mut orders = bus.subscribe::<OrderEvents>().durable("d").await.unwrap();
    let orders_out = bus.publisher::<OrderPlaced>();
    let at = Timestamp::now() + SignedDuration::from_secs(1);
    let scheduled = orders_out.publish_at(placed(1), at).await.unwrap();
    for id in [2, 3] {
        let later = orders_out.publish_after(placed(id), 60 * MINUTE);
        later.await.unwrap();
    }
    let waiting = bus.schedules().list::<OrderEvents>().await.unwrap();
    let keys: Vec<_> = waiting.iter().map(WaitingEvent::key).collect();
    assert!(keys.ends_with(&["2", "3"]), "{keys:?}");
    // A bus that declares no streams finds the stream by the subject.
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let other = EventBus::builder().transport(nats).unwrap();
    let cancelled = other.schedules().cancel::<OrderPlaced>(2).await.unwrap();
    assert_eq!(cancelled, Cancellation::InTime);

    let delivery = within(orders.next()).await.unwrap().unwrap();
    assert_eq!(delivery.decode().unwrap(), OrderEvents::Placed(placed(1)));
    assert!(delivery.stored_at().is_some_and(|stored| stored >= at));
    let head = delivery.head().unwrap();
    assert_eq!(head.event_id, scheduled.event_id());
    assert!(head.timestamp < at);
    assert_eq!(delivery.headers().len(), 0, "{:?}", delivery.headers());
    delivery.ack().await.unwrap();
    let cancelled = bus.schedules().cancel::<OrderPlaced>(1).await.unwrap();
    assert_eq!(cancelled, Cancellation::TooLate);
    let waiting = bus.schedules().list::<OrderPlaced>().await.unwrap();
    assert_eq!(waiting.len(), 1);
    // Who reads everything under the prefix reads no schedule.
    let all = bus.raw().history(event_sdk::subject!(">"));
    let mut all = within(all.into_future()).await.unwrap();
    let first = within(all.next()).await.unwrap().unwrap();
    assert_eq!(first.subject(), delivery.subject());
    assert!(within(all.next()).await.is_none());
}

#[tokio::test]
async fn an_older_server_says_which_version_it_takes() {
    let options = Server::options().program(oldest().unwrap());
    let server = options.start().await.unwrap();
    let bus = over(&server).await;
    let kind = ErrorKind::Unsupported(Capability::Scheduler);
    let applied = bus.apply_streams().await.unwrap_err();
    let orders = bus.publisher::<OrderPlaced>();
    let published = orders.publish_after(placed(1), MINUTE).await.unwrap_err();
    let cancelled = bus.schedules().cancel::<OrderPlaced>(1).await;
    let listed = bus.schedules().list::<OrderPlaced>().await;
    for error in [
        applied,
        published.into_error(),
        cancelled.unwrap_err(),
        listed.unwrap_err(),
    ] {
        assert_eq!(*error.kind(), kind, "{error}");
        assert!(error.to_string().contains("2.12"), "{error}");
    }
}

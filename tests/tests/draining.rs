//! A drain lets handlers finish, publishing included, and takes about its time at the most: on
//! the memory transport and on a server.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Drained, ErrorKind};
use event_sdk::{BusBuilder, Delivery, EventBus, EventSet, Subscriber};
use event_sdk_test_servers::Server;
use event_sdk_tests::orders::{OrderPaid, OrderPlaced, placed};
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);

#[derive(Debug, EventSet)]
enum Paid {
    Paid(OrderPaid),
}

async fn within<T>(what: &str, future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(MINUTE, future.into_future())
        .await
        .unwrap_or_else(|_| panic!("{what} took more than a minute"))
}

fn builder() -> BusBuilder {
    EventBus::builder().stream(StreamSpec::new("ORDERS").subject("orders.>"))
}

async fn connect(server: &Server) -> EventBus {
    // Far longer than the drains: none may wait for an answer.
    let options = Nats::options(server.url()).request_timeout(MINUTE);
    let nats = Nats::connect(options.ack_timeout(MINUTE));
    let nats = within("a connection", nats).await.unwrap();
    let bus = builder().transport(nats).unwrap();
    within("the stream", bus.apply_streams()).await.unwrap();
    bus
}

/// One delivery that a handler has.
async fn one(bus: &EventBus) -> (Subscriber<OrderPlaced>, Delivery<OrderPlaced>) {
    let publisher = bus.publisher();
    within("a publish", publisher.publish(placed(1)))
        .await
        .unwrap();
    let orders = bus.subscribe::<OrderPlaced>().durable("d");
    let mut orders = within("a subscription", orders).await.unwrap();
    let delivery = within("a delivery", orders.next()).await.unwrap().unwrap();
    (orders, delivery)
}

/// A handler is told to stop, publishes what follows, and acknowledges; the transport says where
/// it is.
async fn a_handler_finishes(bus: &EventBus) {
    let (mut orders, delivery) = one(bus).await;
    let drain = tokio::spawn({
        let bus = bus.clone();
        async move { bus.drain(MINUTE).await }
    });
    assert!(within("the end", orders.next()).await.is_none());
    let refused = within("a refusal", bus.subscribe::<OrderPlaced>()).await;
    let refused = refused.unwrap_err();
    assert_eq!(*refused.kind(), ErrorKind::Closed);
    assert!(
        refused.to_string().contains("is being drained"),
        "{refused}"
    );
    let paid = OrderPaid { id: 1, amount: 9.5 };
    let publisher = bus.publisher();
    let publish = publisher.publish(paid).caused_by(&delivery);
    let stored = within("a publish", publish).await.unwrap();
    assert!(stored.sequence().is_some());
    within("an ack", delivery.ack()).await.unwrap();
    let drained = within("the drain", drain).await.unwrap().unwrap();
    let all = Drained {
        settled: 1,
        given_back: 0,
    };
    assert_eq!(drained, all);
    let late = bus.publisher().publish(placed(2)).await.unwrap_err();
    assert_eq!(*late.kind(), ErrorKind::Closed);
    assert!(late.error().to_string().contains("was closed"), "{late}");
}

#[tokio::test]
async fn on_memory_a_handler_publishes_while_it_is_drained() {
    a_handler_finishes(&builder().memory().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_server_a_handler_publishes_while_it_is_drained() {
    let server = Server::start().await.unwrap();
    a_handler_finishes(&connect(&server).await).await;
    let bus = connect(&server).await;
    let mut paid = within("a subscription", bus.subscribe::<Paid>())
        .await
        .unwrap();
    let delivery = within("what it published", paid.next())
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(delivery.decode().unwrap(), Paid::Paid(paid) if paid.id == 1));
}

/// How long a drain of so long takes.
async fn took(bus: &EventBus, time: Duration) -> Duration {
    let begun = Instant::now();
    within("the drain", bus.drain(time)).await.unwrap();
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn on_memory_a_handler_that_hangs_does_not_prolong_a_drain() {
    let bus = builder().memory().unwrap();
    let (_orders, _held) = one(&bus).await;
    let time = Duration::from_secs(1);
    let took = took(&bus, time).await;
    assert!(took >= time && took < 2 * time, "{took:?}");
}

/// The times of drains, and how long each may take at the most if the server does not answer, as
/// `EventBus::drain` says.
const AT_MOST: [(Duration, Duration); 4] = [
    (Duration::ZERO, Duration::from_millis(2_500)),
    (Duration::from_secs(1), Duration::from_millis(2_500)),
    (Duration::from_secs(2), Duration::from_millis(2_500)),
    (Duration::from_secs(5), Duration::from_millis(5_500)),
];

/// The drain takes its time, and not more than was said.
///
/// Tokio's clock is paused meanwhile: it jumps to the next timer when nothing else is to be done.
/// So it measures what the drain waits for, and not how busy the machine is.
async fn is_over_in_time(bus: &EventBus, time: Duration, at_most: Duration) {
    tokio::time::pause();
    let took = took(bus, time).await;
    tokio::time::resume();
    // A timer is rounded up to a millisecond.
    let at_most = at_most + Duration::from_millis(10);
    assert!(
        took >= time && took <= at_most,
        "a drain of {time:?} took {took:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_gone_does_not_prolong_a_drain() {
    for (time, at_most) in AT_MOST {
        let mut server = Server::start().await.unwrap();
        let bus = connect(&server).await;
        let (_orders, _held) = one(&bus).await;
        server.kill().await.unwrap();
        is_over_in_time(&bus, time, at_most).await;
    }
}

#[tokio::test]
async fn a_server_that_hangs_does_not_prolong_a_drain() {
    for (time, at_most) in AT_MOST {
        let mut server = Server::start().await.unwrap();
        let bus = connect(&server).await;
        let (_orders, _held) = one(&bus).await;
        server.pause().unwrap();
        is_over_in_time(&bus, time, at_most).await;
        server.resume().unwrap();
    }
}

//! Test support: a server with the streams of the events, and waits.

use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::Server;
use event_sdk_tests::killers::{Counted, builder};

/// How long anything may take, on a loaded machine too.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// A server with the applied streams, and a bus on it.
pub(crate) async fn start() -> (Server, EventBus) {
    let server = Server::start().await.unwrap();
    let bus = connect(&server).await;
    within("the streams", bus.apply()).await.unwrap();
    (server, bus)
}

pub(crate) async fn connect(server: &Server) -> EventBus {
    connect_with(server, PATIENCE).await
}

/// The same with another limit for requests.
pub(crate) async fn connect_with(server: &Server, request_timeout: Duration) -> EventBus {
    let options = Nats::options(server.url()).request_timeout(request_timeout);
    let nats = within("a connection", Nats::connect(options)).await;
    builder().transport(nats.unwrap()).unwrap()
}

/// Publishes the events with these numbers.
pub(crate) async fn publish(bus: &EventBus, numbers: std::ops::Range<u64>) {
    let events = numbers.map(|number| Counted { number });
    let publisher = bus.publisher::<Counted>();
    let confirmed = publisher.publish_all(events.collect::<Vec<_>>());
    within("the events", confirmed).await.unwrap();
}

/// How many events the consumer has not settled: (unsettled, not yet delivered).
pub(crate) async fn left(bus: &EventBus, durable: &str) -> Option<(u64, u64)> {
    let info = bus
        .transport()
        .consumer_info("KILLERS", durable)
        .await
        .ok()?;
    Some((info.ack_pending, info.pending))
}

pub(crate) fn within<T>(
    what: &str,
    future: impl IntoFuture<Output = T>,
) -> impl Future<Output = T> {
    let future = tokio::time::timeout(PATIENCE, Box::pin(future.into_future()));
    async move {
        future
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }
}

/// Asks until it is so.
pub(crate) async fn eventually(what: &str, ask: impl AsyncFnMut() -> bool) {
    assert!(so_in_time(ask).await, "waited in vain for {what}");
}

/// Asks until it is so, or until it was not so for long. Whether it is so.
pub(crate) async fn so_in_time(mut ask: impl AsyncFnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !ask().await {
        if begun.elapsed() >= PATIENCE {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    true
}

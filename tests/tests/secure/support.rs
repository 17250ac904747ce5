//! Test support: servers, buses and events of secure set-ups.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk::transport::{Error, ErrorKind, Transport};
use event_sdk::{Delivery, EventBus, EventSet, Subscriber};
use event_sdk_test_servers::{Permissions, Server, User};
use event_sdk_tests::orders::{AllOrderEvents, placed};

use crate::captured;

/// How long anything may take on a loaded machine; nothing does unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that is owed.
pub(crate) async fn within<T>(what: &str, owed: impl Future<Output = T>) -> T {
    let owed = tokio::time::timeout(PATIENCE, owed).await;
    owed.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Asks until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Connects, and keeps what is logged.
pub(crate) async fn connect(options: NatsOptions) -> Nats {
    captured::begin();
    let connected = within("a connection", Nats::connect(options)).await;
    connected.unwrap_or_else(|error| panic!("{}", everything_of(&error)))
}

/// Connects in vain.
pub(crate) async fn refused(options: NatsOptions) -> Error {
    captured::begin();
    let refusal = within("a refusal", Nats::connect(options)).await.err();
    refusal.expect("a refusal, but it is connected")
}

/// All that an error shows of itself.
pub(crate) fn everything_of(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n");
    let mut source = error.source();
    while let Some(error) = source {
        let _ = writeln!(text, "{error}\n{error:?}");
        source = error.source();
    }
    text
}

/// Asserts of what kind an error is, and that its message says all of this.
pub(crate) fn assert_says(error: &Error, kind: &ErrorKind, texts: &[&str]) {
    let shown = everything_of(error);
    assert_eq!(error.kind(), kind, "{shown}");
    let message = error.to_string();
    for text in texts {
        assert!(message.contains(text), "{text:?} is not in: {message}");
    }
}

/// A bus whose stream `ORDERS` is declared.
pub(crate) fn bus(transport: impl Transport) -> EventBus {
    let stream = StreamSpec::new("ORDERS").subject("orders.>");
    let bus = EventBus::builder().source("tests").stream(stream);
    bus.transport(transport).unwrap()
}

/// What there is of orders is published and received over this connection.
pub(crate) async fn works(nats: Nats) {
    let bus = bus(nats);
    within("the streams", bus.apply_streams()).await.unwrap();
    publish(&bus, 1).await.unwrap();
    let mut orders = within(
        "a subscription",
        bus.subscribe::<AllOrderEvents>().into_future(),
    )
    .await
    .unwrap();
    let delivery = next(&mut orders).await.unwrap();
    delivery.ack_confirmed().await.unwrap();
    within("the drain", bus.drain(PATIENCE)).await.unwrap();
}

pub(crate) async fn publish(bus: &EventBus, id: u64) -> Result<u64, Error> {
    let published = within(
        "a publish",
        bus.publisher().publish(placed(id)).into_future(),
    )
    .await;
    Ok(published?.sequence().unwrap_or_default())
}

/// The next delivery.
pub(crate) async fn next<S: EventSet>(from: &mut Subscriber<S>) -> Result<Delivery<S>, Error> {
    within("a delivery", from.next())
        .await
        .expect("more to come")
}

pub(crate) const PASSWORD: &str = "pw";

/// A server whose user `admin` may do everything, with these others beside.
pub(crate) async fn server_with(users: impl IntoIterator<Item = (String, Permissions)>) -> Server {
    let limited = users
        .into_iter()
        .map(|(name, permissions)| User::password(&name, PASSWORD).permissions(permissions));
    let users = [User::password("admin", PASSWORD)]
        .into_iter()
        .chain(limited);
    Server::options().users(users).start().await.unwrap()
}

/// The options of one of its users.
pub(crate) fn user(server: &Server, name: &str) -> NatsOptions {
    Nats::options(server.url()).user(name, PASSWORD)
}

/// The bus of who may do everything, with its stream created.
pub(crate) async fn admin(server: &Server) -> EventBus {
    let bus = bus(connect(user(server, "admin")).await);
    within("the stream", bus.apply_streams()).await.unwrap();
    bus
}

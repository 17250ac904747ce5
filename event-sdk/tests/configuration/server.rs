//! The bus of a configuration on a real server, with credentials that are rotated while it runs.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_sdk::config::Config;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{LoginError, Nats, NatsLogin};
use event_sdk::{Error, ErrorKind, EventBus};
use event_sdk_test_servers::{NKey, Server, User};

use crate::support::{OrderPlaced, load, placed};

/// How long anything may take on a loaded machine; nothing does unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

const FIRST: &str = "first-9f2c41";
const SECOND: &str = "second-77ab09";

async fn server(user: User) -> Server {
    Server::options().users([user]).start().await.unwrap()
}

fn put(server: &Server, name: &str, text: &str) -> PathBuf {
    let path = server.folder().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Ends the server, and starts it again with another secret in its configuration.
async fn rotate(server: &mut Server, old: &str, new: &str) {
    server.stop().await.unwrap();
    let path = server.folder().join("server.conf");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "the secret is in the configuration");
    fs::write(&path, text.replace(old, new)).unwrap();
    server.restart().await.unwrap();
}

async fn connect(config: &Config) -> Result<EventBus, Error> {
    let orders = StreamSpec::new("ORDERS").subject("orders.>");
    let builder = EventBus::builder().stream(orders);
    let bus = builder.connect(config).await?;
    bus.apply().await?;
    Ok(bus)
}

/// Publishes until it succeeds.
async fn publish(bus: &EventBus, id: u64) {
    let begun = Instant::now();
    while let Err(error) = bus.publisher().publish(placed(id)).await {
        assert!(begun.elapsed() < PATIENCE, "published in vain: {error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Publishes and receives before and after the secret was changed.
async fn survives(config: &Config, server: &mut Server, change: impl AsyncFnOnce(&mut Server)) {
    let bus = connect(config).await.unwrap();
    let mut orders = bus
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap();
    publish(&bus, 1).await;
    let delivery = orders.next().await.unwrap().unwrap();
    delivery.ack_confirmed().await.unwrap();
    change(server).await;
    finish(bus, orders).await;
}

/// Publishes and receives the second event.
async fn finish(bus: EventBus, mut orders: event_sdk::Subscriber<OrderPlaced>) {
    publish(&bus, 2).await;
    let next = tokio::time::timeout(PATIENCE, orders.next()).await;
    let delivery = next.expect("a delivery").unwrap().unwrap();
    assert_eq!(delivery.decode().unwrap().id, 2);
    delivery.ack_confirmed().await.unwrap();
    bus.close().await.unwrap();
}

#[tokio::test]
async fn a_password_is_rotated_in_its_file_while_the_service_runs() {
    let mut server = server(User::password("anna", FIRST)).await;
    let path = put(&server, "password", &format!("{FIRST}\n"));
    let url = server.url();
    let config = load(&[
        ("EVENT_SDK_TRANSPORT", "nats"),
        ("EVENT_SDK_NATS__URL", &url),
        ("EVENT_SDK_NATS__USER", "anna"),
        ("EVENT_SDK_NATS__PASSWORD_FILE", path.to_str().unwrap()),
    ]);
    survives(&config, &mut server, async |server| {
        fs::write(&path, SECOND).unwrap();
        rotate(server, FIRST, SECOND).await;
    })
    .await;
    // The first one is not accepted any more.
    fs::write(&path, FIRST).unwrap();
    let error = connect(&config).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unauthenticated);
    for text in ["anna", "password file", path.to_str().unwrap()] {
        assert!(error.to_string().contains(text), "{error}");
    }
    assert!(!format!("{error} {error:?} {config:?}").contains(FIRST));
}

#[tokio::test]
async fn an_nkey_is_rotated_in_its_file_while_the_service_runs() {
    let (first, second) = (NKey::new().unwrap(), NKey::new().unwrap());
    let mut server = server(User::nkey(&first)).await;
    let path = put(&server, "billing.nk", first.seed());
    let url = server.url();
    let config = load(&[
        ("EVENT_SDK_TRANSPORT", "nats"),
        ("EVENT_SDK_NATS__URL", &url),
        ("EVENT_SDK_NATS__NKEY_FILE", path.to_str().unwrap()),
    ]);
    survives(&config, &mut server, async |server| {
        fs::write(&path, second.seed()).unwrap();
        rotate(server, first.public(), second.public()).await;
    })
    .await;
}

#[tokio::test]
async fn a_token_is_rotated_in_its_file_while_the_service_runs() {
    let mut server = Server::options().token(FIRST).start().await.unwrap();
    let path = put(&server, "token", FIRST);
    let url = server.url();
    let config = load(&[
        ("EVENT_SDK_TRANSPORT", "nats"),
        ("EVENT_SDK_NATS__URL", &url),
        ("EVENT_SDK_NATS__TOKEN_FILE", path.to_str().unwrap()),
    ]);
    survives(&config, &mut server, async |server| {
        fs::write(&path, SECOND).unwrap();
        rotate(server, FIRST, SECOND).await;
    })
    .await;
}

#[tokio::test]
async fn a_callback_is_asked_at_each_connect() {
    let mut server = server(User::password("anna", FIRST)).await;
    let current = Arc::new(Mutex::new(FIRST));
    let vault = Arc::clone(&current);
    let from_vault = move || {
        let password = *vault.lock().unwrap();
        async move {
            // As of a request to somewhere else.
            tokio::task::yield_now().await;
            Ok::<_, LoginError>(NatsLogin::user("anna", password))
        }
    };
    let url = server.url();
    let config = load(&[("EVENT_SDK_NATS__URL", &url)]);
    let options = config.nats_options().unwrap().login_from(from_vault);
    let orders = StreamSpec::new("ORDERS").subject("orders.>");
    let builder = EventBus::builder().stream(orders);
    let builder = builder.configure(&config).unwrap();
    let bus = builder
        .transport(Nats::connect(options).await.unwrap())
        .unwrap();
    bus.apply().await.unwrap();
    let mut orders = bus
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap();
    publish(&bus, 1).await;
    orders
        .next()
        .await
        .unwrap()
        .unwrap()
        .ack_confirmed()
        .await
        .unwrap();
    *current.lock().unwrap() = SECOND;
    rotate(&mut server, FIRST, SECOND).await;
    finish(bus, orders).await;
}

//! Users with few permissions: what suffices, and errors for the rest.

use std::fs;
use std::time::Duration;

use event_sdk::transport::nats::{Management, Nats, NatsOptions};
use event_sdk::transport::{Capability, ErrorKind, StreamChange, TransportExt as _};
use event_sdk_test_servers::{Permissions, Server};
use event_sdk_tests::orders::{AllOrderEvents, OrderEvents, OrderPlaced, placed};

use crate::support::{
    PATIENCE, admin, assert_says, bus, connect, eventually, next, publish, refused, server_with,
    user, within,
};

/// Longer than any test waits: what is answered was not answered by a timeout.
const NEVER: Duration = Duration::from_mins(10);

/// The options of a user whose requests never time out.
fn patient(server: &Server, name: &str) -> NatsOptions {
    user(server, name).ack_timeout(NEVER).request_timeout(NEVER)
}

/// Everything that a service does, with a consumer of each kind.
async fn does_everything(nats: Nats) {
    let bus = bus(nats);
    let applied = within("the streams", bus.apply_streams()).await.unwrap();
    assert_eq!(applied, [("ORDERS".into(), StreamChange::Created)]);
    let orders = bus.publisher::<OrderPlaced>();
    let first = orders.prepare(placed(1));
    for duplicate in [false, true] {
        let expecting = orders.publish(&first).expect_last_sequence(0);
        let published = within("a publish", expecting.into_future()).await.unwrap();
        assert_eq!(published.is_duplicate(), duplicate);
    }
    let batch = orders.publish_all((2..=3).map(placed)).into_future();
    within("the batch", batch).await.unwrap();

    let durable = bus
        .subscribe::<AllOrderEvents>()
        .durable("billing")
        .max_deliver(2);
    let mut durable = within("a durable", durable.into_future()).await.unwrap();
    let group = bus.subscribe::<OrderEvents>().group("board");
    let mut group = within("a group", group.into_future()).await.unwrap();
    let own = bus.subscribe::<AllOrderEvents>();
    let mut own = within("a consumer", own.into_future()).await.unwrap();
    next(&mut durable).await.unwrap().ack().await.unwrap();
    next(&mut durable)
        .await
        .unwrap()
        .ack_confirmed()
        .await
        .unwrap();
    next(&mut durable)
        .await
        .unwrap()
        .nak(Duration::ZERO)
        .await
        .unwrap();
    let again = next(&mut durable).await.unwrap();
    assert_eq!((again.sequence(), again.attempt()), (Some(3), 2));
    again.in_progress().await.unwrap();
    again.term("enough").await.unwrap();
    next(&mut group)
        .await
        .unwrap()
        .ack_confirmed()
        .await
        .unwrap();
    next(&mut own).await.unwrap().ack_confirmed().await.unwrap();

    let history = bus.history::<AllOrderEvents>().newest_first();
    let mut history = within("history", history.into_future()).await.unwrap();
    for sequence in (1..=3).rev() {
        let recorded = within("an event", history.next()).await.unwrap().unwrap();
        assert_eq!(recorded.sequence(), sequence);
    }
    assert_eq!(bus.stream_state("ORDERS").await.unwrap().messages, 3);
    within("the drain", bus.drain(PATIENCE)).await.unwrap();
}

#[tokio::test]
async fn the_minimum_of_jetstream_bridge_is_enough() {
    let minimum = Permissions::jetstream_bridge().publish(&["events.orders.>"]);
    let server = server_with([("bridge".to_owned(), minimum)]).await;
    does_everything(connect(user(&server, "bridge")).await).await;
}

#[tokio::test]
async fn an_inbox_prefix_of_ones_own_is_enough() {
    let permissions = Permissions::none()
        .publish(&["$JS.API.>", "$JS.ACK.>", "events.orders.>"])
        .subscribe(&["_INBOX_billing.>"]);
    let server = server_with([("billing".to_owned(), permissions)]).await;
    let options = user(&server, "billing").inbox_prefix("_INBOX_billing");
    does_everything(connect(options).await).await;
    // Without it, each thing that needs an answer says so.
    let bus = bus(connect(patient(&server, "billing")).await);
    let denied = ErrorKind::PermissionDenied;
    let error = publish(&bus, 1).await.unwrap_err();
    assert_says(&error, &denied, &["_INBOX.>", "`inbox_prefix`"]);
    let error = within("an answer", bus.stream_state("ORDERS"))
        .await
        .unwrap_err();
    assert_says(&error, &denied, &["_INBOX.>", "`inbox_prefix`"]);
}

#[tokio::test]
async fn who_may_only_publish_publishes() {
    let permissions = Permissions::none()
        .publish(&["events.orders.>"])
        .subscribe(&["_INBOX.>"]);
    let server = server_with([("shop".to_owned(), permissions)]).await;
    let admin = admin(&server).await;
    let bus = bus(connect(patient(&server, "shop")).await);
    let publisher = bus.publisher::<OrderPlaced>();
    let first = publisher.prepare(placed(1));
    assert!(!publisher.publish(&first).await.unwrap().is_duplicate());
    assert!(publisher.publish(&first).await.unwrap().is_duplicate());
    let subscribing = bus
        .subscribe::<AllOrderEvents>()
        .durable("shop")
        .into_future();
    let error = within("an answer", subscribing).await.unwrap_err();
    assert_says(
        &error,
        &ErrorKind::PermissionDenied,
        &["$JS.API.CONSUMER.INFO.ORDERS.shop"],
    );
    assert_eq!(error.subject(), Some("$JS.API.CONSUMER.INFO.ORDERS.shop"));
    assert_eq!(admin.stream_state("ORDERS").await.unwrap().messages, 1);
}

#[tokio::test]
async fn who_may_only_pull_and_ack_receives_over_a_restart() {
    let minimum = Permissions::pull_and_ack("ORDERS", "billing");
    let mut server = server_with([("billing".to_owned(), minimum)]).await;
    let admin = admin(&server).await;
    let durable = admin.subscribe::<AllOrderEvents>().durable("billing");
    drop(within("the durable", durable.into_future()).await.unwrap());
    for id in 1..=2 {
        publish(&admin, id).await.unwrap();
    }

    let options = user(&server, "billing").management(Management::Never);
    let nats = connect(options).await;
    assert!(!nats.supports(Capability::StreamAdmin));
    let bus = bus(nats);
    let subscribing = bus
        .subscribe::<AllOrderEvents>()
        .durable("billing")
        .into_future();
    let mut orders = within("a subscription", subscribing).await.unwrap();
    next(&mut orders).await.unwrap().ack().await.unwrap();
    next(&mut orders)
        .await
        .unwrap()
        .nak(Duration::ZERO)
        .await
        .unwrap();
    let again = next(&mut orders).await.unwrap();
    assert_eq!((again.sequence(), again.attempt()), (Some(2), 2));
    again.in_progress().await.unwrap();
    again.ack_confirmed().await.unwrap();
    publish(&admin, 3).await.unwrap();
    next(&mut orders)
        .await
        .unwrap()
        .ack_confirmed()
        .await
        .unwrap();

    server.restart().await.unwrap();
    let publisher = admin.publisher::<OrderPlaced>();
    let fourth = publisher.prepare(placed(4));
    // It may be published while the server has no JetStream yet.
    eventually("a publish", async || publisher.publish(&fourth).await.ok()).await;
    let delivery = next(&mut orders).await.unwrap();
    assert_eq!(delivery.sequence(), Some(4));
    delivery.ack_confirmed().await.unwrap();

    // What needs more than that is refused before it is asked for.
    let error = bus.apply_streams().await.unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::Unsupported(Capability::StreamAdmin)
    );
    let error = bus.subscribe::<AllOrderEvents>().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    let drained = within("the drain", bus.drain(PATIENCE)).await.unwrap();
    assert_eq!(drained.given_back, 0);
}

/// What the page says of a consumer without a name.
const UNNAMED: [&str; 5] = [
    "$JS.API.STREAM.INFO.ORDERS",
    "$JS.API.CONSUMER.CREATE.ORDERS",
    "$JS.API.CONSUMER.MSG.NEXT.ORDERS.*",
    "$JS.API.CONSUMER.DELETE.ORDERS.*",
    "$JS.ACK.ORDERS.*.>",
];

/// What it says that it takes to make one again.
const TO_MAKE_AGAIN: [&str; 1] = ["$JS.API.CONSUMER.INFO.ORDERS.*"];

/// Removes what a server that is stopped has stored of consumers.
fn forget_consumers(server: &Server) {
    let mut folders = vec![server.folder().to_path_buf()];
    let mut forgotten = 0;
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).unwrap();
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.file_name().is_some_and(|name| name == "obs") {
                forgotten += fs::read_dir(&path).unwrap().count();
                fs::remove_dir_all(&path).unwrap();
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(forgotten > 0, "there was no consumer");
}

#[tokio::test]
async fn a_consumer_without_a_name_is_made_again_by_who_may() {
    let may = |more: &[&str]| {
        let permissions = Permissions::none().publish(&UNNAMED).publish(more);
        permissions.subscribe(&["_INBOX.>"])
    };
    let users = [
        ("may".to_owned(), may(&TO_MAKE_AGAIN)),
        ("lacks".to_owned(), may(&[])),
    ];
    let mut server = server_with(users).await;
    let admin = admin(&server).await;
    publish(&admin, 1).await.unwrap();
    let mut subscribers = Vec::new();
    for name in ["may", "lacks"] {
        let bus = bus(connect(user(&server, name)).await);
        let mut orders = bus.subscribe::<AllOrderEvents>().await.unwrap();
        next(&mut orders)
            .await
            .unwrap()
            .ack_confirmed()
            .await
            .unwrap();
        subscribers.push(orders);
    }
    server.stop().await.unwrap();
    forget_consumers(&server);
    server.restart().await.unwrap();
    let publisher = admin.publisher::<OrderPlaced>();
    let second = publisher.prepare(placed(2));
    eventually("a publish", async || publisher.publish(&second).await.ok()).await;
    let [may, lacks] = &mut subscribers[..] else {
        unreachable!();
    };
    assert_eq!(next(may).await.unwrap().sequence(), Some(2));
    let error = next(lacks).await.unwrap_err();
    let missing = "$JS.API.CONSUMER.INFO.ORDERS.";
    assert_says(&error, &ErrorKind::PermissionDenied, &[missing]);
    assert!(within("the end", lacks.next()).await.is_none());
}

#[tokio::test]
async fn an_ack_that_is_denied_is_told_by_the_subscription() {
    let permissions = Permissions::none()
        .publish(&["$JS.API.CONSUMER.MSG.NEXT.ORDERS.billing"])
        .subscribe(&["_INBOX.>"]);
    let server = server_with([("billing".to_owned(), permissions)]).await;
    let admin = admin(&server).await;
    let durable = admin.subscribe::<AllOrderEvents>().durable("billing");
    drop(within("the durable", durable.into_future()).await.unwrap());
    publish(&admin, 1).await.unwrap();
    let options = patient(&server, "billing").management(Management::Never);
    let bus = bus(connect(options).await);
    let mut orders = bus
        .subscribe::<AllOrderEvents>()
        .durable("billing")
        .await
        .unwrap();
    // Nobody waits for what becomes of it.
    next(&mut orders).await.unwrap().ack().await.unwrap();
    let error = next(&mut orders).await.unwrap_err();
    assert_says(
        &error,
        &ErrorKind::PermissionDenied,
        &["$JS.ACK.ORDERS.billing.", "acknowledge"],
    );
    assert!(within("the end", orders.next()).await.is_none());
}

#[tokio::test]
async fn who_may_do_nothing_is_not_taken_for_somebody_unknown() {
    let server = server_with([("nobody".to_owned(), Permissions::none())]).await;
    let error = refused(user(&server, "somebody")).await;
    assert_eq!(*error.kind(), ErrorKind::Unauthenticated, "{error}");
    let bus = bus(connect(user(&server, "nobody")).await);
    let error = publish(&bus, 1).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
}

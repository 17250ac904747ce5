//! Publishes that a server refuses, and operations that end for good.

use std::time::Duration;

use event_sdk::transport::nats::{ConnectionState, Nats};
use event_sdk::transport::{ErrorKind, Received, Settlement, Transport};
use event_sdk_test_servers::Server;
use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::consumer_support::{self, durable, settle, subscribe};
use crate::support::{Rig, draft, publish, refused, within};

#[tokio::test]
async fn an_account_that_is_full_is_no_wrong_password_and_may_have_room_later() {
    let server = Server::options()
        .config(
            r#"accounts { A {
                jetstream: enabled
                limits { max_connections: 1 }
                users: [ { user: me, password: "correct-horse" } ]
            } }"#,
        )
        .start()
        .await
        .unwrap();
    let options = || Nats::options(server.url()).user("me", "correct-horse");
    let first = within(Nats::connect(options())).await.unwrap();
    let error = within(Nats::connect(options())).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("limit"), "{error}");
    assert!(!error.to_string().contains("password"), "{error}");
    // Who may wait for it gets in when there is room.
    let waits = options().connect_within(Duration::from_secs(20));
    let waiting = tokio::spawn(Nats::connect(waits));
    within(first.close()).await.unwrap();
    drop(first);
    within(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_gives_up_connecting_says_so_to_everybody() {
    let mut rig = consumer_support::Rig::start().await;
    let nats = rig
        .connect_with(|options| {
            options
                .reconnect_delay(Duration::from_millis(1), Duration::from_millis(1))
                .max_reconnects(3)
        })
        .await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.publish([1]).await;
    let received = reader.expect(1).await;
    rig.server.stop().await.unwrap();
    let error = reader.end().await;
    assert!(error.to_string().contains("attempts"), "{error}");
    assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
    let error = refused(&nats, draft("events.a")).await;
    assert!(error.to_string().contains("attempts"), "{error}");
    let ack = settle(&received, Settlement::Ack);
    let error = ack.await.unwrap_err();
    assert!(error.to_string().contains("attempts"), "{error}");
    assert_eq!(nats.connection().current(), ConnectionState::Closed);
}

#[tokio::test]
async fn a_drain_may_take_any_time() {
    let rig = consumer_support::Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.publish([1]).await;
    let received = reader.expect(1).await;
    let draining = nats.drain(Duration::MAX);
    let acknowledging = settle(&received, Settlement::Ack);
    let (drained, acked) = within(async { tokio::join!(draining, acknowledging) }).await;
    acked.unwrap();
    assert_eq!(drained.unwrap().settled, 1);
}

#[tokio::test]
async fn a_thousand_publishes_without_a_stream_ask_for_it_a_few_times() {
    let rig = Rig::start().await;
    let calls = async || {
        let answer = rig.server.monitor("/jsz").await.unwrap();
        answer["api"]["total"].as_u64().unwrap()
    };
    let before = calls().await;
    let publishes = (0..1000).map(|_| publish(&rig.nats, draft("nobody.stores.this")));
    for result in join_all(publishes).await {
        assert_eq!(*result.unwrap_err().kind(), ErrorKind::NoStream);
    }
    let asked = calls().await - before;
    assert!(asked < 100, "the server was asked {asked} times");
}

#[tokio::test]
async fn a_drain_without_a_server_and_without_room_ends() {
    let mut rig = consumer_support::Rig::start().await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.max_ack_pending = None;
    let mut reader = subscribe(&nats, &config, 8000).await;
    let publishes = (0..400).map(|_| publish(&nats, draft("events.a").body("1")));
    for stored in join_all(publishes).await {
        stored.unwrap();
    }
    let mut in_hand = Vec::new();
    for _ in 0..400 {
        in_hand.push(reader.next().await);
    }
    let mut watch = nats.connection();
    rig.server.kill().await.unwrap();
    within(watch.changed()).await;
    let settled_now = |received: &Received, settlement| {
        let settling = received.settler.as_ref().unwrap().settle(settlement);
        let settled = tokio::task::coop::unconstrained(settling).now_or_never();
        settled.is_some_and(|settled| settled.is_ok())
    };
    // As much as the connection keeps for later; the acks find no room.
    let mut kept = 0;
    while settled_now(&in_hand[0], Settlement::InProgress) {
        kept += 1;
        assert!(kept < 1_000_000, "without end");
    }
    assert!(kept > 5_000, "only {kept} were kept");
    for received in &in_hand {
        settled_now(received, Settlement::Ack);
    }
    let drained = within(nats.drain(Duration::from_millis(500)))
        .await
        .unwrap();
    assert_eq!(drained.given_back, 400);
}

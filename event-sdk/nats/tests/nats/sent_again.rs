//! Publishes that are in flight when the connection is lost: sent again if they have an id.

use std::time::{Duration, Instant};

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{ErrorKind, Outcome, Transport as _};
use event_sdk_test_servers::Server;

use crate::support::{
    PATIENCE, Rig, apply, draft, eventually, publish, send, state, stream, within,
};

#[tokio::test]
async fn in_flight_at_a_disconnect_they_are_confirmed_after_it_once_and_in_order() {
    let mut server = Server::start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url()).ack_timeout(PATIENCE))
        .await
        .unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    publish(&nats, draft("s.0").id("0")).await.unwrap();
    // What is sent to a paused server is in its socket, and ends with it.
    server.pause().unwrap();
    let mut confirmations = Vec::new();
    for number in 1..=20 {
        let id = number.to_string();
        let draft = draft(&format!("s.{number}")).id(&id).header("number", &id);
        confirmations.push(send(&nats, draft).await.unwrap());
    }
    server.kill().await.unwrap();
    let mut watch = nats.connection();
    within(async {
        while watch.current() == event_sdk::transport::nats::ConnectionState::Connected {
            watch.changed().await;
        }
    })
    .await;
    // It waits behind those that were sent.
    let last = tokio::spawn({
        let nats = nats.clone();
        async move { publish(&nats, draft("s.21").id("21")).await }
    });
    server.restart().await.unwrap();
    for (sequence, confirmation) in (2..).zip(confirmations) {
        let stored = within(confirmation).await.unwrap();
        assert_eq!(stored.sequence, Some(sequence));
    }
    assert!(within(last).await.unwrap().is_ok());
    assert_eq!(state(&nats, "S").await.messages, 22);
}

#[tokio::test]
async fn nobody_has_to_wait_for_them() {
    let mut server = Server::start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server.pause().unwrap();
    drop(send(&nats, draft("s.1").id("1")).await.unwrap());
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    eventually("the message", async || {
        let found = publish(&nats, draft("s.1").id("1")).await.ok()?;
        found.duplicate.then_some(())
    })
    .await;
}

#[tokio::test]
async fn within_their_time_only() {
    let mut server = Server::start().await.unwrap();
    let second = Duration::from_secs(1);
    let options = Nats::options(server.url()).ack_timeout(second);
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server.pause().unwrap();
    let begun = Instant::now();
    let confirmation = send(&nats, draft("s.1").id("1")).await.unwrap();
    server.kill().await.unwrap();
    let error = within(confirmation).await.unwrap_err();
    assert!(begun.elapsed() >= second);
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    server.restart().await.unwrap();
    eventually("a publish", async || {
        publish(&nats, draft("s.2").id("2")).await.ok()
    })
    .await;
    assert_eq!(
        state(&nats, "S").await.messages,
        1,
        "sent again after its time"
    );
}

#[tokio::test]
async fn without_an_id_they_are_not_sent_again() {
    let mut server = Server::start().await.unwrap();
    let options = Nats::options(server.url()).ack_timeout(Duration::from_secs(5));
    let nats = Nats::connect(options).await.unwrap();
    apply(&nats, &stream("S", "s.>", |stream| stream)).await;
    server.pause().unwrap();
    let confirmation = send(&nats, draft("s.1")).await.unwrap();
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let error = within(confirmation).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    publish(&nats, draft("s.2").id("2")).await.unwrap();
    assert_eq!(state(&nats, "S").await.messages, 1);
    within(nats.close()).await.unwrap();
}

#[tokio::test]
async fn what_was_stored_before_the_disconnect_is_a_duplicate() {
    let Rig { nats, mut server } = Rig::with_stream(|stream| stream).await;
    // The stream may store it before the server is paused, or not: both end well.
    let confirmation = send(&nats, draft("s.1").id("1")).await.unwrap();
    server.pause().unwrap();
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    within(confirmation).await.unwrap();
    assert_eq!(state(&nats, "S").await.messages, 1);
}

//! Settlements: bytes that the server receives, and its replies.

use std::time::{Duration, Instant};

use event_sdk::transport::{AckPolicy, ErrorKind, Outcome, Settlement, Settler, Transport};
use futures_util::StreamExt;
use serde_json::Value;

use crate::consumer_support::{PATIENCE, Rig, STREAM, durable, settle, subscribe};
use crate::support::within;
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::nats::Management;

#[tokio::test(flavor = "multi_thread")]
async fn each_settlement_reaches_the_server() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    let terminated = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.EVENTS.d";
    let mut advisories = rig.admin.subscribe(terminated).await.unwrap();
    rig.publish(0..4).await;
    let mut held = Vec::new();
    for number in 0..4 {
        held.push(reader.expect(number).await);
    }
    settle(&held[0], Settlement::Ack).await.unwrap();
    settle(&held[1], Settlement::InProgress).await.unwrap();
    settle(&held[1], Settlement::AckConfirmed).await.unwrap();
    settle(&held[2], Settlement::Term("it is poison".to_owned()))
        .await
        .unwrap();
    let advisory = advisories.next().await.unwrap();
    let advisory: Value = serde_json::from_slice(&advisory.payload).unwrap();
    assert_eq!(advisory["reason"], "it is poison");
    assert_eq!(advisory["stream_seq"], 3);
    let begun = Instant::now();
    let delay = Duration::from_millis(400);
    settle(&held[3], Settlement::Nak(delay)).await.unwrap();
    let again = reader.expect(3).await;
    assert!(begun.elapsed() >= delay, "{:?}", begun.elapsed());
    assert_eq!(again.info.attempt, 2);
    settle(&again, Settlement::AckConfirmed).await.unwrap();
    let info = rig.consumer("d").await;
    assert_eq!(info["num_ack_pending"], 0, "{info}");
    assert_eq!(info["ack_floor"]["stream_seq"], 4, "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_ack_is_known_to_the_server_when_it_is_answered() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.publish(0..50).await;
    for number in 0..50 {
        let received = reader.expect(number).await;
        settle(&received, Settlement::AckConfirmed).await.unwrap();
        let info = rig.consumer("d").await;
        assert_eq!(info["ack_floor"]["stream_seq"], number + 1, "{info}");
    }
    // Once more is fine.
    rig.publish([50]).await;
    let received = reader.expect(50).await;
    for _ in 0..2 {
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_term_is_known_to_the_server_when_it_is_answered() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    let terminated = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.EVENTS.d";
    let mut advisories = rig.admin.subscribe(terminated).await.unwrap();
    rig.publish(0..50).await;
    for number in 0..50 {
        let received = reader.expect(number).await;
        let term = Settlement::TermConfirmed(format!("poison {number}"));
        settle(&received, term).await.unwrap();
        let info = rig.consumer("d").await;
        assert_eq!(info["ack_floor"]["stream_seq"], number + 1, "{info}");
        let advisory = advisories.next().await.unwrap();
        let advisory: Value = serde_json::from_slice(&advisory.payload).unwrap();
        assert_eq!(advisory["reason"], format!("poison {number}"));
    }
    // Once more is fine.
    rig.publish([50]).await;
    let received = reader.expect(50).await;
    for _ in 0..2 {
        let term = Settlement::TermConfirmed(String::new());
        settle(&received, term).await.unwrap();
    }
}

/// As while a cluster elects the leader of the consumer: at first nobody answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_settlement_that_nobody_answers_is_sent_again_without_management_too() {
    for settlement in [
        Settlement::AckConfirmed,
        Settlement::TermConfirmed("it is poison".to_owned()),
    ] {
        let rig = Rig::start().await;
        let admin = rig.connect().await;
        drop(subscribe(&admin, &durable("d"), 10).await);
        let nats = rig
            .connect_with(|options| {
                let options = options.management(Management::Never);
                options.request_timeout(PATIENCE)
            })
            .await;
        let mut reader = subscribe(&nats, &durable("d"), 10).await;
        rig.publish([0]).await;
        let received = reader.expect(0).await;
        within(admin.delete_consumer(STREAM, "d")).await.unwrap();
        let settled = tokio::spawn(async move { settle(&received, settlement).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!settled.is_finished(), "it was not sent again");
        let mut leader = rig.admin.subscribe("$JS.ACK.EVENTS.d.>").await.unwrap();
        let sent = within(leader.next()).await.unwrap();
        rig.admin
            .publish(sent.reply.unwrap(), "".into())
            .await
            .unwrap();
        within(settled).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_management_a_consumer_that_is_gone_is_missed_within_the_request_timeout() {
    let rig = Rig::start().await;
    let admin = rig.connect().await;
    drop(subscribe(&admin, &durable("d"), 10).await);
    let nats = rig
        .connect_with(|options| {
            let options = options.management(Management::Never);
            options.request_timeout(Duration::from_secs(1))
        })
        .await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.publish([0]).await;
    let received = reader.expect(0).await;
    within(admin.delete_consumer(STREAM, "d")).await.unwrap();
    let error = settle(&received, Settlement::AckConfirmed).await;
    let error = error.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("was deleted"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_ack_says_that_the_consumer_is_gone_or_the_server_silent() {
    let mut rig = Rig::start().await;
    let nats = rig
        .connect_with(|options| options.request_timeout(Duration::from_secs(5)))
        .await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.publish(0..2).await;
    let (first, second) = (reader.expect(0).await, reader.expect(1).await);
    rig.server.pause().unwrap();
    // It may be answered until the signal has arrived.
    let error = loop {
        if let Err(error) = settle(&first, Settlement::AckConfirmed).await {
            break error;
        }
    };
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert_eq!(error.consumer(), Some("d"));
    rig.server.resume().unwrap();
    rig.until("the server", async |rig: &Rig| {
        rig.consumer("d").await.get("error").is_none()
    })
    .await;
    nats.delete_consumer(STREAM, "d").await.unwrap();
    let error = settle(&second, Settlement::AckConfirmed).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_acknowledged_there_is_nothing_to_settle() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.ack = AckPolicy::None;
    let mut reader = subscribe(&nats, &config, 10).await;
    rig.publish(0..20).await;
    for number in 0..20 {
        assert!(reader.expect(number).await.settler.is_none());
    }
    assert_eq!(rig.consumer("d").await["num_ack_pending"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn acks_are_not_lost_when_thousands_are_sent_at_once() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.max_ack_pending = None;
    let mut reader = subscribe(&nats, &config, 1000).await;
    for number in 0..5000_u64 {
        let payload = number.to_string();
        rig.admin.publish("events.a", payload.into()).await.unwrap();
    }
    let mut held = Vec::new();
    for number in 0..5000 {
        held.push(reader.expect(number).await);
    }
    // More than the connection takes at once.
    let acks = held
        .iter()
        .map(|received| settle(received, Settlement::Ack));
    for ack in futures_util::future::join_all(acks).await {
        ack.unwrap();
    }
    rig.until("all acks", async |rig: &Rig| {
        rig.consumer("d").await["num_ack_pending"] == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_connection_takes_at_once_can_be_settled_together() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.max_ack_pending = None;
    let mut reader = subscribe(&nats, &config, 1000).await;
    for number in 0..5000_u64 {
        let payload = number.to_string();
        rig.admin.publish("events.a", payload.into()).await.unwrap();
    }
    let mut held = Vec::new();
    for number in 0..5000 {
        held.push(reader.expect(number).await);
    }
    let settlers: Vec<&Settler> = held.iter().filter_map(|one| one.settler.as_ref()).collect();
    assert_eq!(settlers.len(), 5000);
    Settler::settle_all(&settlers, &Settlement::Ack)
        .await
        .unwrap();
    rig.until("all acks", async |rig: &Rig| {
        rig.consumer("d").await["num_ack_pending"] == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_a_connection_that_was_closed_are_named() {
    let rig = Rig::start().await;
    let (closes, stays) = (rig.connect().await, rig.connect().await);
    rig.publish(0..2).await;
    let mut of_closed = subscribe(&closes, &durable("closes"), 2).await;
    let mut of_open = subscribe(&stays, &durable("stays"), 2).await;
    let mut held = Vec::new();
    for number in 0..2 {
        held.push(of_closed.expect(number).await);
        held.push(of_open.expect(number).await);
    }
    closes.close().await.unwrap();
    let settlers: Vec<&Settler> = held.iter().filter_map(|one| one.settler.as_ref()).collect();
    // Whichever connection is the one of the first.
    for (from, closed) in [(0, [0, 2].as_slice()), (1, &[1])] {
        let unsettled = Settler::settle_all(&settlers[from..], &Settlement::Ack).await;
        let errors = unsettled.unwrap_err().into_errors();
        let places: Vec<_> = errors.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, closed);
        for (_, error) in &errors {
            assert_eq!(*error.kind(), ErrorKind::Closed, "{error}");
            assert_eq!(error.consumer(), Some("closes"));
        }
    }
    rig.until("the acks", async |rig: &Rig| {
        rig.consumer("stays").await["num_ack_pending"] == 0
    })
    .await;
}

//! Ends of subscriptions: drop, drain, close, and redelivery of undelivered messages.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use event_sdk::transport::{
    ConsumerName, DeliverPolicy, ErrorKind, Incoming, Settlement, Transport,
};
use event_sdk_test_servers::{Server, programs};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::consumer_support::{PATIENCE, Rig, STREAM, body, config, durable, settle, subscribe};
use event_sdk::transport::TransportExt as _;

/// What a dropped subscription has not handed out comes to another long before
/// its ack wait of a minute is over.
async fn dropped_amid_delivery(prefetch: usize, read: u64) {
    const COUNT: u64 = 3000;
    let rig = Rig::start().await;
    for number in 0..COUNT {
        let payload = format!("{number:0512}");
        rig.admin.publish("events.a", payload.into()).await.unwrap();
    }
    rig.admin.flush().await.unwrap();
    let mut config = durable("d");
    config.max_ack_pending = None;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &config, prefetch).await;
    // It asks now, and may have an answer already.
    let mut first = reader.ready().await;
    let mut missing: BTreeSet<u64> = (0..COUNT).collect();
    for number in 0..read {
        let received = match first.take() {
            Some(Ok(Incoming::Message(received))) => received,
            _ => reader.expect(number).await,
        };
        settle(&received, Settlement::Ack).await.unwrap();
        missing.remove(&number);
    }
    if let Some(Ok(Incoming::Message(received))) = first {
        settle(&received, Settlement::Nak(Duration::ZERO))
            .await
            .unwrap();
    }
    // Much is on its way now.
    drop(reader);
    let mut other = subscribe(&rig.connect().await, &config, 500).await;
    let begun = Instant::now();
    while !missing.is_empty() {
        let received = other.next().await;
        settle(&received, Settlement::Ack).await.unwrap();
        missing.remove(&body(&received));
        assert!(begun.elapsed() < PATIENCE, "{} are missing", missing.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_handed_out_comes_to_another_at_once() {
    for _ in 0..3 {
        dropped_amid_delivery(2000, 1).await;
        dropped_amid_delivery(50, 500).await;
        dropped_amid_delivery(1000, 0).await;
    }
}

/// Servers before 2.10.16 counted what is put back in the moment in which the other's
/// request ends, and did not send it before the ack wait was over.
#[tokio::test(flavor = "multi_thread")]
async fn nor_does_it_wait_on_the_oldest_server() {
    let program = programs::nats::oldest().unwrap();
    let rig = Rig::start_with(Server::options().program(program)).await;
    let nats = rig.connect().await;
    for round in 0..20 {
        let (first, all) = (round * 4, round * 4..round * 4 + 4);
        rig.publish(all.clone()).await;
        let mut config = durable("d");
        config.name = ConsumerName::Durable(format!("d{round}").into());
        config.deliver = DeliverPolicy::ByStartSequence(first + 1);
        let mut reader = subscribe(&nats, &config, 16).await;
        reader.expect_and_ack([first]).await;
        // Both ask at nearly the same time.
        let mut other = subscribe(&nats, &config, 16).await;
        let came = other.ready().await;
        assert!(came.is_none(), "{came:?} came");
        drop(reader);
        let mut found = BTreeSet::new();
        for _ in all.clone().skip(1) {
            let received = other.next().await;
            settle(&received, Settlement::Ack).await.unwrap();
            found.insert(body(&received));
        }
        assert_eq!(found, all.skip(1).collect(), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_subscription_takes_nothing_any_more() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let config = durable("d");
    let mut reader = subscribe(&nats, &config, 100).await;
    assert!(reader.ready().await.is_none());
    rig.until("a waiting request", async |rig: &Rig| {
        rig.consumer("d").await["num_waiting"] == 1
    })
    .await;
    drop(reader);
    rig.until("no waiting request", async |rig: &Rig| {
        rig.consumer("d").await["num_waiting"] == 0
    })
    .await;
    rig.publish(0..10).await;
    let mut other = subscribe(&nats, &config, 5).await;
    for number in 0..10 {
        assert_eq!(other.expect(number).await.info.attempt, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_consumer_goes_with_its_subscription() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &config(ConsumerName::Ephemeral), 10).await;
    rig.publish([0]).await;
    reader.expect_and_ack([0]).await;
    rig.consumers(1).await;
    drop(reader);
    rig.consumers(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_some_time_after_its_last_subscription() {
    let rig = Rig::start().await;
    let nats = rig
        .connect_with(|options| options.inactive_threshold(Duration::from_secs(1)))
        .await;
    let group = config(ConsumerName::Group("g".into()));
    let mut reader = subscribe(&nats, &group, 10).await;
    rig.publish([0]).await;
    reader.expect_and_ack([0]).await;
    drop(subscribe(&nats, &group, 10).await);
    rig.consumers(1).await;
    drop(reader);
    rig.consumers(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_deleted_ends_its_subscriptions() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    for config in [durable("d"), config(ConsumerName::Group("g".into()))] {
        let name = config.name.as_str().unwrap().to_owned();
        let mut waiting = subscribe(&nats, &config, 10).await;
        assert!(waiting.ready().await.is_none());
        rig.until("a request", async |rig: &Rig| {
            rig.consumer(&name).await["num_waiting"] == 1
        })
        .await;
        let mut idle = subscribe(&nats, &config, 10).await;
        nats.delete_consumer(STREAM, &name).await.unwrap();
        for reader in [&mut waiting, &mut idle] {
            let error = reader.end().await;
            assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error}");
            assert_eq!(error.consumer(), Some(&*name));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_consumer_of_the_same_name_is_not_taken_for_the_first() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    nats.delete_consumer(STREAM, "d").await.unwrap();
    let mut another = subscribe(&nats, &durable("d"), 10).await;
    // Nobody has told the first; it finds out when it asks.
    rig.publish([0]).await;
    another.expect_and_ack([0]).await;
    assert!(reader.ready().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_deleted_ends_its_subscriptions() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let configs = [
        durable("d"),
        config(ConsumerName::Group("g".into())),
        config(ConsumerName::Ephemeral),
    ];
    let mut readers = Vec::new();
    for config in &configs {
        let mut waiting = subscribe(&nats, config, 10).await;
        assert!(waiting.ready().await.is_none());
        readers.push(waiting);
        readers.push(subscribe(&nats, config, 10).await);
    }
    rig.api(&format!("STREAM.DELETE.{STREAM}"), json!({})).await;
    for reader in &mut readers {
        let error = reader.end().await;
        assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
        assert_eq!(error.stream(), Some(STREAM));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_puts_back_what_was_not_handed_out() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..20).await;
    let mut reader = subscribe(&nats, &durable("d"), 20).await;
    reader.expect_and_ack([0]).await;
    rig.until("what was taken ahead", async |rig: &Rig| {
        rig.consumer("d").await["num_pending"] == 0
    })
    .await;
    nats.close().await.unwrap();
    assert!(reader.item().await.is_none());
    let mut other = subscribe(&rig.connect().await, &durable("d"), 20).await;
    let mut missing: BTreeSet<u64> = (1..20).collect();
    while !missing.is_empty() {
        missing.remove(&body(&other.next().await));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_in_hand_is_put_back_however_two_drains_meet() {
    let rig = Rig::start().await;
    let other = rig.connect().await;
    for number in 0..300 {
        let one = rig.connect().await;
        let mut reader = subscribe(&one, &durable("d"), 16).await;
        rig.publish([number]).await;
        let _in_hand = reader.expect(number).await;
        let long = tokio::spawn(one.drain(Duration::from_secs(60)));
        let short = tokio::spawn(one.drain(Duration::ZERO));
        let _ = tokio::join!(long, short);
        let mut others = subscribe(&other, &durable("d"), 1).await;
        others.expect_and_ack([number]).await;
    }
}

/// Several subscriptions wait on threads of their own while the transport is closed: none of them
/// may take the end for a failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_that_wait_while_it_is_closed_end_without_an_error() {
    let rig = Rig::start().await;
    for round in 0..30 {
        let nats = rig.connect().await;
        let mut waiting = Vec::new();
        for number in 0..8 {
            let name = ConsumerName::Durable(format!("d{number}").into());
            let mut reader = subscribe(&nats, &config(name), 1).await;
            waiting.push(tokio::spawn(async move { reader.item().await }));
        }
        nats.close().await.unwrap();
        for ended in waiting {
            let last = ended.await.unwrap();
            assert!(last.is_none(), "round {round}: {last:?}");
        }
    }
}

/// A redelivery of what runs has come, and was not read, when the subscription ends.
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_not_put_back_with_what_was_not_handed_out() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.ack_wait = Duration::from_secs(1);
    let mut settlements = rig.admin.subscribe("$JS.ACK.EVENTS.d.>").await.unwrap();
    rig.publish([0]).await;
    let mut reader = subscribe(&nats, &config, 5).await;
    let running = reader.expect(0).await;
    assert!(reader.ready().await.is_none());
    rig.until("the redelivery", async |rig: &Rig| {
        rig.consumer("d").await["delivered"]["consumer_seq"] == 2
    })
    .await;
    drop(reader);
    settle(&running, Settlement::Ack).await.unwrap();
    drop(running);
    nats.drain(PATIENCE).await.unwrap();
    // What was sent before comes before it.
    let last = "$JS.ACK.EVENTS.d.last";
    rig.admin.publish(last, "last".into()).await.unwrap();
    let mut sent = Vec::new();
    loop {
        let settlement = settlements.next().await.unwrap();
        if settlement.subject.as_str() == last {
            break;
        }
        sent.push(settlement.payload);
    }
    assert!(!sent.is_empty());
    assert!(sent.iter().all(|sent| sent.as_ref() == b"+ACK"), "{sent:?}");
}

//! Recovery of subscriptions: lost connections, servers, requests and consumers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{
    AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, ErrorKind, Incoming, NoticeKind,
    Settlement,
};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::consumer_support::{
    PATIENCE, Reader, Rig, STREAM, body, config, durable, settle, subscribe,
};

/// Nothing stalls for longer than this after the server is back.
const STALL: Duration = Duration::from_secs(25);

/// Receives and acknowledges until each of these has come.
async fn receive_all(reader: &mut Reader, numbers: impl IntoIterator<Item = u64>) {
    let mut missing: BTreeSet<u64> = numbers.into_iter().collect();
    while !missing.is_empty() {
        let received = reader.next().await;
        missing.remove(&body(&received));
        if received.settler.is_some() {
            settle(&received, Settlement::Ack).await.unwrap();
        }
    }
}

async fn goes_on_after_a_restart(config: &ConsumerConfig, kill: bool) {
    let mut rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, config, 10).await;
    rig.publish(0..5).await;
    receive_all(&mut reader, 0..5).await;
    if kill {
        rig.server.kill().await.unwrap();
    }
    rig.server.restart().await.unwrap();
    let begun = Instant::now();
    rig.publish(5..10).await;
    receive_all(&mut reader, 5..10).await;
    assert!(
        begun.elapsed() < STALL,
        "{config:?} stalled for {:?}",
        begun.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_consumer_goes_on_after_a_restart_of_its_server() {
    let mut unacked = config(ConsumerName::Ephemeral);
    unacked.ack = AckPolicy::None;
    let configs = [
        durable("d"),
        config(ConsumerName::Group("g".into())),
        config(ConsumerName::Ephemeral),
        unacked,
    ];
    for config in &configs {
        goes_on_after_a_restart(config, false).await;
    }
    goes_on_after_a_restart(&durable("d"), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_ahead_of_a_restart_comes_again() {
    let mut rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.ack_wait = Duration::from_secs(2);
    let mut reader = subscribe(&nats, &config, 20).await;
    rig.publish(0..20).await;
    reader.expect_and_ack(0..3).await;
    rig.server.restart().await.unwrap();
    receive_all(&mut reader, 3..20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_heard_again_when_it_goes_on() {
    let mut rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut readers = [
        subscribe(&nats, &durable("few"), 1).await,
        subscribe(&nats, &durable("many"), 200).await,
    ];
    for reader in &mut readers {
        assert!(reader.ready().await.is_none());
    }
    rig.server.pause().unwrap();
    // They notice that nothing is heard, and ask again in vain.
    for reader in &mut readers {
        let silent = tokio::time::timeout(Duration::from_secs(5), reader.item()).await;
        assert!(silent.is_err(), "{silent:?}");
    }
    rig.server.resume().unwrap();
    let begun = Instant::now();
    rig.publish(0..100).await;
    for reader in &mut readers {
        // What was asked for in vain is not served any more: nothing comes twice.
        for number in 0..100 {
            let received = reader.expect(number).await;
            assert_eq!(received.info.attempt, 1);
            settle(&received, Settlement::Ack).await.unwrap();
        }
    }
    assert!(begun.elapsed() < STALL, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_server_forgot_is_made_again() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    assert!(reader.ready().await.is_none());
    rig.until("a waiting request", async |rig: &Rig| {
        rig.consumer("d").await["num_waiting"] == 1
    })
    .await;
    // A pause of the consumer's work is none of the request's: it stays. But a
    // consumer that is made again by somebody else has no requests.
    let begun = Instant::now();
    let config = rig.consumer("d").await["config"].clone();
    rig.api(&format!("CONSUMER.DELETE.{STREAM}.d"), json!({}))
        .await;
    let call = format!("CONSUMER.CREATE.{STREAM}.d.events.>");
    rig.api(&call, json!({ "stream_name": STREAM, "config": config }))
        .await;
    let error = reader.end().await;
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error}");
    assert!(begun.elapsed() < STALL, "{:?}", begun.elapsed());
}

/// The server has forgotten an ephemeral consumer.
async fn forget(rig: &Rig) {
    let names = rig
        .api(&format!("CONSUMER.NAMES.{STREAM}"), json!({}))
        .await;
    for name in names["consumers"].as_array().unwrap() {
        let call = format!("CONSUMER.DELETE.{STREAM}.{}", name.as_str().unwrap());
        rig.api(&call, json!({})).await;
    }
}

/// The server restarts, and has lost what it knew of consumers.
async fn restart_without_consumers(rig: &mut Rig) {
    rig.server.stop().await.unwrap();
    let mut folders = vec![rig.server.folder().to_path_buf()];
    let mut lost = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name == "obs") {
                lost += std::fs::read_dir(&path).unwrap().count();
                std::fs::remove_dir_all(&path).unwrap();
                std::fs::create_dir(&path).unwrap();
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    assert!(lost > 0, "there was no consumer");
    rig.server.restart().await.unwrap();
}

/// A subscription to an ephemeral consumer, which asks for nothing just now: so
/// it does not hear that the consumer goes.
async fn idle(nats: &Nats, config: &ConsumerConfig, received: u64) -> Reader {
    let mut reader = subscribe(nats, config, 1).await;
    for number in 0..received {
        reader.expect(number).await;
    }
    reader
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_consumer_that_nothing_came_from_is_made_again_where_it_was() {
    for (deliver, wanted) in [
        (DeliverPolicy::All, 0..8),
        (DeliverPolicy::New, 5..8),
        (DeliverPolicy::Last, 4..8),
        (DeliverPolicy::ByStartSequence(3), 2..8),
        (DeliverPolicy::LastPerSubject, 7..8),
    ] {
        let rig = Rig::start().await;
        let nats = rig.connect().await;
        rig.publish(0..5).await;
        let mut ephemeral = config(ConsumerName::Ephemeral);
        ephemeral.deliver = deliver;
        let mut reader = idle(&nats, &ephemeral, 0).await;
        forget(&rig).await;
        rig.publish(5..8).await;
        for number in wanted {
            let received = reader.expect(number).await;
            settle(&received, Settlement::Ack).await.unwrap();
        }
        rig.publish([8]).await;
        reader.expect(8).await;
        rig.consumers(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_consumer_is_made_again_from_what_is_not_settled() {
    let mut rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..8).await;
    let ephemeral = config(ConsumerName::Ephemeral);
    let mut reader = subscribe(&nats, &ephemeral, 8).await;
    let mut held = Vec::new();
    for number in 0..8 {
        held.push(reader.expect(number).await);
    }
    // 1 and 4 are in somebody's hands, 2 was dropped, 6 put back; the rest is done.
    for done in [0, 3, 5, 7] {
        settle(&held[done], Settlement::Ack).await.unwrap();
    }
    settle(&held[6], Settlement::Nak(Duration::from_secs(600)))
        .await
        .unwrap();
    drop(held.remove(2));
    restart_without_consumers(&mut rig).await;
    let mut again = BTreeSet::new();
    while again.len() < 2 {
        let received = reader.next().await;
        again.insert(body(&received));
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
    assert_eq!(again, BTreeSet::from([2, 6]));
    // What is in somebody's hands is not handed out again, and is settled at the new consumer.
    for done in held.iter().filter(|held| [1, 4].contains(&body(held))) {
        settle(done, Settlement::AckConfirmed).await.unwrap();
    }
    assert!(reader.ready().await.is_none());
    rig.publish([8]).await;
    let received = reader.expect(8).await;
    settle(&received, Settlement::Ack).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_consumer_without_acks_loses_nothing_over_a_restart() {
    let mut rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut unacked = config(ConsumerName::Ephemeral);
    unacked.ack = AckPolicy::None;
    let mut reader = subscribe(&nats, &unacked, 100).await;
    let mut next = 0;
    for round in 0..3 {
        rig.publish(round * 100..round * 100 + 100).await;
        // In the middle of it.
        while next < round * 100 + 30 {
            reader.expect(next).await;
            next += 1;
        }
        rig.server.restart().await.unwrap();
    }
    while next < 300 {
        reader.expect(next).await;
        next += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_the_server_forgot_says_so() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..3).await;
    let mut reader = idle(&nats, &config(ConsumerName::Group("g".into())), 1).await;
    forget(&rig).await;
    // What was asked for ahead may come; then it is said.
    let error = loop {
        match reader.item().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("it ended and did not say why"),
        }
    };
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error}");
    assert!(reader.item().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_stream_of_the_same_name_is_not_taken_for_the_first() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..3).await;
    let mut reader = idle(&nats, &config(ConsumerName::Ephemeral), 0).await;
    rig.api(&format!("STREAM.DELETE.{STREAM}"), json!({})).await;
    rig.create_stream(json!({})).await;
    rig.publish(0..9).await;
    let error = reader.end().await;
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_that_a_restart_lost_is_reported() {
    let mut rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    rig.publish(0..3).await;
    reader.expect_and_ack(0..3).await;
    restart_without_consumers(&mut rig).await;
    let begun = Instant::now();
    let error = reader.end().await;
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error}");
    assert!(begun.elapsed() < STALL, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_while_an_ephemeral_consumer_is_made_again_does_not_come_again() {
    let mut rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..4).await;
    let mut reader = subscribe(&nats, &config(ConsumerName::Ephemeral), 1).await;
    let mut held = Vec::new();
    for number in 0..4 {
        held.push(reader.expect(number).await);
    }
    let create = format!("$JS.API.CONSUMER.CREATE.{STREAM}.>");
    let mut created = rig.admin.subscribe(create).await.unwrap();
    let plain = format!("$JS.API.CONSUMER.CREATE.{STREAM}");
    let mut created_plainly = rig.admin.subscribe(plain).await.unwrap();
    restart_without_consumers(&mut rig).await;
    // From then on the requests are seen here.
    rig.publish([4]).await;
    // Until it asks for another consumer: by then it knows what is not settled.
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "it is not made again");
        let item = reader.ready().await;
        let is_early = matches!(&item, Some(Ok(Incoming::Notice(notice))) if matches!(notice.kind(), NoticeKind::Reconnected));
        assert!(item.is_none() || is_early, "{item:?}");
        let pause = Duration::from_millis(200);
        let asked = futures_util::future::select(created.next(), created_plainly.next());
        if tokio::time::timeout(pause, asked).await.is_ok() {
            break;
        }
    }
    for received in &held[..3] {
        settle(received, Settlement::Ack).await.unwrap();
    }
    // One comes again though it is put back only now.
    settle(&held[3], Settlement::Nak(Duration::ZERO))
        .await
        .unwrap();
    drop(held);
    reader.expect_and_ack([3, 4]).await;
    rig.consumers(1).await;
}

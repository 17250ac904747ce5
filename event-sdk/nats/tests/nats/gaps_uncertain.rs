//! What is no certain gap on a real server: filters and subjects that change while a subscription
//! runs, what other members have read, and deliveries that are dropped before they come again.

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{Incoming, LostCount, Settlement};
use futures_util::StreamExt;
use serde_json::json;

use crate::consumer_support::{PATIENCE, Rig, STREAM, body, durable, settle, subscribe};
use crate::gaps::slow;
use crate::proxy::Proxy;

#[tokio::test]
async fn filters_that_change_while_it_runs_make_no_certain_gap() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = slow(&rig, &nats, &durable("d")).await;
    reader.expect_and_ack([2]).await;
    let mut config = rig.consumer("d").await["config"].clone();
    config["filter_subject"] = json!("events.a");
    let request = json!({ "stream_name": STREAM, "config": config });
    let call = format!("CONSUMER.CREATE.{STREAM}.d.events.a");
    rig.api(&call, request).await;
    for number in 3..=10 {
        rig.publish_to("events.b", number).await;
    }
    rig.publish([11]).await;
    // What was passed over is still there.
    reader.expect_and_ack([11]).await;
    for number in 12..=14 {
        rig.publish_to("events.b", number).await;
    }
    rig.publish([15]).await;
    reader.expect_and_ack([15]).await;
}

#[tokio::test]
async fn subjects_that_change_while_it_runs_make_no_certain_gap() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = slow(&rig, &nats, &durable("d")).await;
    reader.expect_and_ack([2]).await;
    rig.update(json!({ "subjects": ["events.>", "more.>"] }))
        .await;
    for number in 3..=10 {
        rig.publish_to("more.a", number).await;
    }
    // One that is for it, and one that is not.
    rig.publish([11]).await;
    rig.publish_to("more.a", 12).await;
    rig.publish([13]).await;
    reader.expect_and_ack([11, 13]).await;
    // As narrow as before.
    rig.update(json!({ "subjects": ["events.>"], "max_msgs": 5 }))
        .await;
    rig.publish(14..=30).await;
    // The gap is told when the stream was asked.
    let (mut last, mut gaps) = (0, Vec::new());
    while last < 30 || gaps.is_empty() {
        match reader.item().await {
            Some(Ok(Incoming::Notice(notice))) => gaps.extend(notice.gap()),
            Some(Ok(Incoming::Message(received))) => {
                last = body(&received);
                settle(&received, Settlement::Ack).await.unwrap();
            }
            other => panic!("{other:?} came"),
        }
    }
    let [gap] = gaps[..] else { panic!("{gaps:?}") };
    assert!(matches!(gap.lost, LostCount::AtMost(_)), "{gap:?}");
}

#[tokio::test]
async fn what_members_read_in_turn_is_no_gap() {
    let rig = Rig::start().await;
    rig.update(json!({ "max_msgs": 3 })).await;
    let nats = rig.connect().await;
    let mut members = [
        subscribe(&nats, &durable("d"), 1).await,
        subscribe(&nats, &durable("d"), 1).await,
    ];
    for number in 1..=40 {
        rig.publish([number]).await;
        let [one, two] = &mut members;
        let item = tokio::select! {
            item = one.item() => item,
            item = two.item() => item,
        };
        let Some(Ok(Incoming::Message(received))) = item else {
            panic!("{item:?} came instead of {number}");
        };
        assert_eq!(body(&received), number);
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
}

#[tokio::test]
async fn what_members_have_read_is_no_gap_when_it_goes_later() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut members = [
        subscribe(&nats, &durable("d"), 1).await,
        subscribe(&nats, &durable("d"), 1).await,
    ];
    for number in 1..=40 {
        rig.publish([number]).await;
        let [one, two] = &mut members;
        let item = tokio::select! {
            item = one.item() => item,
            item = two.item() => item,
        };
        let Some(Ok(Incoming::Message(received))) = item else {
            panic!("{item:?} came instead of {number}");
        };
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
    rig.api(&format!("STREAM.PURGE.{STREAM}"), json!({})).await;
    let mut asked = rig.listen(&format!("CONSUMER.INFO.{STREAM}.d")).await;
    let reading = members.map(|mut member| tokio::spawn(async move { member.item().await }));
    // Each looks once when nothing comes.
    for _ in 0..2 {
        let look = tokio::time::timeout(PATIENCE, asked.next()).await;
        assert!(look.unwrap().is_some());
    }
    rig.consumer("d").await;
    rig.publish([41, 42]).await;
    for read in reading {
        let item = read.await.unwrap();
        assert!(matches!(item, Some(Ok(Incoming::Message(_)))), "{item:?}");
    }
}

#[tokio::test]
async fn what_is_dropped_before_it_comes_again_is_a_gap() {
    let limits = [json!({ "max_msgs": 3 }), json!({ "max_bytes": 3 * 40 })];
    for settings in limits {
        let rig = Rig::start().await;
        rig.update(settings).await;
        let nats = rig.connect().await;
        let mut reader = subscribe(&nats, &durable("d"), 1).await;
        rig.publish([1, 2]).await;
        let put_back = reader.expect(1).await;
        let delay = std::time::Duration::from_secs(3600);
        settle(&put_back, Settlement::Nak(delay)).await.unwrap();
        reader.expect_and_ack([2]).await;
        for number in 3..=8 {
            rig.publish([number]).await;
            reader.expect_and_ack([number]).await;
        }
        let gap = reader.gap().await;
        assert_eq!((gap.from, gap.to), (1, 1));
        assert_eq!(gap.lost, LostCount::AtMost(1));
        rig.publish([9]).await;
        reader.expect_and_ack([9]).await;
    }
}

/// Deliveries come, and nothing answers when the stream is asked what a jump means.
#[tokio::test]
async fn a_gap_in_doubt_holds_deliveries_up_for_a_moment_only() {
    let rig = Rig::start().await;
    rig.update(json!({ "max_msgs": 5 })).await;
    let proxy = Proxy::to(rig.server.port()).await;
    let options = Nats::options(proxy.url()).request_timeout(PATIENCE * 10);
    let nats = Nats::connect(options).await.unwrap();
    let mut reader = slow(&rig, &nats, &durable("d")).await;
    rig.publish(3..=20).await;
    // The first connection; deliveries come on the second.
    proxy.freeze(0);
    reader.expect_and_ack([2]).await;
    let gap = reader.gap().await;
    assert_eq!((gap.from, gap.to), (3, 15));
    assert_eq!(gap.lost, LostCount::AtMost(13));
    reader.expect_and_ack(16..=20).await;
}

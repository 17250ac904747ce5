//! Messages that ran out of deliveries while nobody listened.

use std::time::Duration;

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{ConsumerConfig, Exhausted, Incoming, Prefetch, Settlement};
use event_sdk_test_servers::{Server, programs};
use serde_json::json;

use crate::consumer_support::{Reader, Rig, STREAM, body, durable, settle, subscribe, times};

fn once() -> ConsumerConfig {
    let mut config = durable("d");
    config.ack_wait = Duration::from_secs(2);
    config.max_deliver = times(1);
    config
}

/// A worker that takes all of them, acknowledges these, and goes; until nothing is pending.
async fn worker(rig: &Rig, nats: &Nats, numbers: std::ops::Range<u64>, acks: &[u64]) {
    let mut reader = subscribe(nats, &once(), 10).await;
    let mut held = Vec::new();
    for number in numbers {
        let received = reader.expect(number).await;
        if acks.contains(&body(&received)) {
            settle(&received, Settlement::AckConfirmed).await.unwrap();
        }
        held.push(received);
    }
    drop(reader);
    rig.until("the end of the ack wait", async |rig: &Rig| {
        rig.consumer("d").await["num_ack_pending"] == 0
    })
    .await;
}

async fn report(reader: &mut Reader) -> Exhausted {
    match reader.item().await {
        Some(Ok(Incoming::Notice(notice))) => notice.exhausted().expect("a report").clone(),
        other => panic!("{other:?} came instead of a report"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ran_out_while_nobody_listened_is_found_at_binding() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..3).await;
    worker(&rig, &nats, 0..3, &[0, 2]).await;
    let mut reader = subscribe(&nats, &once(), Prefetch::Adaptive).await;
    let found = report(&mut reader).await;
    assert_eq!((found.sequence, found.attempts), (2, 1));
    assert_eq!(found.subject.unwrap().as_str(), "events.a");
    // It is told once to a subscription, and no more when an ack has moved the floor.
    rig.publish([3]).await;
    let received = reader.expect(3).await;
    settle(&received, Settlement::AckConfirmed).await.unwrap();
    drop(reader);
    let mut reader = subscribe(&nats, &once(), Prefetch::Adaptive).await;
    rig.publish([4]).await;
    reader.expect_and_ack([4]).await;
}

/// Servers of 2.10 move the floor past it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_reported_on_the_oldest_server() {
    let program = programs::nats::oldest().unwrap();
    let rig = Rig::start_with(Server::options().program(program)).await;
    let nats = rig.connect().await;
    rig.publish(0..3).await;
    worker(&rig, &nats, 0..3, &[0, 2]).await;
    let mut reader = subscribe(&nats, &once(), Prefetch::Adaptive).await;
    rig.publish([3]).await;
    reader.expect_and_ack([3]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_for_others_do_not_hide_it() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish_to("events.b", 7).await;
    rig.publish([0]).await;
    let only = |config: &mut ConsumerConfig| {
        config.filters = vec![event_sdk::Pattern::parse("events.a").unwrap()];
    };
    let mut config = once();
    only(&mut config);
    let mut reader = subscribe(&nats, &config, 10).await;
    let received = reader.expect(0).await;
    drop(reader);
    rig.until("the end of the ack wait", async |rig: &Rig| {
        rig.consumer("d").await["num_ack_pending"] == 0
    })
    .await;
    drop(received);
    let mut reader = subscribe(&nats, &config, Prefetch::Adaptive).await;
    assert_eq!(report(&mut reader).await.sequence, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_acknowledged_is_not_reported() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..3).await;
    worker(&rig, &nats, 0..3, &[1, 2]).await;
    // The one that ran out is gone: the first above the floor was acknowledged.
    let call = format!("STREAM.MSG.DELETE.{STREAM}");
    rig.api(&call, json!({ "seq": 1 })).await;
    let mut reader = subscribe(&nats, &once(), Prefetch::Adaptive).await;
    rig.publish([3]).await;
    reader.expect_and_ack([3]).await;
}

//! Where an acknowledgement settles everything before it: what a server hears, and
//! what becomes of others who fetch from the same consumer.

use std::time::Duration;

use event_sdk::transport::nats::Management;
use event_sdk::transport::{AckPolicy, ConsumerConfig, ErrorKind, Settlement, Transport};
use event_sdk::{Event, EventBus, stream::Stream};
use futures_util::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};

use crate::consumer_support::{Rig, STREAM, durable, settle, subscribe, try_subscribe};

/// Short, for it is waited out.
const ACK_WAIT: Duration = Duration::from_millis(500);

fn in_order() -> ConsumerConfig {
    let mut config = durable("d");
    config.ack = AckPolicy::All;
    config.ack_wait = ACK_WAIT;
    config
}

#[derive(Event, Serialize, Deserialize)]
#[event(
    domain = "things",
    entity = "thing",
    action = "counted",
    version = "1.0"
)]
struct ThingCounted {
    number: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_takes_one_acknowledgement() {
    let rig = Rig::start().await;
    let bus = EventBus::builder()
        .stream(Stream::new(STREAM).subject(">"))
        .transport(rig.connect().await)
        .unwrap();
    let mut acks = rig.admin.subscribe("$JS.ACK.>").await.unwrap();
    rig.admin.flush().await.unwrap();
    let mut things = bus
        .subscribe::<ThingCounted>()
        .durable("d")
        .ack_policy(AckPolicy::All)
        .prefetch(200)
        .await
        .unwrap();
    let all = (0..100).map(|number| ThingCounted { number });
    bus.publisher().publish_all(all).await.unwrap();
    let batch = things.next_batch(100, Duration::from_mins(1)).await;
    let batch = batch.unwrap().unwrap();
    assert_eq!(batch.len(), 100);
    assert_eq!(batch[99].decode().unwrap().number, 99);
    batch.ack_confirmed().await.unwrap();
    let info = rig.consumer("d").await;
    assert_eq!(info["num_ack_pending"], 0, "{info}");
    // One that settles, and one that is answered.
    rig.admin.flush().await.unwrap();
    let mut sequences = Vec::new();
    while let Some(Some(ack)) = acks.next().now_or_never() {
        sequences.push(ack.subject.split('.').nth(5).unwrap().to_owned());
    }
    assert_eq!(sequences, ["100", "100"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_client_takes_in_between_is_not_settled() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &in_order(), 1).await;
    rig.publish(0..2).await;
    for number in 0..2 {
        let received = reader.expect(number).await;
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
    // Somebody who knows nothing of turns asks while it is not read.
    let inbox = rig.admin.new_inbox();
    let mut theirs = rig.admin.subscribe(inbox.clone()).await.unwrap();
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{STREAM}.d");
    rig.publish([2]).await;
    let ours = reader.expect(2).await;
    let request = r#"{"batch":1,"expires":5000000000}"#;
    let client = &rig.admin;
    client
        .publish_with_reply(next, inbox, request.into())
        .await
        .unwrap();
    rig.publish(3..5).await;
    let taken = theirs.next().await.unwrap();
    assert!(["3", "4"].contains(&std::str::from_utf8(&taken.payload).unwrap()));
    rig.publish([5]).await;
    settle(&ours, Settlement::AckConfirmed).await.unwrap();
    // Theirs comes again, and before what follows it.
    for number in 3..6 {
        let received = reader.expect(number).await;
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
    let info = rig.consumer("d").await;
    assert_eq!(info["num_ack_pending"], 0, "{info}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_from_one_that_was_lost() {
    let rig = Rig::start().await;
    let (first, second) = (rig.connect().await, rig.connect().await);
    let mut reader = subscribe(&first, &in_order(), 10).await;
    rig.publish(0..4).await;
    for number in 0..4 {
        drop(reader.expect(number).await);
    }
    let mut standby = subscribe(&second, &in_order(), 10).await;
    assert!(standby.ready().await.is_none());
    first.close().await.unwrap();
    rig.publish([4]).await;
    for number in 0..5 {
        let received = standby.expect(number).await;
        settle(&received, Settlement::AckConfirmed).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_management_calls_it_is_refused() {
    let rig = Rig::start().await;
    let never =
        |options: event_sdk::transport::nats::NatsOptions| options.management(Management::Never);
    let nats = rig.connect_with(never).await;
    let refused = try_subscribe(&nats, &in_order(), 1).await.err();
    let error = refused.unwrap();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("CONSUMER.INFO"), "{error}");
}

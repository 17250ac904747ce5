//! Pull requests: batch sizes, byte limits, sharing.

use std::collections::BTreeSet;
use std::time::Duration;

use event_sdk::transport::nats::Management;
use event_sdk::transport::{
    AckPolicy, Capability, ConsumerName, DeliverPolicy, ErrorKind, Incoming, Settlement,
};
use serde_json::json;

use crate::consumer_support::{
    Rig, STREAM, body, config, durable, settle, subscribe, times, try_subscribe,
};
use event_sdk::transport::TransportExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_and_what_follows_come_in_order_whatever_is_taken_ahead() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..50).await;
    for (name, prefetch) in [("one", 1), ("two", 2), ("few", 7), ("many", 1000)] {
        let mut reader = subscribe(&nats, &durable(name), prefetch).await;
        for number in 0..50 {
            let received = reader.expect(number).await;
            assert_eq!(received.info.sequence, Some(number + 1));
            assert_eq!(received.info.attempt, 1);
            assert_eq!(received.info.pending, Some(49 - number));
            assert_eq!(received.subject.as_str(), "events.a");
            settle(&received, Settlement::Ack).await.unwrap();
        }
    }
    let mut readers = Vec::new();
    for name in ["one", "two", "few", "many"] {
        readers.push(subscribe(&nats, &durable(name), 3).await);
    }
    rig.publish(50..70).await;
    for reader in &mut readers {
        reader.expect_and_ack(50..70).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_taken_ahead_than_was_allowed() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    rig.publish(0..100).await;
    let mut reader = subscribe(&nats, &durable("d"), 10).await;
    for number in 0..3 {
        reader.expect(number).await;
    }
    // What is asked for is there: 3 were handed out, 10 are on their way or here.
    rig.until("what was asked for", async |rig: &Rig| {
        rig.consumer("d").await["num_ack_pending"] == 10
    })
    .await;
    for number in 3..50 {
        reader.expect(number).await;
        let pending = rig.consumer("d").await["num_ack_pending"].as_u64().unwrap();
        assert!(
            pending <= number + 1 + 10,
            "{pending} are on their way after {number}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_bytes_are_asked_for_than_allowed_and_a_larger_message_comes_alone() {
    let rig = Rig::start().await;
    let nats = rig
        .connect_with(|options| options.max_pull_bytes(2_000))
        .await;
    for number in 0..40 {
        let bytes = if number % 10 == 7 { 50_000 } else { 500 };
        rig.publish_of_size(number, bytes).await;
    }
    let mut reader = subscribe(&nats, &durable("waits"), 30).await;
    // Never more than three of them, and what travels with them, are on their way.
    for number in 0..40 {
        reader.expect(number).await;
        let unsettled = rig.consumer("waits").await["num_ack_pending"].as_u64();
        let ahead = unsettled.unwrap() - (number + 1);
        let most = if number % 10 == 6 { 1 } else { 3 };
        assert!(ahead <= most, "{ahead} are on their way after {number}");
    }
    drop(reader);
    for (name, prefetch) in [("one", 1), ("few", 7), ("many", 1000)] {
        let mut reader = subscribe(&nats, &durable(name), prefetch).await;
        for number in 0..40 {
            let received = reader.expect(number).await;
            assert_eq!(received.info.attempt, 1);
            settle(&received, Settlement::Ack).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_group_share_over_connections() {
    let rig = Rig::start().await;
    let group = config(ConsumerName::Group("g".into()));
    let one = rig.connect().await;
    let other = rig.connect().await;
    let mut readers = [
        subscribe(&one, &group, 1).await,
        subscribe(&other, &group, 1).await,
    ];
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    for number in 0..40 {
        rig.publish([number]).await;
        let [a, b] = &mut readers;
        let (which, received) = tokio::select! {
            received = a.next() => (0, received),
            received = b.next() => (1, received),
        };
        settle(&received, Settlement::Ack).await.unwrap();
        seen[which].insert(body(&received));
    }
    assert_eq!(seen.iter().map(BTreeSet::len).sum::<usize>(), 40);
    assert!(seen.iter().all(|seen| !seen.is_empty()), "{seen:?}");
    // One goes away, and the other has it all.
    drop(readers);
    let mut reader = subscribe(&other, &group, 5).await;
    rig.publish(40..50).await;
    reader.expect_and_ack(40..50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limits_that_a_consumer_has_for_requests_are_kept() {
    let rig = Rig::start().await;
    for (name, limits) in [
        ("batch", json!({ "max_batch": 3 })),
        ("expires", json!({ "max_expires": 200_000_000 })),
        ("bytes", json!({ "max_bytes": 300 })),
    ] {
        let mut create = json!({
            "durable_name": name, "deliver_policy": "all", "ack_policy": "explicit",
            "ack_wait": 60_000_000_000_u64, "filter_subject": "events.>", "replay_policy": "instant",
        });
        let settings = create.as_object_mut().unwrap();
        settings.extend(limits.as_object().unwrap().clone());
        let call = format!("CONSUMER.CREATE.{STREAM}.{name}");
        rig.api(&call, json!({ "stream_name": STREAM, "config": create }))
            .await;
    }
    // The one asks what they are, the other hears of them when they are exceeded.
    for management in [Management::Allowed, Management::Never] {
        let nats = rig
            .connect_with(|options| options.management(management))
            .await;
        let begin = if management == Management::Allowed {
            0
        } else {
            10
        };
        rig.publish(begin..begin + 10).await;
        for name in ["batch", "expires", "bytes"] {
            let mut reader = subscribe(&nats, &durable(name), 10).await;
            reader.expect_and_ack(begin..begin + 10).await;
        }
    }
    // A wait that ends often is begun again each time.
    let nats = rig.connect().await;
    let mut reader = subscribe(&nats, &durable("expires"), 10).await;
    assert!(reader.ready().await.is_none());
    let later = tokio::time::timeout(Duration::from_millis(700), reader.item()).await;
    assert!(later.is_err(), "{later:?}");
    rig.publish([20]).await;
    reader.expect_and_ack([20]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_management_calls_only_a_durable_that_exists_is_served() {
    let rig = Rig::start().await;
    let nats = rig
        .connect_with(|options| options.management(Management::Never))
        .await;
    for name in [ConsumerName::Ephemeral, ConsumerName::Group("g".into())] {
        let error = try_subscribe(&nats, &config(name), 1).await.err().unwrap();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption);
        assert!(
            error
                .to_string()
                .contains("management calls are switched off"),
            "{error}"
        );
    }
    let error = nats.delete_consumer(STREAM, "d").await.unwrap_err();
    let unsupported = ErrorKind::Unsupported(Capability::ConsumerAdmin);
    assert_eq!(*error.kind(), unsupported, "{error}");
    // Nobody serves one that does not exist, and that is said.
    let mut missing = subscribe(&nats, &durable("missing"), 1).await;
    let error = missing.end().await;
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound);
    assert_eq!(error.consumer(), Some("missing"));
    assert_eq!(error.stream(), Some(STREAM));
    drop(subscribe(&rig.connect().await, &durable("d"), 1).await);
    // Where it starts was decided when it was created, whatever is asked for now.
    let mut later = durable("d");
    later.deliver = DeliverPolicy::ByStartSequence(15);
    let mut reader = subscribe(&nats, &later, 5).await;
    rig.publish(0..20).await;
    reader.expect_and_ack(0..20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_that_lies_ahead_is_awaited() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    for ack in [AckPolicy::Explicit, AckPolicy::None] {
        let mut ahead = config(ConsumerName::Ephemeral);
        ahead.ack = ack;
        let info = rig.api(&format!("STREAM.INFO.{STREAM}"), json!({})).await;
        let last = info["state"]["last_seq"].as_u64().unwrap();
        ahead.deliver = DeliverPolicy::ByStartSequence(last + 3);
        let mut reader = subscribe(&nats, &ahead, 5).await;
        rig.publish(1..6).await;
        for number in 3..6 {
            reader.expect(number).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_ran_out_of_deliveries_is_reported_whoever_had_it() {
    let rig = Rig::start().await;
    let nats = rig.connect().await;
    let mut few = durable("few");
    few.max_deliver = times(2);
    // Another has had the message, so this one does not know its subject.
    let mut other = subscribe(&rig.connect().await, &few, 1).await;
    rig.publish_to("events.poison", 7).await;
    for _ in 0..2 {
        let received = other.expect(7).await;
        settle(&received, Settlement::Nak(Duration::ZERO))
            .await
            .unwrap();
    }
    let mut reader = subscribe(&nats, &few, 1).await;
    // Each report goes to one of them.
    let report = tokio::select! {
        item = reader.item() => item,
        item = other.item() => item,
    };
    let Some(Ok(Incoming::Notice(report))) = report else {
        panic!("{report:?} came instead of a report");
    };
    let report = report.exhausted().expect("it ran out of deliveries");
    assert_eq!(report.subject.as_ref().unwrap().as_str(), "events.poison");
    assert_eq!((report.sequence, report.attempts), (1, 2));
}

#[tokio::test]
async fn a_start_in_the_year_9999_delivers_no_old_message() {
    let rig = Rig::start().await;
    rig.publish([1]).await;
    let nats = rig.connect().await;
    let mut config = durable("d");
    config.deliver = DeliverPolicy::ByStartTime(jiff::Timestamp::MAX);
    let mut reader = subscribe(&nats, &config, 8).await;
    rig.publish([2]).await;
    assert_eq!(body(&reader.next().await), 2);
}

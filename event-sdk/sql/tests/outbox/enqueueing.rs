//! Events are stored with the caller's transaction, and the relay is woken at its commit.

use std::time::Duration;

use event_sdk_sql::StoreErrorKind;
use sqlx::Connection as _;

use crate::database::{Db, FOREIGN_INSERT};
use crate::rig::{NoteTaken, OrderPlaced, Rig, Running, placed, wait_until};

#[tokio::test]
async fn what_is_committed_is_published_and_what_is_rolled_back_is_not() {
    let rig = Rig::new().await;
    rig.enqueue([placed("a", 1), placed("b", 1)]).await;
    let mut lost = rig.outbox.begin().await.expect("begin");
    let enqueued = rig.outbox.enqueue(&mut lost, placed("a", 2)).await;
    enqueued.expect("enqueue");
    lost.rollback().await.expect("rollback");
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1]), ("b", vec![1])]).await;
    rig.wait_for_marks(2).await;
    let report = relay.stop().await;
    assert_eq!((report.published, report.unmarked), (2, 0));
    assert_eq!(rig.count("true").await, 2);
}

#[tokio::test]
async fn the_envelope_is_made_when_the_event_is_enqueued() {
    let rig = Rig::new().await;
    let cause = rig.bus.publisher().prepare(placed("cause", 1));
    let mut tx = rig.outbox.begin().await.expect("begin");
    let before = event_sdk::time::Clock::now(&rig.clock);
    let enqueued = tx
        .publish(placed("a", 1))
        .caused_by(&cause)
        .metadata("shop", "7")
        .await
        .expect("enqueue");
    let after = event_sdk::time::Clock::now(&rig.clock);
    tx.commit().await.expect("commit");
    rig.clock.forward(Duration::from_hours(1));
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;

    let mut history = rig.bus.history::<OrderPlaced>().await.expect("history");
    let event = history.next().await.expect("an event").expect("an event");
    let head = event.head().expect("an envelope");
    assert_eq!(head.event_id.to_string(), enqueued.message_id());
    let micro = Duration::from_micros(1);
    assert!(head.timestamp >= before - micro && head.timestamp <= after);
    assert_eq!(head.metadata.causation_id, Some(cause.id().into()));
    assert_eq!(
        head.metadata.correlation_id,
        cause
            .head()
            .metadata
            .correlation_id
            .clone()
            .or(Some(cause.id().into()))
    );
    assert_eq!(head.metadata.get("shop"), Some("7"));
    assert_eq!(event.key().as_deref(), Some("a"));
}

#[tokio::test]
async fn every_kind_of_transaction_takes_events() {
    let rig = Rig::new().await;
    let outbox = &rig.outbox;
    let mut plain = rig.pool.begin().await.expect("begin");
    outbox
        .enqueue(&mut plain, placed("a", 1))
        .await
        .expect("a transaction of sqlx");
    plain.commit().await.expect("commit");
    let mut pooled = rig.pool.acquire().await.expect("acquire");
    outbox
        .enqueue(&mut pooled, placed("a", 2))
        .await
        .expect("a connection of the pool");
    let connection: &mut <Db as sqlx::Database>::Connection = &mut pooled;
    let mut nested = connection.begin().await.expect("begin");
    outbox
        .enqueue(&mut *nested, placed("a", 3))
        .await
        .expect("a connection");
    nested.commit().await.expect("commit");
    drop(pooled);
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1, 2, 3])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn the_commit_of_begin_and_an_insert_wake_the_relay() {
    let rig = Rig::new().await;
    // Without a hint, it would look once in an hour.
    let relay = Running::new(rig.relay().idle_poll(Duration::from_hours(1)));
    rig.enqueue([placed("a", 0)]).await;
    rig.wait_for(&[("a", vec![0])]).await;
    for n in 1..=5 {
        let mut tx = rig.outbox.begin().await.expect("begin");
        tx.publish(placed("a", n)).await.expect("enqueue");
        tx.commit().await.expect("commit");
        rig.wait_for(&[("a", (0..=n).collect())]).await;
    }
    let mut plain = rig.pool.begin().await.expect("begin");
    let enqueued = rig.outbox.enqueue(&mut plain, placed("a", 6)).await;
    enqueued.expect("enqueue");
    plain.commit().await.expect("commit");
    rig.wait_for(&[("a", (0..=6).collect())]).await;
    relay.stop().await;
}

#[tokio::test]
async fn other_languages_insert_with_one_statement() {
    let rig = Rig::new().await;
    rig.execute(FOREIGN_INSERT).await;
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_refused_before_the_commit() {
    let rig = Rig::new().await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    let large = "x".repeat(rig.bus.transport().capabilities().max_payload());
    let error = tx.publish(placed(&large, 1)).await.expect_err("too large");
    assert_eq!(error.kind(), StoreErrorKind::Event);
    let error = tx
        .publish(placed("a", 1))
        .cancel_key("later")
        .await
        .expect_err("a cancel key without a time");
    assert_eq!(error.kind(), StoreErrorKind::InvalidOption);
    let expecting = rig.bus.publisher().prepare(placed("a", 1));
    tx.publish(&expecting).await.expect("a prepared event");
    tx.commit().await.expect("commit");
    assert_eq!(rig.count("true").await, 1);
}

#[tokio::test]
async fn events_without_a_key_are_published_too() {
    let rig = Rig::new().await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    for n in 0..20 {
        tx.publish(NoteTaken { n }).await.expect("enqueue");
    }
    tx.commit().await.expect("commit");
    let relay = rig.start();
    rig.wait_for_marks(20).await;
    assert_eq!(relay.stop().await.published, 20);
    wait_until("all are in the stream", async || {
        let mut history = rig.bus.history::<NoteTaken>().await.expect("history");
        let mut found = std::collections::BTreeSet::new();
        while let Some(event) = history.next().await {
            found.insert(event.expect("an event").decode().expect("a note").n);
        }
        found.len() == 20
    })
    .await;
}

#[tokio::test]
async fn the_age_counts_from_the_insert_whatever_the_time_of_the_event_is() {
    let rig = Rig::new().await;
    let now = event_sdk::time::Clock::now(&rig.clock);
    let day = Duration::from_hours(24);
    let mut tx = rig.outbox.begin().await.expect("begin");
    let backdated = tx.publish(placed("a", 1)).occurred_at(now - day);
    backdated.await.expect("enqueue");
    // Scheduled rows wait for their time, and are not late.
    let later = tx.publish(placed("b", 1)).not_before(now + day);
    later.await.expect("enqueue");
    tx.commit().await.expect("commit");
    rig.clock.forward(Duration::from_hours(1));
    let age = rig.outbox.status().await.expect("a status").oldest_age;
    let age = age.expect("a row waits");
    let hours = Duration::from_hours(1)..Duration::from_hours(2);
    assert!(hours.contains(&age), "{age:?}");
}

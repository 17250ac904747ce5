//! Rows with a time before which they are not published, and their cancellation.

use std::time::Duration;

use event_sdk::time::Clock as _;

use crate::rig::{Rig, placed, wait_until};
use crate::script::Act;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_row_waits_for_its_time_and_takes_no_part_in_the_order() {
    let rig = Rig::new().await;
    let relay = rig.start();
    let mut tx = rig.outbox.begin().await.expect("begin");
    tx.publish(placed("a", 1))
        .after(HOUR)
        .await
        .expect("enqueue");
    tx.publish(placed("a", 2)).await.expect("enqueue");
    let past = rig.clock.now() - HOUR;
    tx.publish(placed("a", 3))
        .not_before(past)
        .await
        .expect("enqueue");
    tx.commit().await.expect("commit");
    rig.wait_for_marks(2).await;
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!(status.scheduled.rows(), 1);
    assert_eq!(status.depth.rows(), 0);
    rig.clock.forward(HOUR + Duration::from_secs(1));
    rig.wait_for_marks(3).await;
    let stored = rig.stored().await;
    let events = stored.get("a").expect("events");
    assert_eq!(events.last(), Some(&1));
    relay.stop().await;
}

#[tokio::test]
async fn what_is_cancelled_in_time_is_never_published() {
    let rig = Rig::new().await;
    let relay = rig.start();
    let mut tx = rig.outbox.begin().await.expect("begin");
    for n in 1..=2 {
        let enqueued = tx
            .publish(placed("a", n))
            .after(HOUR)
            .cancel_key("a-late")
            .await;
        enqueued.expect("enqueue");
    }
    tx.publish(placed("b", 1))
        .after(HOUR)
        .cancel_key("b-late")
        .await
        .expect("enqueue");
    tx.commit().await.expect("commit");
    let mut tx = rig.outbox.begin().await.expect("begin");
    assert_eq!(
        rig.outbox.cancel(&mut tx, "a-late").await.expect("cancel"),
        2
    );
    tx.commit().await.expect("commit");
    let mut connection = rig.pool.acquire().await.expect("acquire");
    let again = rig.outbox.cancel(&mut connection, "a-late").await;
    assert_eq!(again.expect("cancel"), 0);
    drop(connection);
    rig.clock.forward(HOUR * 2);
    rig.wait_for(&[("b", vec![1])]).await;
    let mut connection = rig.pool.acquire().await.expect("acquire");
    let late = rig.outbox.cancel(&mut connection, "b-late").await;
    assert_eq!(late.expect("cancel"), 0);
    relay.stop().await;
}

#[tokio::test]
async fn what_is_on_its_way_cannot_be_cancelled() {
    let rig = Rig::new().await;
    rig.script.set(|_| Act::Hang);
    let relay = rig.start();
    let mut tx = rig.outbox.begin().await.expect("begin");
    let past = rig.clock.now() - HOUR;
    let enqueued = tx
        .publish(placed("a", 1))
        .not_before(past)
        .cancel_key("a")
        .await;
    enqueued.expect("enqueue");
    tx.commit().await.expect("commit");
    wait_until("it is being sent", async || !rig.script.sent().is_empty()).await;
    let mut connection = rig.pool.acquire().await.expect("acquire");
    let late = rig.outbox.cancel(&mut connection, "a").await;
    assert_eq!(late.expect("cancel"), 0);
    drop(connection);
    // Another relay finishes what this one has begun.
    relay.kill().await;
    rig.script.set(|_| Act::Pass);
    rig.execute("update event_outbox_shards set until = 0")
        .await;
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_cancellation_that_is_rolled_back_has_no_effect() {
    let rig = Rig::new().await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    tx.publish(placed("a", 1))
        .after(HOUR)
        .cancel_key("a")
        .await
        .expect("enqueue");
    tx.commit().await.expect("commit");
    let mut tx = rig.outbox.begin().await.expect("begin");
    assert_eq!(rig.outbox.cancel(&mut tx, "a").await.expect("cancel"), 1);
    tx.rollback().await.expect("rollback");
    let relay = rig.start();
    rig.clock.forward(HOUR * 2);
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;
}

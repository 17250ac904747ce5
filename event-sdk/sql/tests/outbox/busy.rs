//! SQLite that is busy: an outage, after which the relay goes on.

use std::time::Duration;

use event_sdk_sql::StoreErrorKind;

use crate::database::open_with;
use crate::rig::{PATIENCE, Rig, placed, wait_until};

#[tokio::test]
async fn a_busy_database_is_an_outage_and_the_relay_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = open_with(&folder, 4, Duration::from_millis(50), PATIENCE).await;
    let rig = Rig::over(folder, pool);
    rig.outbox.migrate().await.expect("migrate");
    let relay = rig.start();
    enqueue_patiently(&rig).await;
    rig.wait_for_marks(1).await;
    let mut lock = lock(&rig).await;
    rig.outbox
        .enqueue(&mut lock, placed("a", 2))
        .await
        .expect("enqueue");
    let refused = rig.outbox.begin().await.expect_err("busy");
    assert_eq!(refused.kind(), StoreErrorKind::Busy);
    assert!(refused.is_outage());
    lock.commit().await.expect("commit");
    rig.wait_for(&[("a", vec![1, 2])]).await;
    rig.wait_for_marks(2).await;
    relay.stop().await;
}

/// Enqueues one event, again and again while the relay holds the database.
async fn enqueue_patiently(rig: &Rig) {
    wait_until("the database is free", async || {
        let Ok(mut tx) = rig.outbox.begin().await else {
            return false;
        };
        tx.publish(placed("a", 1)).await.is_ok() && tx.commit().await.is_ok()
    })
    .await;
}

/// A transaction that holds the database.
async fn lock(rig: &Rig) -> event_sdk_sql::Tx<event_sdk_sql::Sqlite> {
    loop {
        if let Ok(tx) = rig.outbox.begin().await {
            return tx;
        }
    }
}

#[tokio::test]
async fn a_relay_whose_lease_has_ended_goes_on_when_it_can_renew_it() {
    let rig = Rig::new().await;
    let relay = crate::relays::short(&rig);
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    let mut lock = rig.outbox.begin().await.expect("begin");
    wait_until("the lease has ended", async || {
        let ended = "select until < unixepoch('subsec') * 1000000
            from event_outbox_shards where shard = 0";
        sqlx::query_scalar::<_, bool>(ended)
            .fetch_one(&rig.pool)
            .await
            .expect("a lease")
    })
    .await;
    rig.outbox
        .enqueue(&mut lock, placed("a", 2))
        .await
        .expect("enqueue");
    lock.commit().await.expect("commit");
    wait_until("it goes on after a renewal", async || {
        rig.count("state = 2").await == 2
    })
    .await;
    relay.stop().await;
}

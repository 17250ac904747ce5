//! A database that is busy, exhausted or changed, and how the relay goes on.

use std::time::Duration;

use event_sdk_sql::{StoreErrorKind, Tables};

use crate::rig::{PATIENCE, Rig, open, placed, wait_until};

#[tokio::test]
async fn a_busy_database_is_an_outage_and_the_relay_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = open(&folder, 4, Duration::from_millis(50), PATIENCE).await;
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

#[tokio::test]
async fn an_exhausted_pool_is_an_outage_and_the_relay_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = open(&folder, 1, PATIENCE, Duration::from_secs(2)).await;
    let rig = Rig::over(folder, pool);
    rig.outbox.migrate().await.expect("migrate");
    let mut held = rig.outbox.begin().await.expect("begin");
    let refused = rig.outbox.begin().await.expect_err("no connection");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let relay = rig.start();
    held.publish(placed("a", 1)).await.expect("enqueue");
    let refused = rig.outbox.status().await.expect_err("no connection");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    held.commit().await.expect("commit");
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_full_database_is_an_outage_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = open(&folder, 1, PATIENCE, PATIENCE).await;
    let rig = Rig::over(folder, pool);
    rig.outbox.migrate().await.expect("migrate");
    rig.enqueue([placed("a", 1)]).await;
    let pages: i64 = sqlx::query_scalar("pragma page_count")
        .fetch_one(&rig.pool)
        .await
        .expect("pages");
    let limit = format!("pragma max_page_count = {pages}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(limit))
        .execute(&rig.pool)
        .await
        .expect("a limit");
    let mut tx = rig.outbox.begin().await.expect("begin");
    let large = "x".repeat(200_000);
    let full = tx.publish(placed("b", 1)).metadata("note", large).await;
    assert_eq!(full.expect_err("full").kind(), StoreErrorKind::Full);
    drop(tx);
    rig.execute("pragma max_page_count = 1000000").await;
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_row_that_is_deleted_by_hand_while_it_is_published_stops_nothing() {
    let rig = Rig::new().await;
    let pool = rig.pool.clone();
    rig.script.set(move |event| {
        if event.n == 1 {
            crate::script::Act::LoseConfirmation
        } else {
            crate::script::Act::Pass
        }
    });
    let relay = rig.start();
    rig.enqueue([placed("a", 1), placed("b", 2)]).await;
    wait_until("the first was sent", async || !rig.script.sent().is_empty()).await;
    sqlx::query("delete from event_outbox where key = 'a'")
        .execute(&pool)
        .await
        .expect("delete");
    rig.script.set(|_| crate::script::Act::Pass);
    rig.enqueue([placed("a", 3)]).await;
    wait_until("the rest is marked", async || {
        rig.count("state = 0").await == 0
    })
    .await;
    let stored = rig.stored().await;
    assert_eq!(stored.get("a"), Some(&vec![1, 3]));
    relay.stop().await;
}

#[tokio::test]
async fn a_table_that_disappears_ends_the_relay_with_the_reason() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    rig.execute("drop table event_outbox").await;
    let error = relay.failure().await;
    assert_eq!(error.kind(), StoreErrorKind::SchemaMissing);
}

#[test]
fn names_that_are_sql_are_refused() {
    let refused = Tables::new().with_prefix("x\"; drop table orders; --");
    assert!(
        refused
            .expect_err("no name")
            .to_string()
            .contains("lower-case")
    );
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

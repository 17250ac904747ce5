//! A full disk is an outage: no attempt is counted, nothing is given up, and afterwards each event has its
//! effect once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event_sdk::consumer::ProbeInterval;
use event_sdk_sql::{EffectTx, Inbox};
use sqlx::AssertSqlSafe;

use crate::database::Db;
use crate::rig::{OrderPlaced, Rig, eventually, placed, write_invoice};

#[tokio::test]
async fn no_attempt_is_counted_while_the_disk_is_full() {
    let rig = Rig::new().await;
    // The limit is one of the connection.
    let pool = rig.database.pool(1, Duration::from_secs(5)).await;
    let limit = async |pages: i64| {
        let limit = format!("pragma max_page_count = {pages}");
        let limit = sqlx::raw_sql(AssertSqlSafe(limit));
        limit.execute(&pool).await.unwrap();
    };
    let pages = sqlx::query_scalar("pragma page_count").fetch_one(&pool);
    limit(pages.await.unwrap()).await;
    rig.place_orders(1..=3).await;
    let inbox = Inbox::new(pool.clone());
    let started = Arc::<AtomicU32>::default();
    let counter = Arc::clone(&started);
    let effect = inbox.effect(move |event: OrderPlaced, mut tx: EffectTx<Db>| {
        counter.fetch_add(1, Ordering::Relaxed);
        async move {
            let long = placed(&"Ada ".repeat(50_000), event.order);
            write_invoice(&mut tx, &long).await?;
            tx.commit().await
        }
    });
    let consumer = rig
        .consumer()
        .probe_interval(ProbeInterval::every(Duration::from_millis(20)))
        .dead_letters(inbox.dead_letters())
        .on_handler(effect);
    let watched = rig.share();
    let running = tokio::spawn(consumer.run_until(async move { watched.settled().await }));
    eventually("effects are refused", async || {
        started.load(Ordering::Relaxed) >= 2
    })
    .await;
    assert_eq!(rig.invoices().await, [0_i64; 0]);
    limit(1_000_000).await;
    let report = running.await.unwrap().unwrap();
    assert!(report.outages > 0, "{report}");
    assert_eq!(
        (report.handled, report.failed_attempts, report.dead_lettered),
        (3, 0, 0),
        "{report}"
    );
    assert_eq!(rig.invoices().await, [1, 2, 3]);
    assert_eq!(rig.records().await, (3, 0));
}

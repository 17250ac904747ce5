//! A full disk is an outage: no attempt is counted, nothing is given up, and afterwards each event has its
//! effect once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use event_sdk::consumer::ProbeInterval;
use event_sdk_sql::{EffectTx, Inbox};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, SqliteConnection, SqlitePool};

use crate::database::{Database, Db};
use crate::rig::{OrderPlaced, Rig, eventually, placed, write_invoice};

/// The most pages that the file of a database may have. A clone is the same.
#[derive(Clone)]
struct Disk(Arc<AtomicI64>);

impl Disk {
    /// Room for all that a test writes.
    const ROOM: i64 = 1_000_000;

    /// A pool whose connections have the limit that holds when they are acquired. SQLite has it by
    /// connection, and a connection that met the limit is closed.
    async fn pool(&self, database: &Database) -> SqlitePool {
        let patience = Duration::from_secs(5);
        let (of_new, of_idle) = (self.clone(), self.clone());
        SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(patience)
            .after_connect(move |connection, _| {
                let disk = of_new.clone();
                Box::pin(async move { disk.limit(connection).await })
            })
            .before_acquire(move |connection, _| {
                let disk = of_idle.clone();
                Box::pin(async move { disk.limit(connection).await.map(|()| true) })
            })
            .connect_with(database.options(patience))
            .await
            .unwrap()
    }

    async fn limit(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let pages = self.0.load(Ordering::Relaxed);
        let limit = AssertSqlSafe(format!("pragma max_page_count = {pages}"));
        sqlx::raw_sql(limit).execute(connection).await.map(drop)
    }
}

#[tokio::test]
async fn no_attempt_is_counted_while_the_disk_is_full() {
    let rig = Rig::new().await;
    let disk = Disk(Arc::new(AtomicI64::new(Disk::ROOM)));
    let pool = disk.pool(&rig.database).await;
    let pages = sqlx::query_scalar("pragma page_count").fetch_one(&pool);
    disk.0.store(pages.await.unwrap(), Ordering::Relaxed);
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
    disk.0.store(Disk::ROOM, Ordering::Relaxed);
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

//! The outbox behind a proxy that gives each transaction another connection, and several relays that
//! share the shards.

use std::collections::BTreeSet;

use event_sdk_sql::{Outbox, WhichParked};
use event_sdk_test_servers::postgres::{Pooler, Postgres};

use crate::database::{Db, connect};
use crate::rig::{Rig, Running, placed, wait_until};
use crate::script::Act;

#[tokio::test]
async fn everything_works_behind_a_pool_of_transactions() {
    let server = Postgres::shared().await.expect("a server");
    let pooler = Pooler::start(server).await.expect("a pooler");
    let database = server.database().await.expect("a database");
    let pool = connect(&pooler.url(&database)).await;
    let rig = Rig::over(database, pool);
    rig.outbox.migrate().await.expect("migrate");
    rig.script
        .set(|event| match (event.order.as_str(), event.n) {
            ("a", 3) => Act::Fail(event_sdk::transport::ErrorKind::InvalidHeader),
            _ => Act::Pass,
        });
    let relay = rig.start();
    for n in 0..10 {
        rig.enqueue(["a", "b"].map(|key| placed(key, n))).await;
    }
    wait_until("the key is parked", async || {
        rig.count("state = 1").await == 7
    })
    .await;
    rig.script.set(|_| Act::Pass);
    rig.outbox
        .retry_parked(WhichParked::All)
        .await
        .expect("a retry");
    rig.wait_for(&[("a", (0..10).collect()), ("b", (0..10).collect())])
        .await;
    rig.wait_for_marks(20).await;
    rig.outbox.status().await.expect("a status");
    relay.stop().await;
    assert!(pooler.transactions() > 20);
}

#[tokio::test]
async fn named_statements_do_the_same() {
    let rig = Rig::new().await;
    let outbox = Outbox::<Db>::new(rig.pool.clone(), rig.bus.clone()).named_statements();
    let relay = Running::new(outbox.relay());
    for n in 0..10 {
        let mut tx = outbox.begin().await.expect("begin");
        tx.publish(placed("a", n)).await.expect("enqueue");
        tx.commit().await.expect("commit");
    }
    rig.wait_for(&[("a", (0..10).collect())]).await;
    relay.stop().await;
}

#[tokio::test]
async fn relays_share_the_shards() {
    let rig = Rig::new().await;
    let relays: Vec<_> = (0..3).map(|_| rig.start()).collect();
    wait_until("each has its share", async || {
        let owned: Vec<i64> = sqlx::query_scalar(
            "select count(*) from event_outbox_shards where shard >= 0 group by owner",
        )
        .fetch_all(&rig.pool)
        .await
        .expect("shards");
        owned.len() == 3 && owned.iter().all(|shards| (20..=22).contains(shards))
    })
    .await;
    let events = (0..300_u32).map(|n| placed(&format!("k{}", n % 50), n));
    rig.enqueue(events).await;
    rig.wait_for_marks(300).await;
    let stored = rig.stored().await;
    assert!(stored.values().all(|events| events.is_sorted()));
    let shards: Vec<i16> = sqlx::query_scalar("select distinct shard from event_outbox")
        .fetch_all(&rig.pool)
        .await
        .expect("shards");
    let shards: BTreeSet<_> = shards.into_iter().collect();
    assert!(shards.len() > 20, "{shards:?}");
    for relay in relays {
        relay.stop().await;
    }
}

#[tokio::test]
async fn a_transaction_that_commits_late_is_not_skipped() {
    let rig = Rig::new().await;
    let relay = rig.start();
    let mut late = rig.outbox.begin().await.expect("begin");
    late.publish(placed("late", 1)).await.expect("enqueue");
    for n in 0..20 {
        rig.enqueue([placed("a", n)]).await;
    }
    rig.wait_for_marks(20).await;
    late.publish(placed("late", 2)).await.expect("enqueue");
    late.commit().await.expect("commit");
    rig.wait_for(&[("a", (0..20).collect()), ("late", vec![1, 2])])
        .await;
    relay.stop().await;
}

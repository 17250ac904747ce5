//! A status beside a transaction with an old snapshot, which keeps the index entries of published rows: it
//! begins above them, and misses no row.

use std::time::Duration;

use sqlx::PgConnection;

use crate::database::open;
use crate::rig::{Rig, placed, wait_until};

const PUBLISHED: i64 = 2_000;

const FILL: &str = "insert into event_outbox (key, subject, message_id, body)
    select 'k' || n, 'events.orders.order.placed', 'row-' || n, ''
    from generate_series(1, 2000) as n";

const PUBLISH: &str = "update event_outbox set state = 2, published_at = 1 where state = 0";

/// How many entries of the index of ready rows were read so far, by this connection too.
async fn entries_read(connection: &mut PgConnection) -> i64 {
    let flush = sqlx::raw_sql("select pg_stat_force_next_flush()");
    flush.execute(&mut *connection).await.expect("a flush");
    let read = "select idx_tup_read from pg_stat_user_indexes
        where indexrelname = 'event_outbox_ready'";
    let read = sqlx::query_scalar(read).fetch_one(connection).await;
    read.expect("a count")
}

#[tokio::test]
async fn a_status_does_not_pass_published_rows_that_an_old_snapshot_keeps_again_and_again() {
    let (home, others) = open().await;
    // One connection, of which the statistics are known.
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let pool = pool.connect(&home.url()).await.expect("a pool");
    let rig = Rig::over(home, pool);
    rig.outbox.migrate().await.expect("migrate");
    rig.execute(FILL).await;
    let mut snapshot = others.begin().await.expect("begin");
    for sql in [
        "set transaction isolation level repeatable read",
        "select count(*) from event_outbox",
    ] {
        let read = sqlx::raw_sql(sql).execute(&mut *snapshot).await;
        read.expect("a snapshot");
    }
    rig.execute(PUBLISH).await;
    rig.enqueue([placed("a", 1), placed("a", 2), placed("b", 1)])
        .await;
    wait_until("a status passes few entries", async || {
        let mut connection = rig.pool.acquire().await.expect("the connection");
        let before = entries_read(&mut connection).await;
        drop(connection);
        let status = rig.outbox.status().await.expect("a status");
        assert_eq!(status.depth.rows(), 3);
        assert!(status.oldest_age.expect("a row waits") < Duration::from_mins(5));
        let mut connection = rig.pool.acquire().await.expect("the connection");
        let read = entries_read(&mut connection).await - before;
        assert!(read > 0);
        read < PUBLISHED / 10
    })
    .await;
    snapshot.rollback().await.expect("rollback");
}

#[tokio::test]
async fn a_status_counts_a_row_that_is_committed_late() {
    let rig = Rig::new().await;
    let mut late = rig.outbox.begin().await.expect("begin");
    late.publish(placed("late", 1)).await.expect("enqueue");
    rig.enqueue([placed("a", 1), placed("b", 1)]).await;
    rig.execute(PUBLISH).await;
    // Long enough for several looks at the transactions that insert.
    let begun = std::time::Instant::now();
    wait_until("several statuses", async || {
        let status = rig.outbox.status().await.expect("a status");
        assert_eq!(status.depth.rows(), 0);
        begun.elapsed() > Duration::from_millis(350)
    })
    .await;
    late.commit().await.expect("commit");
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!(status.depth.rows(), 1);
    assert!(status.oldest_age.is_some());
}

#[tokio::test]
async fn a_status_counts_rows_that_are_ready_again() {
    let rig = Rig::new().await;
    rig.enqueue([placed("a", 1), placed("a", 2), placed("b", 1)])
        .await;
    rig.execute(PUBLISH).await;
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!(status.depth.rows(), 0);
    rig.enqueue([placed("c", 1)]).await;
    // As another process does it.
    rig.execute("update event_outbox set state = 0, published_at = null where key = 'a'")
        .await;
    wait_until("all are counted", async || {
        let status = rig.outbox.status().await.expect("a status");
        status.depth.rows() == 3
    })
    .await;
}

//! A transaction that is dropped while it begins is not left open on a connection of the pool.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use sqlx::PgPool;

use crate::database::open;
use crate::rig::{Rig, wait_until};

/// Polls a future at most this often, and drops it. Whether it was ready.
async fn poll_times<T>(future: impl Future<Output = T>, mut polls: usize) -> bool {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(false);
        }
        polls -= 1;
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

async fn open_transactions(observer: &PgPool) -> i64 {
    let open = "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    let open = sqlx::query_scalar(open).fetch_one(observer);
    open.await.expect("the activity")
}

#[tokio::test]
async fn what_is_dropped_while_it_begins_leaves_no_transaction_open() {
    let (home, pool) = open().await;
    let observer = PgPool::connect(&home.url()).await.expect("an observer");
    let outbox = Rig::over(home.clone(), pool).outbox;
    // On a busy machine the answers may be there before they are asked for, so that it begins at once.
    wait_until("a transaction that begins in steps", async || {
        let mut polls = 1;
        while !poll_times(outbox.begin(), polls).await {
            let what = format!("no transaction after {polls} polls");
            wait_until(&what, async || open_transactions(&observer).await == 0).await;
            polls += 1;
        }
        polls > 1
    })
    .await;
}

//! A pool without a free connection: an outage that counts as no attempt, and says what to do.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_sdk::consumer::{
    Ctx, FailureClass, Handle, Inbox as ConsumerInbox, Outcome, ProbeInterval,
};
use event_sdk_sql::Inbox;
use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::sync::oneshot;

use crate::database::Db;
use crate::rig::{OrderPlaced, Rig, billing, eventually};

#[tokio::test]
async fn an_exhausted_pool_counts_as_no_attempt() {
    let rig = Rig::new().await;
    // Long enough for a loaded machine that has to use the connection, and short enough to be refused.
    let pool = rig.database.pool(1, Duration::from_secs(3)).await;
    let inbox = Inbox::new(pool.clone());
    let consumer = || {
        rig.consumer()
            .probe_interval(ProbeInterval::every(Duration::from_millis(50)))
            .dead_letters(inbox.dead_letters())
    };
    // The check at start needs a connection, too: an outage of its own.
    let other = acquired(&pool).await;
    rig.place_orders([1]).await;
    let refused = consumer().handled_by(inbox.effects(billing())).run().await;
    let refused = refused.unwrap_err();
    assert!(refused.is_transient(), "{refused}");
    let text = refused.to_string();
    assert!(
        text.contains("pool") && text.contains("more connections") && text.contains("billing"),
        "{text}"
    );
    drop(other);

    let outages = Arc::<Mutex<Vec<String>>>::default();
    let watched = Watched {
        handler: inbox.effects(billing()),
        inbox: inbox.as_consumer_inbox(),
        outages: Arc::clone(&outages),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let running = consumer()
        .on_handler(watched)
        .run_until(async { drop(stopped.await) });
    let running = tokio::spawn(running);
    eventually("the first effect", async || rig.invoices().await == [1]).await;
    // Of this size the pool has no other connection.
    let other = acquired(&pool).await;
    rig.place_orders([2, 3]).await;
    let seen = || outages.lock().unwrap().clone();
    eventually("effects are refused", async || seen().len() >= 2).await;
    assert_eq!(rig.invoices().await, [1]);
    drop(other);
    rig.settled().await;
    drop(stop);
    let report = running.await.unwrap().unwrap();
    for text in seen() {
        assert!(text.contains("the pool has no free connection"), "{text}");
    }
    assert!(report.outages > 0, "{report}");
    assert_eq!(
        (report.handled, report.failed_attempts, report.dead_lettered),
        (3, 0, 0),
        "{report}"
    );
    assert_eq!(rig.invoices().await, [1, 2, 3]);
    assert_eq!(rig.records().await, (3, 0));
}

/// The connection of the pool, for which others may wait.
async fn acquired(pool: &Pool<Db>) -> PoolConnection<Db> {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        match pool.acquire().await {
            Ok(connection) => return connection,
            Err(error) => assert!(Instant::now() < deadline, "not within a minute: {error}"),
        }
    }
}

/// A handler with an inbox, and the outages that it had.
struct Watched<H> {
    handler: H,
    inbox: Arc<dyn ConsumerInbox>,
    outages: Arc<Mutex<Vec<String>>>,
}

impl<H: Handle<OrderPlaced>> Handle<OrderPlaced> for Watched<H> {
    async fn handle(&self, event: OrderPlaced, ctx: &Ctx) -> Outcome {
        let outcome = self.handler.handle(event, ctx).await;
        if let Err(failure) = &outcome {
            assert_eq!(failure.class(), FailureClass::Outage, "{failure:?}");
            self.outages.lock().unwrap().push(failure.to_string());
        }
        outcome
    }

    fn inbox(&self) -> Option<Arc<dyn ConsumerInbox>> {
        Some(Arc::clone(&self.inbox))
    }
}

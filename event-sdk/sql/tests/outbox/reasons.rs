//! The five reasons for which `PrintStash` (issue 181) rejected two queues: none of them holds here.

use std::time::Duration;

use event_sdk::consumer::Retry;
use event_sdk::transport::ErrorKind;
use event_sdk_sql::{ParkReason, WhichParked};
use event_sdk_store::outbox::{ConfirmedRow, OutboxRow, RelayId, ShardLease, ShardPosition};

use crate::rig::{Rig, Running, placed, wait_until};
use crate::script::Act;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_hours(1);

/// A relay of which only the store knows.
struct Owner {
    relay: RelayId,
    leases: Vec<ShardLease>,
}

impl Owner {
    /// It claims all shards, as soon as their leases have ended.
    async fn new(rig: &Rig, lease: Duration) -> Self {
        let (store, relay) = (rig.outbox.store(), RelayId::random());
        let leases = std::cell::RefCell::new(Vec::new());
        wait_until("all shards are claimed", async || {
            let more = store.claim(relay, lease, u16::MAX).await.expect("a claim");
            leases.borrow_mut().extend(more);
            leases.borrow().len() == usize::from(store.shards())
        })
        .await;
        let leases = leases.into_inner();
        Self { relay, leases }
    }

    fn lease(&self, row: &OutboxRow) -> ShardLease {
        let lease = self.leases.iter().find(|lease| lease.shard == row.shard);
        *lease.expect("all shards are owned")
    }

    /// Marks a row. Returns the ids that the store has marked.
    async fn mark(&self, rig: &Rig, row: &OutboxRow, sequence: u64) -> Vec<i64> {
        let mut confirmed = ConfirmedRow::new(row.id, row.shard, self.lease(row).epoch);
        confirmed.stream = Some("ALL".into());
        confirmed.sequence = Some(sequence);
        let (store, now) = (rig.outbox.store(), event_sdk::time::Clock::now(&rig.clock));
        let marked = store.mark_published(self.relay, vec![confirmed], now).await;
        marked.expect("an answer")
    }
}

async fn first_ready(rig: &Rig) -> OutboxRow {
    let store = rig.outbox.store();
    let shards = 0..store.shards();
    let positions = shards.map(|shard| ShardPosition {
        shard,
        from: 0,
        floor: i64::MIN,
    });
    let rows = store.fetch(positions.collect(), 1).await.expect("rows");
    rows.into_iter().next().expect("a row")
}

#[tokio::test]
async fn a_delayed_acknowledgement_does_not_overwrite_that_of_its_successor() {
    let rig = Rig::new().await;
    rig.enqueue([placed("a", 1)]).await;
    let slow = Owner::new(&rig, SHORT).await;
    let row = first_ready(&rig).await;
    let successor = Owner::new(&rig, LONG).await;
    assert_eq!(successor.mark(&rig, &row, 7).await, [row.id]);
    assert_eq!(slow.mark(&rig, &row, 3).await, [0_i64; 0]);
    assert_eq!(rig.count("state = 2 and sequence = 7").await, 1);
}

#[tokio::test]
async fn no_completion_is_accepted_after_the_lease_has_expired_and_another_has_it() {
    let rig = Rig::new().await;
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    let expired = Owner::new(&rig, SHORT).await;
    let row = first_ready(&rig).await;
    let successor = Owner::new(&rig, SHORT).await;
    let (store, lease) = (rig.outbox.store(), expired.lease(&row));
    assert_eq!(expired.mark(&rig, &row, 3).await, [0_i64; 0]);
    let reason = ParkReason::new("reject", "too late", 1);
    let now = event_sdk::time::Clock::now(&rig.clock);
    assert!(!store.park(lease, row.id, reason, now).await.expect("parks"));
    let recorded = store.record_failure(lease, row.id, 9).await;
    assert!(!recorded.expect("an answer"));
    let moved = store.park_behind(lease, "a".to_owned(), 10).await;
    assert_eq!(moved.expect("an answer"), 0);
    assert_eq!(rig.count("state = 0 and attempts = 0").await, 2);
    drop(successor);
    let relay = crate::relays::short(&rig);
    rig.wait_for(&[("a", vec![1, 2])]).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_and_a_relay_get_no_busy_error() {
    let rig = std::sync::Arc::new(Rig::new().await);
    let relay = rig.start();
    let writers = (0..4).map(|writer| {
        let rig = std::sync::Arc::clone(&rig);
        tokio::spawn(async move {
            for n in 0..25 {
                // Reads before it writes, which fails in a transaction that is not begun for writing.
                let mut tx = rig.outbox.begin().await.expect("begin");
                let count = sqlx::query("select count(*) from event_outbox").persistent(false);
                count.fetch_one(&mut *tx).await.expect("a count");
                let event = placed(&format!("w{writer}"), n);
                tx.publish(event).await.expect("enqueue");
                tx.commit().await.expect("commit");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no error");
    }
    rig.wait_for_marks(100).await;
    assert_eq!(relay.stop().await.published, 100);
}

#[tokio::test]
async fn enqueue_joins_the_transaction_of_the_caller() {
    let rig = Rig::new().await;
    rig.execute("create table shop (n integer)").await;
    for (n, is_committed) in [(1, true), (2, false)] {
        // Any transaction of sqlx.
        let mut tx = rig.pool.begin().await.expect("begin");
        let order = sqlx::query("insert into shop (n) values ($1)").persistent(false);
        order.bind(n).execute(&mut *tx).await.expect("an order");
        let event = placed("a", u32::try_from(n).expect("it is small"));
        rig.outbox.enqueue(&mut tx, event).await.expect("enqueue");
        if is_committed {
            tx.commit().await.expect("commit");
        } else {
            tx.rollback().await.expect("rollback");
        }
    }
    assert_eq!(rig.count("true").await, 1);
    let orders = "(select count(*) from shop) = 1 and (select max(n) from shop) = 1";
    assert_eq!(rig.count(orders).await, 1);
    let relay = rig.start();
    rig.wait_for(&[("a", vec![1])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_failure_that_can_be_retried_is_not_stranded() {
    let rig = Rig::new().await;
    rig.script.set(|_| Act::Fail(ErrorKind::NoStream));
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    // The relay ends between two attempts, without giving anything back.
    let retry = Retry::steps([Duration::from_mins(10)]).max_attempts(5);
    let relay = Running::new(
        rig.relay()
            .retry(retry)
            .lease(Duration::from_secs(1))
            .publish_timeout(Duration::from_millis(400)),
    );
    wait_until("an attempt is noted", async || {
        rig.count("attempts = 1").await == 1
    })
    .await;
    relay.kill().await;
    // Another one makes the other attempts, and parks the row: it is listed, and can be retried.
    let relay = crate::relays::short(&rig);
    wait_until("the key is parked", async || {
        rig.count("state = 1").await == 2
    })
    .await;
    let parked = rig.outbox.parked(0, 10).await.expect("parked entries");
    assert_eq!((parked.len(), parked[0].reason.attempts), (1, 3));
    rig.script.set(|_| Act::Pass);
    let retried = rig.outbox.retry_parked(WhichParked::All).await;
    assert_eq!(retried.expect("a retry"), 1);
    rig.wait_for(&[("a", vec![1, 2])]).await;
    rig.wait_for_marks(2).await;
    relay.stop().await;
}

//! A full disk: each statement that writes is refused with the error that PostgreSQL gives (SQLSTATE 53100).
//! That is an outage for writers and relays, after which both go on. If the disk of the log (WAL) is full,
//! PostgreSQL itself ends: see `restarted`.

use std::time::Duration;

use event_sdk::transport::ErrorKind;
use event_sdk_sql::StoreErrorKind;

use crate::rig::{Rig, placed, wait_until};
use crate::script::Act;

/// Counts the refused statements in a sequence, which no rollback sets back.
const FULL: &str = r#"
    create sequence refused;
    create function disk_is_full() returns trigger language plpgsql as $$ begin
        perform nextval('refused');
        raise exception 'could not extend file "base/16384/16385": No space left on device'
            using errcode = '53100', hint = 'Check free disk space.';
    end $$"#;

impl Rig {
    async fn with_full_disk() -> Self {
        let rig = Self::new().await;
        rig.execute(FULL).await;
        rig
    }

    /// From now on the disk has no room for this: `insert on event_outbox`.
    async fn refuse(&self, what: &str) {
        let sql = format!(
            "create trigger full_disk before {what} for each row execute function disk_is_full()"
        );
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&self.pool);
        refused.await.expect("a trigger");
    }

    /// The disk has room again.
    async fn accept(&self, what: &str) {
        let table = what.rsplit(' ').next().expect("a table");
        let sql = format!("drop trigger full_disk on {table}");
        let accepted = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&self.pool);
        accepted.await.expect("no trigger");
    }

    /// Waits until statements were refused, the last one after a pause.
    async fn wait_for_refusals(&self) {
        wait_until("statements are refused", async || {
            let count = "select last_value from refused where is_called and last_value >= 2";
            let count = sqlx::query_scalar::<_, i64>(count).persistent(false);
            let count = count.fetch_optional(&self.pool).await.expect("a count");
            count.is_some()
        })
        .await;
    }
}

#[tokio::test]
async fn on_a_full_disk_neither_order_nor_event_is_stored_and_the_error_says_why() {
    let rig = Rig::with_full_disk().await;
    rig.execute("create table shop (n integer)").await;
    rig.refuse("insert on event_outbox").await;
    for n in [1, 2] {
        if n == 2 {
            rig.accept("insert on event_outbox").await;
        }
        let mut tx = rig.outbox.begin().await.expect("begin");
        let order = sqlx::query("insert into shop (n) values ($1)").persistent(false);
        let order = order.bind(i32::try_from(n).expect("it is small"));
        order.execute(&mut *tx).await.expect("an order");
        let stored = tx.publish(placed("a", n)).await;
        if n == 1 {
            let full = stored.expect_err("the disk is full");
            assert_eq!(full.kind(), StoreErrorKind::Full);
            assert!(
                full.is_outage() && full.to_string().contains("disk"),
                "{full}"
            );
            drop(tx);
        } else {
            stored.expect("enqueue");
            tx.commit().await.expect("commit");
        }
    }
    let orders = "(select count(*) from shop) = 1 and (select max(n) from shop) = 2";
    assert_eq!(rig.count(orders).await, 1);
    let relay = rig.start();
    rig.wait_for(&[("a", vec![2])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn marks_that_a_full_disk_refuses_are_written_later_and_no_row_is_published_twice() {
    let rig = Rig::with_full_disk().await;
    let relay = rig.start();
    rig.refuse("update on event_outbox").await;
    rig.enqueue([placed("a", 1), placed("b", 1), placed("a", 2)])
        .await;
    rig.wait_for_refusals().await;
    rig.enqueue([placed("a", 3)]).await;
    assert_eq!(rig.count("state = 2").await, 0);
    rig.accept("update on event_outbox").await;
    rig.wait_for_marks(4).await;
    let report = relay.stop().await;
    assert_eq!(
        (report.published, report.parked, report.unmarked),
        (4, 0, 0)
    );
    let sent = rig.script.sent();
    assert_eq!(sent.len(), 4, "{sent:?}");
    rig.wait_for(&[("a", vec![1, 2, 3]), ("b", vec![1])]).await;
}

#[tokio::test]
async fn a_relay_that_is_killed_beside_a_full_disk_leaves_its_rows_to_the_next_one() {
    let rig = Rig::with_full_disk().await;
    rig.refuse("update on event_outbox").await;
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    let relay = crate::relays::short(&rig);
    rig.wait_for_refusals().await;
    relay.kill().await;
    rig.accept("update on event_outbox").await;
    let relay = crate::relays::short(&rig);
    rig.wait_for_marks(2).await;
    // The stream drops the copy of what was published and not marked.
    rig.wait_for(&[("a", vec![1, 2])]).await;
    assert_eq!(relay.stop().await.parked, 0);
}

#[tokio::test]
async fn a_relay_that_cannot_renew_its_lease_on_a_full_disk_goes_on_when_it_can() {
    let rig = Rig::with_full_disk().await;
    let relay = crate::relays::short(&rig);
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    rig.refuse("update on event_outbox_shards").await;
    rig.wait_for_refusals().await;
    rig.enqueue([placed("a", 2)]).await;
    wait_until("the leases have ended", async || {
        let ended = "not exists (select 1 from event_outbox_shards
            where until > extract(epoch from clock_timestamp()) * 1000000)";
        rig.count(ended).await > 0
    })
    .await;
    rig.accept("update on event_outbox_shards").await;
    rig.wait_for_marks(2).await;
    rig.wait_for(&[("a", vec![1, 2])]).await;
    assert_eq!(relay.stop().await.parked, 0);
}

#[tokio::test]
async fn a_row_is_parked_when_a_full_disk_has_room_again() {
    let rig = Rig::with_full_disk().await;
    rig.script.set(|event| match event.order.as_str() {
        "a" => Act::Fail(ErrorKind::InvalidSubject),
        _ => Act::Pass,
    });
    rig.refuse("insert on event_outbox_parked").await;
    rig.enqueue([placed("a", 1), placed("a", 2), placed("b", 1)])
        .await;
    let relay = rig.start();
    rig.wait_for_refusals().await;
    assert_eq!(rig.count("state = 1").await, 0);
    rig.accept("insert on event_outbox_parked").await;
    wait_until("the key is parked", async || {
        rig.count("state = 1").await == 2
    })
    .await;
    rig.wait_for(&[("b", vec![1])]).await;
    assert_eq!(relay.stop().await.parked, 1);
}

#[tokio::test]
async fn a_cleaner_that_a_full_disk_refuses_goes_on_later() {
    let rig = Rig::with_full_disk().await;
    let window = Duration::from_millis(1_500);
    let relay = rig.relay().lease(Duration::from_secs(1));
    let relay = relay.publish_timeout(Duration::from_millis(400));
    let relay = relay.duplicate_window(window).keep_published(window);
    rig.refuse("delete on event_outbox").await;
    let relay = crate::rig::Running::new(relay);
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    rig.clock.forward(Duration::from_mins(1));
    rig.wait_for_refusals().await;
    rig.enqueue([placed("a", 2)]).await;
    rig.wait_for(&[("a", vec![1, 2])]).await;
    rig.accept("delete on event_outbox").await;
    rig.clock.forward(Duration::from_mins(1));
    wait_until("both are deleted", async || rig.count("true").await == 0).await;
    relay.stop().await;
}

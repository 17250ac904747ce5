//! A full disk: each statement that writes is refused. That is an outage for writers and relays, after which
//! both go on.

use std::time::Duration;

use event_sdk::transport::ErrorKind;
use event_sdk_sql::StoreErrorKind;

use crate::full_disk::FullDisk;
use crate::rig::{placed, wait_until};
use crate::script::Act;

#[tokio::test]
async fn on_a_full_disk_neither_order_nor_event_is_stored_and_the_error_says_why() {
    let (rig, disk) = FullDisk::new().await;
    rig.execute("create table shop (n integer)").await;
    disk.refuse(&rig, "insert on event_outbox").await;
    for n in [1, 2] {
        if n == 2 {
            disk.accept(&rig, "insert on event_outbox").await;
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
    let (rig, disk) = FullDisk::new().await;
    let relay = rig.start();
    disk.refuse(&rig, "update on event_outbox").await;
    rig.enqueue([placed("a", 1), placed("b", 1), placed("a", 2)])
        .await;
    disk.wait_for_refusals(&rig).await;
    rig.enqueue([placed("a", 3)]).await;
    assert_eq!(rig.count("state = 2").await, 0);
    disk.accept(&rig, "update on event_outbox").await;
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
    let (rig, disk) = FullDisk::new().await;
    disk.refuse(&rig, "update on event_outbox").await;
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    let relay = crate::relays::short(&rig);
    disk.wait_for_refusals(&rig).await;
    relay.kill().await;
    disk.accept(&rig, "update on event_outbox").await;
    let relay = crate::relays::short(&rig);
    rig.wait_for_marks(2).await;
    // The stream drops the copy of what was published and not marked.
    rig.wait_for(&[("a", vec![1, 2])]).await;
    assert_eq!(relay.stop().await.parked, 0);
}

#[tokio::test]
async fn a_relay_that_cannot_renew_its_lease_on_a_full_disk_goes_on_when_it_can() {
    let (rig, disk) = FullDisk::new().await;
    let relay = crate::relays::short(&rig);
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    disk.refuse(&rig, "update on event_outbox_shards").await;
    disk.wait_for_refusals(&rig).await;
    rig.enqueue([placed("a", 2)]).await;
    wait_until("the leases have ended", async || {
        let now = jiff::Timestamp::now().as_microsecond();
        let ended = format!("not exists (select 1 from event_outbox_shards where until > {now})");
        rig.count(&ended).await > 0
    })
    .await;
    disk.accept(&rig, "update on event_outbox_shards").await;
    rig.wait_for_marks(2).await;
    rig.wait_for(&[("a", vec![1, 2])]).await;
    assert_eq!(relay.stop().await.parked, 0);
}

#[tokio::test]
async fn a_row_is_parked_when_a_full_disk_has_room_again() {
    let (rig, disk) = FullDisk::new().await;
    rig.script.set(|event| match event.order.as_str() {
        "a" => Act::Fail(ErrorKind::InvalidSubject),
        _ => Act::Pass,
    });
    disk.refuse(&rig, "insert on event_outbox_parked").await;
    rig.enqueue([placed("a", 1), placed("a", 2), placed("b", 1)])
        .await;
    let relay = rig.start();
    disk.wait_for_refusals(&rig).await;
    assert_eq!(rig.count("state = 1").await, 0);
    disk.accept(&rig, "insert on event_outbox_parked").await;
    wait_until("the key is parked", async || {
        rig.count("state = 1").await == 2
    })
    .await;
    rig.wait_for(&[("b", vec![1])]).await;
    assert_eq!(relay.stop().await.parked, 1);
}

#[tokio::test]
async fn a_cleaner_that_a_full_disk_refuses_goes_on_later() {
    let (rig, disk) = FullDisk::new().await;
    let window = Duration::from_millis(1_500);
    let relay = rig.relay().lease(Duration::from_secs(1));
    let relay = relay.publish_timeout(Duration::from_millis(400));
    let relay = relay.duplicate_window(window).keep_published(window);
    disk.refuse(&rig, "delete on event_outbox").await;
    let relay = crate::rig::Running::new(relay);
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    rig.clock.forward(Duration::from_mins(1));
    disk.wait_for_refusals(&rig).await;
    rig.enqueue([placed("a", 2)]).await;
    rig.wait_for(&[("a", vec![1, 2])]).await;
    disk.accept(&rig, "delete on event_outbox").await;
    rig.clock.forward(Duration::from_mins(1));
    wait_until("both are deleted", async || rig.count("true").await == 0).await;
    relay.stop().await;
}

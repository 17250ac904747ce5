//! A stream that lost what it had confirmed: the rows are published again.

use std::time::Duration;

use event_sdk_sql::Outbox;

use crate::database::Db;
use crate::rig::{Rig, Running, bus, placed, stored};

#[tokio::test]
async fn rows_confirmed_lately_are_published_again_to_a_stream_that_lost_them() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue((0..30).flat_map(|n| [placed("a", n), placed("b", n)]))
        .await;
    rig.wait_for_marks(60).await;
    relay.stop().await;
    // The server comes back with nothing.
    let empty = bus(&rig.script, &rig.clock);
    let outbox = Outbox::<Db>::new(rig.pool.clone(), empty.clone());
    rig.enqueue([placed("a", 30)]).await;
    let relay = Running::new(outbox.relay());
    rig.wait_for_marks(61).await;
    let events = stored(&empty).await;
    assert_eq!(
        events.get("a"),
        Some(&(0..31).collect()),
        "the lost ones go before new ones"
    );
    assert_eq!(events.get("b"), Some(&(0..30).collect()));
    let report = relay.stop().await;
    assert_eq!((report.sent_again, report.restored), (60, 60));
}

#[tokio::test]
async fn a_stream_that_has_them_drops_the_second_copies() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue((0..30).map(|n| placed("a", n))).await;
    rig.wait_for_marks(30).await;
    relay.stop().await;
    let relay = rig.start();
    rig.enqueue([placed("a", 30)]).await;
    rig.wait_for_marks(31).await;
    let report = relay.stop().await;
    assert_eq!((report.sent_again, report.restored), (30, 0));
    rig.wait_for(&[("a", (0..31).collect())]).await;
}

#[tokio::test]
async fn rows_older_than_the_duplicate_window_are_left_alone() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue([placed("a", 0)]).await;
    rig.wait_for_marks(1).await;
    relay.stop().await;
    rig.clock.forward(Duration::from_secs(119));
    let relay = rig.start();
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(2).await;
    assert_eq!(relay.stop().await.sent_again, 0);
}

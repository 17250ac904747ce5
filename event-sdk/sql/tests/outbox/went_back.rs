//! A stream that lost what it had confirmed: the rows are published again.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::Retry;
use event_sdk::transport::ErrorKind;
use event_sdk_sql::{LossOutcome, Outbox};
use tokio::sync::Notify;

use crate::database::Db;
use crate::rig::{Rig, Running, bus, placed, stored, wait_until};
use crate::script::Act;

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

#[tokio::test]
async fn a_stream_made_anew_is_reported_and_gets_no_older_rows() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue((0..5).map(|n| placed("a", n))).await;
    rig.wait_for_marks(5).await;
    relay.stop().await;
    rig.clock.forward(Duration::from_mins(5));
    let empty = bus(&rig.script, &rig.clock);
    let outbox = Outbox::<Db>::new(rig.pool.clone(), empty.clone());
    rig.enqueue([placed("a", 5)]).await;
    let relay = Running::new(outbox.relay());
    rig.wait_for_marks(6).await;
    let report = relay.stop().await;
    assert_eq!(stored(&empty).await.get("a"), Some(&vec![5]));
    assert_eq!(report.sent_again, 0);
    let losses: Vec<_> = report.stream_losses.iter().collect();
    let [loss] = &*losses else {
        panic!("one loss, not {losses:?}");
    };
    assert_eq!(loss.outcome, LossOutcome::LeftStreamAnew);
    assert_eq!((loss.confirmed, loss.last, loss.rows), (5, 0, 5));
}

#[tokio::test]
async fn a_row_that_fails_at_a_new_connection_holds_up_no_other() {
    let rig = Rig::new().await;
    let relay = rig
        .relay()
        .retry(Retry::steps([Duration::from_hours(1)]).max_attempts(3));
    let relay = Running::new(relay);
    let fails = Arc::new(Notify::new());
    let when = Arc::clone(&fails);
    rig.script.set(move |event| match event.order.as_str() {
        "bad" => Act::FailLater(Arc::clone(&when), ErrorKind::NoStream),
        _ => Act::Pass,
    });
    rig.enqueue([placed("a", 0), placed("bad", 0)]).await;
    rig.wait_for_marks(1).await;
    wait_until("the bad row is in flight", async || {
        rig.script.sent().contains(&placed("bad", 0))
    })
    .await;
    rig.script.connect();
    wait_until("the relay sees it", async || rig.script.looks() > 1).await;
    fails.notify_one();
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for(&[("a", vec![0, 1])]).await;
    relay.kill().await;
}

#[tokio::test]
async fn nothing_is_sent_without_a_connection() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue([placed("a", 0)]).await;
    rig.wait_for_marks(1).await;
    rig.script.disconnect();
    wait_until("the relay sees it", async || rig.script.looks() > 1).await;
    rig.enqueue([placed("a", 1)]).await;
    let looks = rig.script.looks();
    wait_until("it looks again and again", async || {
        rig.script.looks() > looks + 5
    })
    .await;
    assert_eq!(rig.script.sent(), [placed("a", 0)]);
    rig.script.connect();
    rig.wait_for(&[("a", vec![0, 1])]).await;
    assert_eq!(relay.stop().await.sent_again, 1);
}

//! Published rows are deleted after their time, and nothing else is.

use std::time::Duration;

use crate::rig::{Rig, Running, placed, wait_until};

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn published_rows_are_deleted_after_their_time() {
    let rig = Rig::new().await;
    let relay = Running::new(
        rig.relay()
            // The cleaner looks again after a hundredth of it.
            .keep_published(Duration::from_mins(3))
            .clean_batch(7)
            .lease(Duration::from_secs(11)),
    );
    rig.enqueue((0..50).map(|n| placed("a", n))).await;
    rig.wait_for_marks(50).await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    tx.publish(placed("later", 1))
        .after(HOUR * 48)
        .await
        .expect("enqueue");
    tx.commit().await.expect("commit");
    assert_eq!(rig.count("state = 2").await, 50);
    rig.clock.forward(HOUR * 2);
    rig.enqueue([placed("b", 1)]).await;
    wait_until("the old rows are deleted", async || {
        rig.count("state = 2").await == 1 && rig.count("true").await == 2
    })
    .await;
    let report = relay.stop().await;
    assert_eq!(report.cleaned, 50);
}

#[tokio::test]
async fn one_relay_cleans_at_a_time() {
    use event_sdk_store::outbox::RelayId;
    let rig = Rig::new().await;
    let store = rig.outbox.store();
    let (first, second) = (RelayId::random(), RelayId::random());
    let ttl = Duration::from_mins(1);
    assert!(store.claim_cleaning(first, ttl).await.expect("claim"));
    assert!(!store.claim_cleaning(second, ttl).await.expect("claim"));
    assert!(store.claim_cleaning(first, ttl).await.expect("claim"));
    store.leave(first).await.expect("leave");
    assert!(store.claim_cleaning(second, ttl).await.expect("claim"));
}

#[tokio::test]
async fn a_status_tells_depth_age_and_rate() {
    let rig = Rig::new().await;
    rig.enqueue((0..3).map(|n| placed("a", n))).await;
    rig.clock.forward(Duration::from_secs(90));
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!(status.depth.rows(), 3);
    assert!(status.oldest_age.expect("a row waits") >= Duration::from_secs(90));
    assert_eq!(status.relays, 0);
    let relay = rig.start();
    rig.wait_for_marks(3).await;
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!((status.depth.rows(), status.oldest_age), (0, None));
    assert_eq!(status.relays, 1);
    assert_eq!(status.published_lately.rows(), 3);
    assert!((status.rate() - 0.3).abs() < 1e-9);
    relay.stop().await;
}

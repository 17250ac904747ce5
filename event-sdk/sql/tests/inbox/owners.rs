//! Owners: the effect of an owner that was replaced is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Consumer, ProbeInterval};

use crate::rig::{Billing, OrderPlaced, Rig, billing, eventually};

fn owner(rig: &Rig) -> Consumer<OrderPlaced> {
    rig.consumer()
        .single_active_for(Duration::from_secs(2))
        .probe_interval(ProbeInterval::every(Duration::from_millis(20)))
}

const SELECT: &str = "select epoch from event_inbox_owner";

#[tokio::test]
async fn a_takeover_raises_the_epoch_and_effects_go_on() {
    let rig = Rig::new().await;
    let mut before = 0;
    for order in 1..=2 {
        rig.place_orders([order]).await;
        let consumer = owner(&rig).handled_by(rig.inbox.effects(billing()));
        let report = rig.run(consumer).await;
        assert_eq!(report.handled, 1);
        let epoch = rig.count(SELECT).await;
        assert!(epoch > before, "{epoch}");
        before = epoch;
    }
    assert_eq!(rig.invoices().await, [1, 2]);
}

#[tokio::test]
async fn the_effect_of_an_owner_that_was_replaced_is_refused() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let replaced = Arc::new(AtomicBool::new(false));
    rig.run(owner(&rig).handled_by(rig.inbox.effects(billing())))
        .await;
    // Another owner takes over, of which the next one does not know.
    let raise = "update event_inbox_owner set epoch = epoch + 1000";
    sqlx::query(raise).execute(&rig.pool).await.unwrap();
    rig.place_orders([2]).await;
    let stale = rig.share();
    let seen = Arc::clone(&replaced);
    let billing = Billing::new(move |_, _| {
        seen.store(true, Ordering::Relaxed);
        Ok(())
    });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let consumer = owner(&rig).handled_by(rig.inbox.effects(billing));
    let running = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    // Its events wait: they are neither handled nor given up.
    tokio::time::timeout(Duration::from_millis(500), std::future::pending::<()>())
        .await
        .unwrap_err();
    assert!(!replaced.load(Ordering::Relaxed));
    assert_eq!(stale.invoices().await, [1]);
    // The bucket was made anew: an operator says so.
    assert_eq!(rig.inbox.forget_owners("billing").await.unwrap(), 1);
    eventually("the effect", async || rig.invoices().await == [1, 2]).await;
    drop(stop);
    let report = running.await.unwrap().unwrap();
    assert!(report.outages > 0, "{report}");
    assert_eq!((report.failed_attempts, report.terminated), (0, 0));
}

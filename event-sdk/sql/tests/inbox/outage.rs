//! A database that is busy is an outage: no attempt is counted, and nothing is given up.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::ProbeInterval;
use event_sdk_sql::Inbox;
use tokio::sync::Notify;

use crate::rig::{OrderPlaced, Rig, billing};

#[tokio::test]
async fn a_busy_database_counts_as_no_attempt() {
    let rig = Rig::new().await;
    // A service that does not wait for long for other writers.
    let pool = rig.database.pool(2, Duration::from_millis(50)).await;
    let inbox = Inbox::new(pool);
    let other = rig.pool.begin_with("begin immediate").await.unwrap();
    rig.place_orders(1..=3).await;
    let received = Arc::new(Notify::new());
    let notify = Arc::clone(&received);
    let consumer = rig
        .consumer()
        .handled_by(inbox.effects(billing()))
        .filter_event(move |_: &OrderPlaced| {
            notify.notify_one();
            true
        })
        .probe_interval(ProbeInterval::every(Duration::from_millis(50)))
        .dead_letters(inbox.dead_letters());
    let running = tokio::spawn(consumer.run_until(settled(&rig)));
    // No record can be written while another transaction has the database.
    received.notified().await;
    tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>())
        .await
        .unwrap_err();
    other.rollback().await.unwrap();
    let report = running.await.unwrap().unwrap();
    assert!(report.outages > 0, "{report}");
    assert_eq!(
        (report.handled, report.failed_attempts, report.dead_lettered),
        (3, 0, 0)
    );
    assert_eq!(rig.invoices().await, [1, 2, 3]);
}

/// [`Rig::settled`] for a task.
fn settled(rig: &Rig) -> impl Future<Output = ()> + Send + 'static {
    let rig = rig.share();
    async move { rig.settled().await }
}

//! A relay that is dropped at any await: no row is lost, and none is stored twice.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use event_sdk::transport::ErrorKind;

use crate::rig::{Rig, placed};
use crate::script::Act;

/// Polls a future at most this often, and drops it. Returns whether it was ready.
async fn poll_times(future: impl Future<Output = ()>, mut polls: usize) -> bool {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(false);
        }
        polls -= 1;
        future.as_mut().poll(cx).map(|()| true)
    })
    .await
}

#[tokio::test]
async fn a_relay_that_is_dropped_at_any_await_loses_and_doubles_nothing() {
    let rig = Rig::new().await;
    let mut count = 0;
    rig.script.set(move |event| {
        count += 1;
        match (count % 5, event.order.as_str()) {
            (3, _) => Act::LoseConfirmation,
            (4, "c") => Act::Fail(ErrorKind::NoStream),
            _ => Act::Pass,
        }
    });
    let crashes: u32 = 60;
    for crash in 0..crashes {
        rig.enqueue(["a", "b", "c"].map(|key| placed(key, crash)))
            .await;
        rig.execute("update event_outbox_shards set owner = null, until = 0")
            .await;
        let relay = rig.relay().run_until(std::future::pending());
        let polls = 1 + usize::try_from(crash).expect("a small number");
        let ended = poll_times(async { drop(relay.await) }, polls).await;
        assert!(!ended);
    }
    rig.script.set(|_| Act::Pass);
    rig.execute("update event_outbox_shards set owner = null, until = 0")
        .await;
    let relay = rig.start();
    rig.outbox
        .retry_parked(event_sdk_sql::WhichParked::All)
        .await
        .expect("a retry");
    let all: Vec<_> = (0..crashes).collect();
    rig.wait_for(&[("a", all.clone()), ("b", all.clone()), ("c", all)])
        .await;
    rig.wait_for_marks(i64::from(crashes) * 3).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_transaction_that_is_dropped_stores_nothing() {
    let rig = Rig::new().await;
    for polls in 1..12 {
        let write = async {
            let mut tx = rig.outbox.begin().await.expect("begin");
            tx.publish(placed("a", 1)).await.expect("enqueue");
            tx.publish(placed("b", 1)).await.expect("enqueue");
            loop {
                tokio::task::yield_now().await;
            }
        };
        poll_times(write, polls).await;
    }
    assert_eq!(rig.count("true").await, 0);
}

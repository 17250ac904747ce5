//! A pool without a free connection: an outage with an error that says so, after which everything goes on
//! and nothing is lost.

use std::time::{Duration, Instant};

use event_sdk_sql::{StoreErrorKind, Tx};

use crate::database::{self, Db};
use crate::rig::{Rig, placed};

#[tokio::test]
async fn an_exhausted_pool_is_an_outage_and_the_relay_goes_on() {
    let (home, pool) = database::open_pool(1, Duration::from_secs(3)).await;
    let rig = Rig::over(home, pool);
    rig.outbox.migrate().await.expect("migrate");
    let mut held = begun(&rig).await;
    held.publish(placed("a", 1)).await.expect("enqueue");
    let relay = rig.start();
    for refused in [
        rig.outbox.begin().await.map(drop),
        rig.outbox.status().await.map(drop),
        rig.outbox.check().await.map(drop),
    ] {
        let refused = refused.expect_err("no connection");
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
        assert!(refused.is_outage());
        let text = refused.to_string();
        for words in [
            "the pool has no free connection",
            "more connections",
            "docs/outbox.md",
        ] {
            assert!(text.contains(words), "{text}");
        }
    }
    held.publish(placed("a", 2)).await.expect("enqueue");
    held.commit().await.expect("commit");
    rig.wait_for(&[("a", vec![1, 2])]).await;

    // Beside a relay that works already.
    rig.wait_for_marks(2).await;
    let mut held = begun(&rig).await;
    held.publish(placed("a", 3)).await.expect("enqueue");
    let refused = rig.outbox.begin().await.expect_err("no connection");
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    held.commit().await.expect("commit");
    rig.enqueue([placed("a", 4), placed("b", 1)]).await;
    rig.wait_for(&[("a", vec![1, 2, 3, 4]), ("b", vec![1])])
        .await;
    rig.wait_for_marks(5).await;
    assert!(rig.outbox.parked(0, 10).await.expect("a list").is_empty());
    relay.stop().await;
}

/// A transaction on the connection of the pool, for which the relay may wait, too.
async fn begun(rig: &Rig) -> Tx<Db> {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        match rig.outbox.begin().await {
            Ok(transaction) => return transaction,
            Err(error) => {
                assert!(error.is_outage(), "{error:?}");
                assert!(Instant::now() < deadline, "not within a minute: {error}");
            }
        }
    }
}

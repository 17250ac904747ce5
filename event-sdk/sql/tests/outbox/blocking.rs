//! A key or a domain that waits does not hold up the rows of others, whatever its backlog.

use std::time::Duration;

use event_sdk::consumer::Retry;
use event_sdk::transport::ErrorKind;

use crate::rig::{NoteTaken, Rig, Running, placed, wait_until};
use crate::script::Act;

/// Rows that are read at once; a key has a backlog of many times of it.
const BATCH: u32 = 40;

/// The first row of `a` waits, and a backlog of 1,000 rows of `a` lies before rows of `b` and one
/// without a key.
async fn others_pass(act: Act) {
    let rig = Rig::new().await;
    rig.script.set(move |event| match event.order.as_str() {
        "a" => act.clone(),
        _ => Act::Pass,
    });
    rig.enqueue((1..=1_000).map(|n| placed("a", n))).await;
    rig.enqueue((1..=100).map(|n| placed("b", n))).await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    tx.publish(NoteTaken { n: 1 }).await.expect("enqueue");
    tx.commit().await.expect("commit");
    let retry = Retry::steps([Duration::from_mins(10)]).max_attempts(3);
    let relay = Running::new(rig.relay().batch(BATCH).retry(retry));
    rig.wait_for(&[("b", (1..=100).collect())]).await;
    rig.wait_for_marks(101).await;
    let of_a = rig.script.sent().into_iter();
    let of_a: Vec<_> = of_a.filter(|event| event.order == "a").collect();
    assert!(of_a.iter().all(|event| event.n == 1), "{of_a:?}");
    relay.kill().await;
}

#[tokio::test]
async fn a_backlog_behind_a_row_in_flight_lets_other_keys_pass() {
    others_pass(Act::Hang).await;
}

#[tokio::test]
async fn a_backlog_behind_a_row_that_waits_for_an_attempt_lets_other_keys_pass() {
    others_pass(Act::Fail(ErrorKind::NoStream)).await;
}

#[tokio::test]
async fn a_backlog_of_a_domain_that_is_away_lets_other_domains_pass_and_is_published_after_it() {
    let rig = Rig::new().await;
    rig.script.set(|_| Act::Fail(ErrorKind::StreamFull));
    let orders = 600;
    let key = |n: u32| format!("k{}", n % 300);
    rig.enqueue((0..orders).map(|n| placed(&key(n), n))).await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    for n in 0..100 {
        tx.publish(NoteTaken { n }).await.expect("enqueue");
    }
    tx.commit().await.expect("commit");
    let relay = Running::new(rig.relay().batch(BATCH));
    rig.wait_for_marks(100).await;
    rig.script.set(|_| Act::Pass);
    rig.wait_for_marks(100 + i64::from(orders)).await;
    for (key, events) in rig.stored().await {
        assert_eq!(events.len(), 2, "{key}");
        assert!(events.is_sorted(), "{key}: {events:?}");
    }
    assert_eq!(relay.stop().await.parked, 0);
}

#[tokio::test]
async fn long_backlogs_of_few_keys_are_published_in_order() {
    let rig = Rig::new().await;
    let all = 0..400;
    for key in ["a", "b", "c"] {
        rig.enqueue(all.clone().map(|n| placed(key, n))).await;
    }
    let mut count = 0;
    rig.script.set(move |_| {
        count += 1;
        match count % 50 {
            9 => Act::Fail(ErrorKind::NoStream),
            29 => Act::LoseConfirmation,
            _ => Act::Pass,
        }
    });
    let relay = Running::new(rig.relay().batch(BATCH));
    let all: Vec<_> = all.collect();
    let expected = ["a", "b", "c"].map(|key| (key, all.clone()));
    rig.wait_for(&expected).await;
    rig.wait_for_marks(1_200).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_parked_key_with_a_long_backlog_goes_on_in_order() {
    let rig = Rig::new().await;
    rig.script
        .set(|event| match (event.order.as_str(), event.n) {
            ("a", 3) => Act::Fail(ErrorKind::TooLarge { size: 2, limit: 1 }),
            _ => Act::Pass,
        });
    rig.enqueue((1..=900).map(|n| placed("a", n))).await;
    rig.enqueue([placed("b", 1)]).await;
    let relay = Running::new(rig.relay().batch(BATCH));
    rig.wait_for(&[("a", vec![1, 2]), ("b", vec![1])]).await;
    wait_until("the backlog is parked", async || {
        rig.count("state = 1").await == 898
    })
    .await;
    rig.script.set(|_| Act::Pass);
    let all = event_sdk_sql::WhichParked::All;
    assert_eq!(rig.outbox.retry_parked(all).await.expect("a retry"), 1);
    rig.enqueue((901..=910).map(|n| placed("a", n))).await;
    rig.wait_for(&[("a", (1..=910).collect()), ("b", vec![1])])
        .await;
    relay.stop().await;
}

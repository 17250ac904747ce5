//! Rows that cannot be published, and the keys that wait behind them.

use event_sdk::text::Text;
use event_sdk::transport::ErrorKind;
use event_sdk_sql::{ParkedEntry, ParkedState, WhichParked};

use crate::rig::{NoteTaken, Rig, placed, wait_until};
use crate::script::Act;

const TOO_LARGE: ErrorKind = ErrorKind::TooLarge { size: 2, limit: 1 };

/// Parks `a` at its second event, with events up to 4 behind it.
async fn with_parked_key(rig: &Rig) -> ParkedEntry {
    rig.script
        .set(|event| match (event.order.as_str(), event.n) {
            ("a", 2) => Act::Fail(TOO_LARGE),
            _ => Act::Pass,
        });
    rig.enqueue((1..=4).flat_map(|n| [placed("a", n), placed("b", n)]))
        .await;
    wait_until("the key is parked", async || {
        rig.count("state = 1 and key = 'a'").await == 3
    })
    .await;
    let parked = rig.outbox.parked(0, 10).await.expect("parked entries");
    let [entry] = &parked[..] else {
        panic!("{parked:?}");
    };
    entry.clone()
}

#[tokio::test]
async fn a_row_that_is_refused_parks_its_key_and_no_other() {
    let rig = Rig::new().await;
    let relay = rig.start();
    let entry = with_parked_key(&rig).await;
    assert_eq!(entry.key.as_deref(), Some("a"));
    assert_eq!(entry.reason.class, "reject");
    assert!(
        entry.reason.error.contains("as the script says"),
        "{entry:?}"
    );
    assert_eq!(entry.reason.attempts, 1);
    assert_eq!(entry.subject.as_deref(), Some("events.orders.order.placed"));
    rig.wait_for(&[("a", vec![1]), ("b", vec![1, 2, 3, 4])])
        .await;
    let status = rig.outbox.status().await.expect("a status");
    assert_eq!(status.parked_keys.rows(), 1);
    assert_eq!(status.parked_rows.rows(), 3);
    assert_eq!(status.depth.rows(), 0);
    // Later events of the key wait too.
    rig.enqueue([placed("a", 5), placed("b", 5)]).await;
    wait_until("the later event waits", async || {
        rig.count("state = 1 and key = 'a'").await == 4
    })
    .await;
    rig.wait_for(&[("a", vec![1]), ("b", vec![1, 2, 3, 4, 5])])
        .await;
    let refused = rig.script.sent();
    assert_eq!(
        refused
            .iter()
            .filter(|event| **event == placed("a", 2))
            .count(),
        1
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_retry_brings_the_key_back_before_its_newer_events() {
    let rig = Rig::new().await;
    let relay = rig.start();
    let entry = with_parked_key(&rig).await;
    assert_eq!(entry.state, ParkedState::Parked);
    rig.script.set(|_| Act::Pass);
    let retried = rig.outbox.retry_parked(WhichParked::Key("a".into())).await;
    assert_eq!(retried.expect("a retry"), 1);
    rig.enqueue([placed("a", 5)]).await;
    rig.wait_for(&[("a", vec![1, 2, 3, 4, 5]), ("b", vec![1, 2, 3, 4])])
        .await;
    assert_eq!(rig.outbox.parked(0, 10).await.expect("a list"), []);
    let again = rig.outbox.retry_parked(WhichParked::All).await;
    assert_eq!(again.expect("a retry"), 0);
    relay.stop().await;
}

#[tokio::test]
async fn a_key_whose_head_fails_again_is_parked_again() {
    let rig = Rig::new().await;
    let relay = rig.start();
    with_parked_key(&rig).await;
    rig.script
        .set(|event| match (event.order.as_str(), event.n) {
            ("a", 3) => Act::Fail(TOO_LARGE),
            _ => Act::Pass,
        });
    rig.outbox
        .retry_parked(WhichParked::All)
        .await
        .expect("a retry");
    rig.wait_for(&[("a", vec![1, 2]), ("b", vec![1, 2, 3, 4])])
        .await;
    wait_until("the key is parked at the third event", async || {
        let parked = rig.outbox.parked(0, 10).await.expect("a list");
        parked.len() == 1
            && parked[0].state == ParkedState::Parked
            && rig.count("state = 1 and key = 'a'").await == 2
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_skipped_row_is_never_published_and_its_key_goes_on() {
    let rig = Rig::new().await;
    let relay = rig.start();
    let entry = with_parked_key(&rig).await;
    assert!(rig.outbox.skip_parked(entry.id).await.expect("a skip"));
    rig.wait_for(&[("a", vec![1, 3, 4]), ("b", vec![1, 2, 3, 4])])
        .await;
    wait_until("nothing is parked", async || {
        rig.outbox.parked(0, 10).await.expect("a list").is_empty()
    })
    .await;
    assert!(!rig.outbox.skip_parked(entry.id).await.expect("a skip"));
    relay.stop().await;
}

#[tokio::test]
async fn a_purge_deletes_what_waits_and_the_key_goes_on() {
    let rig = Rig::new().await;
    let relay = rig.start();
    let entry = with_parked_key(&rig).await;
    assert_eq!(rig.outbox.purge_parked(entry.id).await.expect("a purge"), 3);
    assert_eq!(rig.outbox.purge_parked(entry.id).await.expect("a purge"), 0);
    rig.enqueue([placed("a", 5)]).await;
    rig.wait_for(&[("a", vec![1, 5]), ("b", vec![1, 2, 3, 4])])
        .await;
    relay.stop().await;
}

#[tokio::test]
async fn many_parked_rows_come_back_in_order() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.script.set(|_| Act::Fail(TOO_LARGE));
    let rows = 1_300;
    rig.enqueue((0..rows).map(|n| placed("a", n))).await;
    wait_until("all rows are parked", async || {
        rig.count("state = 1").await == i64::from(rows)
    })
    .await;
    rig.script.set(|_| Act::Pass);
    rig.outbox
        .retry_parked(WhichParked::All)
        .await
        .expect("a retry");
    rig.enqueue([placed("a", rows)]).await;
    rig.wait_for(&[("a", (0..=rows).collect())]).await;
    relay.stop().await;
}

#[tokio::test]
async fn other_failures_are_retried_and_parked_after_the_last_attempt() {
    let rig = Rig::new().await;
    rig.script.set(|event| match event.order.as_str() {
        "a" => Act::Fail(ErrorKind::NoStream),
        _ => Act::Pass,
    });
    let relay = rig.start();
    rig.enqueue([placed("a", 1), placed("b", 1)]).await;
    wait_until("the key is parked", async || {
        rig.count("state = 1").await == 1
    })
    .await;
    let parked = rig.outbox.parked(0, 10).await.expect("a list");
    assert_eq!(parked[0].reason.class, "retry");
    assert_eq!(parked[0].reason.attempts, 3);
    let tries = rig
        .script
        .sent()
        .iter()
        .filter(|event| event.order == "a")
        .count();
    assert_eq!(tries, 3);
    rig.wait_for(&[("b", vec![1])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn an_outage_parks_nothing_and_pauses() {
    let rig = Rig::new().await;
    rig.script.set(|_| Act::Fail(ErrorKind::Disconnected));
    let relay = rig.start();
    rig.enqueue((0..50).flat_map(|n| [placed("a", n), placed("b", n)]))
        .await;
    wait_until("it has tried some times", async || {
        rig.script.sent().len() > 4
    })
    .await;
    assert_eq!(rig.count("state <> 0 or attempts > 0").await, 0);
    rig.script.set(|_| Act::Pass);
    rig.wait_for(&[("a", (0..50).collect()), ("b", (0..50).collect())])
        .await;
    // Not one of the other rows was tried in vain: only probes.
    let tried = rig.script.sent().len();
    assert!(tried < 150, "{tried} publishes of 100 rows");
    relay.stop().await;
}

#[tokio::test]
async fn a_row_that_was_edited_by_hand_is_parked_with_the_reason() {
    let rig = Rig::new().await;
    rig.enqueue([placed("a", 1), placed("b", 1), placed("c", 1)])
        .await;
    rig.execute("update event_outbox set subject = 'two words' where key = 'a'")
        .await;
    rig.execute("update event_outbox set headers = '[1]' where key = 'b'")
        .await;
    let relay = rig.start();
    rig.wait_for(&[("c", vec![1])]).await;
    wait_until("both are parked", async || {
        rig.count("state = 1").await == 2
    })
    .await;
    let parked = rig.outbox.parked(0, 10).await.expect("a list");
    assert_eq!(parked[0].reason.class, "damaged");
    assert!(parked[0].reason.error.contains("two words"), "{parked:?}");
    assert!(parked[1].reason.error.contains("JSON object"), "{parked:?}");
    // Repaired by hand, and retried.
    rig.execute("update event_outbox set subject = 'events.orders.order.placed', headers = null")
        .await;
    rig.outbox
        .retry_parked(WhichParked::All)
        .await
        .expect("a retry");
    rig.wait_for(&[("a", vec![1]), ("b", vec![1]), ("c", vec![1])])
        .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_row_without_a_key_waits_alone() {
    let rig = Rig::new().await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    for n in 0..3 {
        tx.publish(NoteTaken { n }).await.expect("enqueue");
    }
    tx.commit().await.expect("commit");
    rig.execute("update event_outbox set message_id = '' where id = 2")
        .await;
    let relay = rig.start();
    rig.wait_for_marks(2).await;
    wait_until("one is parked", async || rig.count("state = 1").await == 1).await;
    let parked = rig.outbox.parked(0, 10).await.expect("a list");
    assert_eq!((parked[0].id, parked[0].key.clone()), (2, None::<Text>));
    rig.execute("update event_outbox set message_id = 'fixed' where id = 2")
        .await;
    let which = WhichParked::Row(2);
    assert_eq!(rig.outbox.retry_parked(which).await.expect("a retry"), 1);
    rig.wait_for_marks(3).await;
    assert_eq!(rig.outbox.parked(0, 10).await.expect("a list"), []);
    relay.stop().await;
}

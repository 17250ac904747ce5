//! Order in a key: one row in flight, lost confirmations, and rows that are committed late.

use std::collections::BTreeMap;
use std::time::Duration;

use event_sdk::transport::ErrorKind;

use crate::database::{IDS_FROM_1000, LATE_ROW};
use crate::rig::{Rig, Running, placed, wait_until};
use crate::script::Act;

#[tokio::test]
async fn keys_keep_their_order_while_confirmations_are_lost_and_publishes_fail() {
    let rig = Rig::new().await;
    let mut count = 0;
    rig.script.set(move |_| {
        count += 1;
        match count % 7 {
            2 => Act::LoseConfirmation,
            5 => Act::Fail(ErrorKind::Disconnected),
            _ => Act::Pass,
        }
    });
    let relay = rig.start();
    for n in 0..40 {
        rig.enqueue(["a", "b", "c"].map(|key| placed(key, n))).await;
    }
    let all: Vec<_> = (0..40).collect();
    rig.wait_for(&[("a", all.clone()), ("b", all.clone()), ("c", all)])
        .await;
    rig.wait_for_marks(120).await;
    let report = relay.stop().await;
    assert_eq!((report.published, report.parked), (120, 0));
}

#[tokio::test]
async fn one_row_of_a_key_is_in_flight_and_other_keys_go_on() {
    let rig = Rig::new().await;
    rig.script
        .set(|event| match (event.order.as_str(), event.n) {
            ("a", 1) => Act::Hang,
            _ => Act::Pass,
        });
    let events = (1..=30).flat_map(|n| [placed("a", n), placed("b", n)]);
    rig.enqueue(events).await;
    let relay = rig.start();
    rig.wait_for(&[("b", (1..=30).collect())]).await;
    rig.wait_for_marks(30).await;
    let of_a: Vec<_> = rig
        .script
        .sent()
        .into_iter()
        .filter(|event| event.order == "a")
        .collect();
    assert_eq!(of_a, [placed("a", 1)]);
    relay.kill().await;
}

#[tokio::test]
async fn a_row_with_a_lower_id_that_appears_late_is_found_and_goes_before_newer_ones() {
    let rig = Rig::new().await;
    // Ids from 1000 on, so that there is room below.
    rig.execute(IDS_FROM_1000).await;
    let relay = Running::new(rig.relay());
    rig.enqueue((0..10).map(|n| placed("a", n))).await;
    rig.wait_for_marks(10).await;
    // What a transaction that began long ago commits: below the position, and of a key that a newer row
    // has too.
    for (id, key, n) in [(10_i64, "b", 0), (20, "c", 0)] {
        let mut tx = rig.outbox.begin().await.expect("begin");
        sqlx::query(LATE_ROW)
            .bind(id)
            .bind(key)
            .bind(format!("late-{id}"))
            .bind(format!(r#""order":"{key}","n":{n}"#))
            .execute(&mut *tx)
            .await
            .expect("a late row");
        tx.publish(placed(key, 1)).await.expect("enqueue");
        tx.commit().await.expect("commit");
    }
    let expected = [
        ("a", (0..10).collect()),
        ("b", vec![0, 1]),
        ("c", vec![0, 1]),
    ];
    rig.wait_for(&expected).await;
    relay.stop().await;
}

#[tokio::test]
async fn rows_behind_many_late_ones_of_their_keys_do_not_pass_them() {
    const KEYS: u32 = 20;
    const LATE: u32 = 100;
    const NEWER: u32 = 20;
    let rig = Rig::new().await;
    rig.execute(IDS_FROM_1000).await;
    let relay = Running::new(rig.relay().batch(16));
    rig.enqueue([placed("a", 0)]).await;
    rig.wait_for_marks(1).await;
    // While a row is in flight, the relay does not read from the start.
    rig.script.set(|event| match event.order.as_str() {
        "z" => Act::Hang,
        _ => Act::Pass,
    });
    rig.enqueue([placed("z", 0)]).await;
    wait_until("a row is in flight", async || {
        rig.script.sent().contains(&placed("z", 0))
    })
    .await;
    // Many more rows than a look below returns.
    let mut tx = rig.outbox.begin().await.expect("begin");
    for (n, of_all) in (0..LATE).flat_map(|n| (0..KEYS).map(move |key| (n, n * KEYS + key))) {
        let key = format!("k{}", of_all % KEYS);
        sqlx::query(LATE_ROW)
            .bind(i64::from(of_all) - 5_000)
            .bind(&key)
            .bind(format!("late-{of_all}"))
            .bind(format!(r#""order":"{key}","n":{n}"#))
            .execute(&mut *tx)
            .await
            .expect("a late row");
    }
    tx.commit().await.expect("commit");
    // Each begins after the late ones are committed, and while some of them are published.
    for n in LATE..LATE + NEWER {
        let marked = i64::from(1 + (n - LATE) * KEYS * 3);
        wait_until("late rows are marked", async || {
            rig.count("state = 2").await >= marked
        })
        .await;
        let keys = (0..KEYS).map(|key| placed(&format!("k{key}"), n));
        rig.enqueue(keys).await;
    }
    rig.wait_for_marks(i64::from(1 + KEYS * (LATE + NEWER)))
        .await;
    let mut stored = rig.stored().await;
    stored.remove("a");
    assert_eq!(stored.len(), KEYS as usize);
    for (key, events) in stored {
        assert_eq!(events, (0..LATE + NEWER).collect::<Vec<_>>(), "{key}");
    }
    relay.kill().await;
}

#[tokio::test]
async fn rows_that_are_read_by_key_are_sent_once_and_in_order() {
    const KEYS: u32 = 5;
    let rig = Rig::new().await;
    let all = |rows: std::ops::Range<u32>| {
        rows.flat_map(|n| (0..KEYS).map(move |key| placed(&format!("k{key}"), n)))
    };
    rig.enqueue(all(0..100)).await;
    let relay = Running::new(rig.relay().batch(16));
    for n in 100..200 {
        rig.enqueue(all(n..n + 1)).await;
    }
    rig.wait_for_marks(i64::from(200 * KEYS)).await;
    relay.stop().await;
    let mut sent = BTreeMap::<_, Vec<_>>::new();
    for event in rig.script.sent() {
        sent.entry(event.order).or_default().push(event.n);
    }
    assert_eq!(sent.len(), KEYS as usize);
    for (key, events) in sent {
        assert_eq!(events, (0..200).collect::<Vec<_>>(), "{key}");
    }
}

#[tokio::test]
async fn a_backlog_is_published_in_batches_and_in_order() {
    let rig = Rig::new().await;
    let keys = 37;
    let rows = 2_000;
    let events = (0..rows).map(|n| placed(&format!("k{}", n % keys), n));
    rig.enqueue(events).await;
    let relay = Running::new(rig.relay().batch(64).max_in_flight(16));
    rig.wait_for_marks(i64::from(rows)).await;
    let stored: BTreeMap<_, _> = rig.stored().await;
    assert_eq!(stored.values().map(Vec::len).sum::<usize>(), rows as usize);
    for events in stored.values() {
        assert!(events.is_sorted());
    }
    assert_eq!(relay.stop().await.published, u64::from(rows));
}

#[tokio::test]
async fn writers_and_relay_work_at_the_same_time() {
    let rig = std::sync::Arc::new(Rig::new().await);
    let relay = rig.start();
    let writers = (0..4).map(|writer| {
        let rig = std::sync::Arc::clone(&rig);
        tokio::spawn(async move {
            for n in 0..50 {
                rig.enqueue([placed(&format!("w{writer}"), n)]).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
    wait_until("all rows are marked", async || {
        rig.count("state = 2").await == 200
    })
    .await;
    let stored = rig.stored().await;
    for writer in 0..4 {
        let events = stored
            .get(&format!("w{writer}"))
            .expect("events of a writer");
        assert_eq!(*events, (0..50).collect::<Vec<_>>());
    }
    let report = tokio::time::timeout(Duration::from_mins(1), relay.stop()).await;
    assert_eq!(report.expect("it ends").published, 200);
}

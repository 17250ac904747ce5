//! Batches: records and effects of many events in one transaction, divided after a failure.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use event_sdk::consumer::Failure;
use sqlx::Row as _;

use crate::rig::{Billing, Rig, billing};

const WITHIN: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_batch_is_one_transaction_and_its_repeats_have_no_effect() {
    let rig = Rig::new().await;
    for order in 1..=20 {
        rig.place_twice(order).await;
    }
    let billing = billing();
    let begun = Arc::clone(&billing.begun);
    let consumer = rig.consumer().prefetch(64);
    let consumer = consumer.batches_handled_by(64, WITHIN, rig.inbox.batches(billing));
    let report = rig.run(consumer).await;
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (20, 20, 0)
    );
    assert_eq!(begun.load(Ordering::Relaxed), 20);
    assert_eq!(rig.invoices().await, (1..=20).collect::<Vec<_>>());
    // All records of a transaction have the time of one clock reading each, and none is missing.
    assert_eq!(rig.records().await, (20, 0));
}

#[tokio::test]
async fn one_duplicate_does_not_fail_its_batch() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let consumer = rig.consumer().handled_by(rig.inbox.effects(billing()));
    rig.run(consumer).await;
    let history = rig.bus.history::<crate::rig::OrderPlaced>();
    let mut first = history.await.unwrap();
    let first = first.next().await.unwrap().unwrap();
    let body = first.body().unwrap();
    let again = rig.bus.raw().publish("orders.order.placed", body);
    again.headers(first.headers()).await.unwrap();
    rig.place_orders(2..=10).await;
    let consumer = rig.consumer().prefetch(64);
    let consumer = consumer.batches_handled_by(64, WITHIN, rig.inbox.batches(billing()));
    let report = rig.run(consumer).await;
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (9, 1, 0)
    );
    assert_eq!(rig.invoices().await, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_poisoned_event_alone_is_given_up_and_later_ones_of_its_key_follow() {
    let rig = Rig::new().await;
    for order in 1..=30 {
        let customer = if order % 3 == 0 { "bob" } else { "ada" };
        rig.place_for(customer, order).await;
    }
    let billing = Billing::new(|order, _| match order {
        9 => Err(Failure::retry("poisoned")),
        15 => Err(Failure::reject("poisoned")),
        _ => Ok(()),
    });
    let consumer = rig
        .consumer()
        .ordered_by_key()
        .prefetch(64)
        .dead_letters(rig.inbox.dead_letters())
        .batches_handled_by(64, WITHIN, rig.inbox.batches(billing));
    let report = rig.run(consumer).await;
    assert_eq!((report.handled, report.dead_lettered), (28, 2));
    let expected: Vec<_> = (1..=30).filter(|order| ![9, 15].contains(order)).collect();
    assert_eq!(rig.invoices().await, expected);
    assert_eq!(rig.records().await, (28, 2));
    // In the order of the key, also around the poisoned ones.
    let select = "select order_id from invoices where customer = 'bob' order by number";
    let rows = sqlx::query(select).fetch_all(&rig.pool).await.unwrap();
    let order: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(order, [3, 6, 12, 18, 21, 24, 27, 30]);
}

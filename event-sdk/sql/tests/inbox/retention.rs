//! Retention: what the cleaner deletes, and which events are refused without a record.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::Failure;
use event_sdk::dead_letters::{LetterFilter, Page};
use event_sdk::transport::DeliverPolicy;
use event_sdk_sql::Inbox;

use crate::database::Db;
use crate::rig::{Billing, Rig, billing};

fn short(rig: &Rig) -> Inbox<Db> {
    Inbox::builder(rig.service.clone())
        .retention(Duration::from_millis(1))
        .build()
}

/// A consumer whose position was reset: it gets all events again.
async fn reset(rig: &Rig) {
    use event_sdk::transport::TransportExt as _;
    let transport = rig.bus.transport();
    transport
        .delete_consumer("EVENTS", "billing")
        .await
        .unwrap();
}

#[tokio::test]
async fn records_are_deleted_after_the_retention_and_not_before() {
    let rig = Rig::new().await;
    rig.place_orders(1..=5).await;
    let consumer = rig.consumer().handled_by(rig.inbox.effects(billing()));
    rig.run(consumer).await;
    let long = rig.inbox.cleaner(&rig.bus).clean_once().await.unwrap();
    assert_eq!(long.deleted, 0);
    assert_eq!(rig.records().await, (5, 0));
    let cleaner = short(&rig).cleaner(&rig.bus).batch(2);
    let report = cleaner.clean_once().await.unwrap();
    // The cleaner before has the right to clean for a while.
    assert_eq!((report.deleted, report.left_to_others), (0, 1));
    let free = "update event_inbox_source set cleaner = null";
    sqlx::query(free).execute(&rig.pool).await.unwrap();
    let report = cleaner.clean_once().await.unwrap();
    assert_eq!((report.deleted, report.left_to_others), (5, 0));
    assert_eq!(rig.records().await, (0, 0));
    assert_eq!(
        rig.count("select cleaned_to from event_inbox_source").await,
        5
    );
}

#[tokio::test]
async fn records_above_the_ack_floor_stay_and_first_deliveries_are_never_refused() {
    let rig = Rig::new().await;
    let inbox = short(&rig);
    rig.place_orders(1..=3).await;
    // 1 is held by a handler, so that nothing is acknowledged in one piece.
    let (started, release) = (
        Arc::new(tokio::sync::Notify::new()),
        Arc::new(tokio::sync::Notify::new()),
    );
    let (begun, wait) = (Arc::clone(&started), Arc::clone(&release));
    let effect = inbox.effect(move |placed: crate::rig::OrderPlaced, mut tx| {
        let (begun, wait) = (Arc::clone(&begun), Arc::clone(&wait));
        async move {
            if placed.order == 1 && tx.ctx().attempt() == 1 {
                begun.notify_one();
                drop(tx);
                wait.notified().await;
                return Err(Failure::retry("not yet"));
            }
            crate::rig::write_invoice(&mut tx, &placed).await?;
            tx.commit().await
        }
    });
    let consumer = rig.consumer().concurrency(3).on_handler(effect);
    let other = rig.share();
    let running = tokio::spawn(consumer.run_until(async move { other.settled().await }));
    started.notified().await;
    crate::rig::eventually("two effects", async || rig.invoices().await == [2, 3]).await;
    let report = inbox.cleaner(&rig.bus).clean_once().await.unwrap();
    assert_eq!(report.deleted, 0);
    assert_eq!(rig.records().await, (2, 0));
    release.notify_one();
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.handled, report.terminated), (3, 0));
}

#[tokio::test]
async fn an_event_that_comes_after_a_reset_is_refused_if_its_record_may_be_gone() {
    let rig = Rig::new().await;
    let inbox = short(&rig);
    rig.place_orders(1..=3).await;
    let effects = || inbox.effects(billing());
    rig.run(rig.consumer().handled_by(effects())).await;
    reset(&rig).await;
    // As long as the records are there, nothing is refused.
    let again = || rig.consumer().deliver(DeliverPolicy::All);
    let report = rig.run(again().handled_by(effects())).await;
    assert_eq!((report.done_before, report.terminated), (3, 0));
    inbox.cleaner(&rig.bus).clean_once().await.unwrap();
    reset(&rig).await;
    rig.place_orders([4]).await;
    let letters = inbox.dead_letters();
    let consumer = again().handled_by(effects()).dead_letters(letters.clone());
    let report = rig.run(consumer).await;
    assert_eq!(
        (report.handled, report.done_before, report.dead_lettered),
        (1, 0, 3)
    );
    assert_eq!(rig.invoices().await, [1, 2, 3, 4]);
    let queue = letters.queue(&rig.bus, "DLQ");
    let letters = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert!(letters[0].errors[0].contains("retention"), "{letters:?}");

    // The flag: their effects happen again. Here they violate a constraint.
    let older = Inbox::builder(rig.service.clone())
        .retention(Duration::from_millis(1))
        .accept_older()
        .build();
    sqlx::query("delete from event_inbox")
        .execute(&rig.pool)
        .await
        .unwrap();
    sqlx::query("delete from invoices")
        .execute(&rig.pool)
        .await
        .unwrap();
    reset(&rig).await;
    let report = rig.run(again().handled_by(older.effects(billing()))).await;
    assert_eq!(report.handled, 4);
    assert_eq!(rig.invoices().await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_replay_that_is_older_than_the_retention_is_refused() {
    let rig = Rig::new().await;
    let inbox = short(&rig);
    rig.place_orders([1]).await;
    let consumer = rig.consumer().replay().handled_by(inbox.effects(billing()));
    let report = rig.run(consumer).await;
    assert_eq!((report.handled, report.terminated), (0, 1));
    // With a longer retention it is not too old.
    let consumer = rig
        .bus
        .consumer::<crate::rig::OrderPlaced>("rebuilding")
        .replay();
    let report = consumer.handled_by(rig.inbox.effects(billing()));
    let report = report.run_until(crate::rig::eventually("an invoice", async || {
        rig.invoices().await == [1]
    }));
    assert_eq!(report.await.unwrap().handled, 1);
}

#[tokio::test]
async fn a_redrive_that_is_older_than_the_records_is_refused_but_an_open_letter_keeps_its_record() {
    let rig = Rig::new().await;
    let inbox = short(&rig);
    rig.place_orders(1..=3).await;
    let rejecting = Billing::new(|order, _| match order {
        2 => Err(Failure::reject("no such price")),
        _ => Ok(()),
    });
    let letters = inbox.dead_letters();
    let with_letters = || letters.clone().retried_through(rig.place.clone());
    let consumer = rig.consumer().handled_by(inbox.effects(rejecting));
    rig.run(consumer.dead_letters(with_letters())).await;
    let cleaner = inbox.cleaner(&rig.bus);
    assert_eq!(cleaner.clean_once().await.unwrap().deleted, 2);
    assert_eq!(rig.records().await, (0, 1));
    let queue = letters.queue(&rig.bus, rig.place.clone());
    queue.redrive(LetterFilter::open()).await.unwrap();
    // The record stays while the event is on its way.
    assert_eq!(cleaner.clean_once().await.unwrap().deleted, 0);
    let run = async || {
        let consumer = rig.consumer().handled_by(inbox.effects(billing()));
        rig.run(consumer.dead_letters(with_letters())).await
    };
    let report = run().await;
    assert_eq!((report.handled, report.dead_lettered), (1, 0));
    assert_eq!(rig.invoices().await, [1, 2, 3]);

    // The retry stream may deliver it again: its record stays. It is taken away by hand here, and the
    // letter is sent once more.
    assert_eq!(cleaner.clean_once().await.unwrap().deleted, 0);
    assert_eq!(rig.records().await, (1, 0));
    sqlx::query("delete from event_inbox")
        .execute(&rig.pool)
        .await
        .unwrap();
    let letter = queue.list(&LetterFilter::all(), Page::ALL).await.unwrap();
    let mut letter = queue.show(letter[0].id).await.unwrap().unwrap().letter;
    letter.redrive = 7;
    let audit = event_sdk::dead_letters::Audit::by("alice");
    let sent = rig.bus.redrive_letter(&rig.place, 1, &letter, None, &audit);
    sent.await.unwrap();
    let report = run().await;
    assert_eq!((report.handled, report.dead_lettered), (0, 1));
    assert_eq!(rig.invoices().await, [1, 2, 3]);
    // That it was too old does not prove that it was not handled: neither alone nor in a batch.
    queue.redrive(LetterFilter::open()).await.unwrap();
    let report = run().await;
    assert_eq!((report.handled, report.dead_lettered), (0, 1));
    sqlx::query("delete from invoices where order_id = 2")
        .execute(&rig.pool)
        .await
        .unwrap();
    queue.redrive(LetterFilter::open()).await.unwrap();
    let (at_most, within) = (64, Duration::from_millis(1));
    let batches = inbox.batches(billing());
    let consumer = rig.consumer().batches_handled_by(at_most, within, batches);
    let report = rig.run(consumer.dead_letters(with_letters())).await;
    assert_eq!((report.handled, report.dead_lettered), (0, 1));
    assert_eq!(rig.invoices().await, [1, 3]);
}

#[tokio::test]
async fn records_of_a_consumer_that_is_gone_are_kept_and_named() {
    let rig = Rig::new().await;
    let inbox = short(&rig);
    rig.place_orders([1]).await;
    rig.run(rig.consumer().handled_by(inbox.effects(billing())))
        .await;
    reset(&rig).await;
    let report = inbox.cleaner(&rig.bus).clean_once().await.unwrap();
    assert_eq!((report.deleted, report.kept.len()), (0, 1));
    assert_eq!(&*report.kept[0].0.consumer, "billing");
}

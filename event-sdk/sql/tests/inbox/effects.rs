//! Effects: once for each event, in one transaction with its record.

use std::sync::{Arc, Mutex};

use event_sdk::consumer::{Failure, FailureClass};
use event_sdk::transport::ErrorKind;
use event_sdk_sql::{Committed, EffectTx, Inbox, StoreErrorKind};

use crate::database::Db;
use crate::rig::{Billing, OrderBilled, OrderPlaced, Rig, billing, write_invoice};

#[tokio::test]
async fn an_event_that_comes_twice_has_one_effect() {
    let rig = Rig::new().await;
    rig.place_twice(1).await;
    rig.place_orders([2]).await;
    let billing = billing();
    let begun = Arc::clone(&billing.begun);
    let consumer = rig.consumer().handled_by(rig.inbox.effects(billing));
    let report = rig.run(consumer).await;
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (2, 1, 0)
    );
    assert_eq!(rig.invoices().await, [1, 2]);
    assert_eq!(rig.records().await, (2, 0));
    assert_eq!(begun.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_failed_effect_leaves_nothing_and_succeeds_later() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let billing = Billing::new(|_, attempt| match attempt {
        1 => Err(Failure::retry("not now")),
        _ => Ok(()),
    });
    // Without a rollback the second attempt would find the invoice, or the record.
    let report = rig
        .run(rig.consumer().handled_by(rig.inbox.effects(billing)))
        .await;
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (1, 0, 1)
    );
    assert_eq!(rig.invoices().await, [1]);
}

#[tokio::test]
async fn a_publish_without_an_outbox_says_what_to_do() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let seen = Arc::new(Mutex::new(None));
    let kind = Arc::clone(&seen);
    let inbox = Inbox::new(rig.service.clone());
    let effect = inbox.effect(move |placed: OrderPlaced, mut tx: EffectTx<Db>| {
        let kind = Arc::clone(&kind);
        async move {
            let order = placed.order;
            let error = tx.publish(OrderBilled { order }).await.unwrap_err();
            *kind.lock().unwrap() = Some((error.kind(), error.to_string()));
            tx.commit().await
        }
    });
    rig.run(rig.consumer().on_handler(effect)).await;
    let (kind, text) = seen.lock().unwrap().take().unwrap();
    assert_eq!(kind, StoreErrorKind::InvalidOption);
    assert!(text.contains("InboxBuilder::outbox"), "{text}");
}

#[tokio::test]
async fn a_closure_owns_its_transaction_and_its_commit_acknowledges() {
    let rig = Rig::new().await;
    rig.place_twice(1).await;
    let effect = rig
        .inbox
        .effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            write_invoice(&mut tx, &placed).await?;
            tx.commit().await
        });
    let report = rig.run(rig.consumer().on_handler(effect)).await;
    assert_eq!((report.handled, report.done_before), (1, 1));
    assert_eq!(rig.invoices().await, [1]);
}

#[tokio::test]
async fn an_error_after_the_commit_changes_nothing() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let effect = rig
        .inbox
        .effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            write_invoice(&mut tx, &placed).await?;
            let _committed = tx.commit().await?;
            Err::<Committed, _>(Failure::reject("after the commit"))
        });
    let letters = rig.inbox.dead_letters();
    let consumer = rig.consumer().on_handler(effect).dead_letters(letters);
    let report = rig.run(consumer).await;
    // It is done, so it is not dead.
    assert_eq!((report.done_before, report.dead_lettered), (1, 0));
    assert_eq!(rig.records().await, (1, 0));
    assert_eq!(rig.count("select count(*) from event_dead_letter").await, 0);
    assert_eq!(rig.invoices().await, [1]);
}

#[tokio::test]
async fn the_proof_of_another_delivery_acknowledges_nothing() {
    let rig = Rig::new().await;
    rig.place_orders([1, 2]).await;
    let kept: Arc<Mutex<Option<Committed>>> = Arc::default();
    let effect = rig
        .inbox
        .effect(move |placed: OrderPlaced, mut tx: EffectTx<Db>| {
            let kept = Arc::clone(&kept);
            async move {
                if placed.order == 1 {
                    write_invoice(&mut tx, &placed).await?;
                    *kept.lock().unwrap() = Some(tx.commit().await?);
                    return Err(Failure::retry("its proof is kept"));
                }
                let other = kept.lock().unwrap().take();
                if let Some(other) = other {
                    // The transaction of this event is rolled back.
                    return Ok(other);
                }
                write_invoice(&mut tx, &placed).await?;
                tx.commit().await
            }
        });
    let report = rig.run(rig.consumer().on_handler(effect)).await;
    // 1: committed, then repeated. 2: the foreign proof failed, then handled.
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (1, 1, 2)
    );
    assert_eq!(rig.invoices().await, [1, 2]);
}

#[tokio::test]
async fn an_effect_that_ends_its_transaction_is_not_acknowledged_as_done() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let effect = rig
        .inbox
        .effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            write_invoice(&mut tx, &placed).await?;
            sqlx::raw_sql("rollback").execute(&mut *tx).await?;
            tx.commit().await
        });
    let report = rig.run(rig.consumer().on_handler(effect)).await;
    assert_eq!(
        (report.handled, report.failed_attempts, report.terminated),
        (0, 3, 1)
    );
    assert_eq!(rig.records().await, (0, 1));
    assert!(rig.invoices().await.is_empty());
}

#[tokio::test]
async fn missing_tables_are_an_error_at_start() {
    let rig = Rig::new().await;
    let drop_table = "drop table event_inbox_owner";
    sqlx::query(drop_table).execute(&rig.pool).await.unwrap();
    let consumer = rig.consumer().handled_by(rig.inbox.effects(billing()));
    let error = consumer.run().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    let text = error.to_string();
    assert!(
        text.contains("migrations") && text.contains("billing"),
        "{text}"
    );
}

#[tokio::test]
async fn errors_of_the_database_in_an_effect_have_their_class() {
    let rig = Rig::new().await;
    rig.place_orders([1, 2]).await;
    // An invoice that violates a constraint is no outage: the second attempt succeeds.
    let effect = rig
        .inbox
        .effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            write_invoice(&mut tx, &placed).await?;
            if tx.ctx().attempt() == 1 {
                write_invoice(&mut tx, &placed).await?;
            }
            tx.commit().await
        });
    let report = rig.run(rig.consumer().on_handler(effect)).await;
    assert_eq!(
        (report.handled, report.failed_attempts, report.outages),
        (2, 2, 0)
    );
    assert_eq!(
        event_sdk_sql::class_of(&sqlx::Error::PoolTimedOut),
        Some(FailureClass::Outage)
    );
}

//! What only PostgreSQL does: transactions that have ended without saying so, and locks of rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_sdk::consumer::ProbeInterval;
use event_sdk_sql::EffectTx;
use sqlx::Row as _;
use tokio::sync::Notify;

use crate::database::Db;
use crate::rig::{OrderPlaced, Rig, billing, eventually, write_invoice};

/// How many connections to this database wait for a lock.
const WAITING: &str = "select count(*) from pg_stat_activity \
    where datname = current_database() and wait_event_type = 'Lock'";

/// After an error PostgreSQL answers a COMMIT with a rollback, and without an error.
#[tokio::test]
async fn an_effect_that_ignores_an_error_is_not_acknowledged_as_done() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let effect = rig
        .inbox
        .effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            write_invoice(&mut tx, &placed).await?;
            if tx.ctx().attempt() == 1 {
                let ignored = write_invoice(&mut tx, &placed).await;
                assert!(ignored.is_err());
            }
            tx.commit().await
        });
    let report = rig.run(rig.consumer().on_handler(effect)).await;
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (1, 0, 1)
    );
    assert_eq!(rig.invoices().await, [1]);
}

#[tokio::test]
async fn an_effect_that_commits_by_itself_is_noticed() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let effect = rig
        .inbox
        .effect(|placed: OrderPlaced, mut tx: EffectTx<Db>| async move {
            write_invoice(&mut tx, &placed).await?;
            sqlx::raw_sql("commit").execute(&mut *tx).await?;
            tx.commit().await
        });
    let report = rig.run(rig.consumer().on_handler(effect)).await;
    // The record was committed with the effect, so the second attempt is a repeat.
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (0, 1, 1)
    );
    assert_eq!(rig.invoices().await, [1]);
}

/// A process that is frozen within an effect must not hold up other deliveries of its event.
#[tokio::test]
async fn the_transaction_of_an_effect_may_not_be_idle_for_long_also_without_an_owner() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let seen = Arc::new(std::sync::Mutex::new(String::new()));
    let note = Arc::clone(&seen);
    let effect = rig
        .inbox
        .effect(move |_: OrderPlaced, mut tx: EffectTx<Db>| {
            let note = Arc::clone(&note);
            async move {
                let show = "select current_setting('idle_in_transaction_session_timeout')";
                let limit: String = sqlx::query(show)
                    .persistent(false)
                    .fetch_one(&mut *tx)
                    .await?
                    .get(0);
                *note.lock().unwrap() = limit;
                tx.commit().await
            }
        });
    let consumer = rig.consumer().handler_timeout(Duration::from_secs(7));
    rig.run(consumer.on_handler(effect)).await;
    assert_eq!(*seen.lock().unwrap(), "12s");
    // It ends with the transaction: nothing is left on the connection.
    let show = "select current_setting('idle_in_transaction_session_timeout')";
    let mut tx = rig.service.begin().await.unwrap();
    let left = sqlx::query(show)
        .persistent(false)
        .fetch_one(&mut *tx)
        .await;
    assert_eq!(left.unwrap().get::<String, _>(0), "0");
}

#[tokio::test]
async fn of_two_handlers_of_one_event_at_the_same_time_one_has_the_effect() {
    let rig = Rig::new().await;
    rig.place_twice(1).await;
    // The first one stays in its transaction until the other one waits for its record.
    let pool = rig.pool.clone();
    let effect = rig
        .inbox
        .effect(move |placed: OrderPlaced, mut tx: EffectTx<Db>| {
            let pool = pool.clone();
            async move {
                write_invoice(&mut tx, &placed).await?;
                for _ in 0..200 {
                    let waiting: i64 = sqlx::query(WAITING).fetch_one(&pool).await?.get(0);
                    if waiting > 0 {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                tx.commit().await
            }
        });
    let report = rig
        .run(rig.consumer().concurrency(2).on_handler(effect))
        .await;
    assert_eq!(
        (report.handled, report.done_before, report.failed_attempts),
        (1, 1, 0)
    );
    assert_eq!(rig.invoices().await, [1]);
}

/// An owner is frozen within an effect. Its successor waits for it, and then the owner finds itself
/// replaced.
#[tokio::test]
async fn a_takeover_waits_for_an_effect_and_refuses_later_ones() {
    let rig = Rig::new().await;
    rig.place_orders([1]).await;
    let owner = || {
        rig.consumer()
            .single_active_for(Duration::from_secs(2))
            .probe_interval(ProbeInterval::every(Duration::from_millis(20)))
    };
    let report = rig
        .run(owner().handled_by(rig.inbox.effects(billing())))
        .await;
    assert_eq!(report.handled, 1);
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go_on));
    let effect = rig
        .inbox
        .effect(move |placed: OrderPlaced, mut tx: EffectTx<Db>| {
            let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
            async move {
                write_invoice(&mut tx, &placed).await?;
                tell.notify_one();
                if placed.order == 2 {
                    wait.notified().await;
                }
                tx.commit().await
            }
        });
    rig.place_orders([2]).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = owner().on_handler(effect);
    let running = tokio::spawn(running.run_until(async { drop(stopped.await) }));
    begun.notified().await;
    let taken = Arc::new(AtomicBool::new(false));
    let (pool, done) = (rig.database.direct().await, Arc::clone(&taken));
    let successor = tokio::spawn(async move {
        let raise = "update event_inbox_owner set epoch = epoch + 1000";
        sqlx::query(raise).execute(&pool).await.unwrap();
        done.store(true, Ordering::Relaxed);
    });
    eventually("the takeover waits", async || rig.count(WAITING).await > 0).await;
    assert!(!taken.load(Ordering::Relaxed));
    go_on.notify_one();
    successor.await.unwrap();
    eventually("the effect", async || rig.invoices().await == [1, 2]).await;
    rig.place_orders([3]).await;
    tokio::time::timeout(Duration::from_millis(300), begun.notified())
        .await
        .unwrap_err();
    drop(stop);
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.handled, report.failed_attempts), (1, 0));
    assert_eq!(rig.invoices().await, [1, 2]);
}

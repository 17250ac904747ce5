//! PostgreSQL is killed while effects run: an outage, after which every event has its effect once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event_sdk::consumer::ProbeInterval;
use event_sdk::dead_letters::LetterFilter;
use event_sdk_sql::EffectTx;
use event_sdk_test_servers::postgres::Postgres as Server;
use tokio::sync::{mpsc, watch};

use crate::database::{Database, Db};
use crate::rig::{OrderBilled, OrderPlaced, Rig, write_invoice};

/// Effects of these orders stand in their transactions until the server is killed. The others run then.
const HELD: [i64; 3] = [10, 25, 40];

const ORDERS: i64 = 60;

#[tokio::test]
async fn effects_on_a_server_that_is_killed_happen_once_and_count_no_attempt() {
    let mut server = Server::options().durable().start().await.unwrap();
    let rig = Rig::over(Database::on(&server).await).await;
    rig.place_orders(1..=ORDERS).await;
    let (held, mut holding) = mpsc::unbounded_channel();
    let (failed, mut failures) = mpsc::unbounded_channel();
    let (kills, killed) = watch::channel(0);
    let attempts = Arc::new(AtomicU32::new(0));
    let highest = Arc::clone(&attempts);
    let effect = rig
        .inbox
        .effect(move |placed: OrderPlaced, mut tx: EffectTx<Db>| {
            let (held, failed, mut killed) = (held.clone(), failed.clone(), killed.clone());
            highest.fetch_max(tx.ctx().attempt(), Ordering::Relaxed);
            async move {
                let order = placed.order;
                write_invoice(&mut tx, &placed).await?;
                tx.publish(OrderBilled { order }).await?;
                // Only before its kill: its event comes again then.
                if let Some(at) = HELD.iter().position(|it| *it == order)
                    && *killed.borrow() <= at
                {
                    held.send(order).unwrap();
                    killed.wait_for(|kills| *kills > at).await.unwrap();
                }
                let committed = tx.commit().await;
                if committed.is_err() {
                    failed.send(order).unwrap();
                }
                committed
            }
        });
    let consumer = rig
        .consumer()
        .concurrency(4)
        .handler_timeout(Duration::from_mins(1))
        .probe_interval(ProbeInterval::every(Duration::from_millis(20)))
        .dead_letters(rig.inbox.dead_letters().retried_through(rig.place.clone()))
        .on_handler(effect);
    let watched = rig.share();
    let running = tokio::spawn(consumer.run_until(async move { watched.settled().await }));
    for order in HELD {
        assert_eq!(holding.recv().await, Some(order));
        server.kill().await.unwrap();
        kills.send_modify(|kills| *kills += 1);
        // A commit of another effect may fail too, and its event may be done nevertheless.
        while failures.recv().await != Some(order) {}
        server.restart().await.unwrap();
    }
    let report = running.await.unwrap().unwrap();
    assert!(report.outages >= 3, "{report}");
    let orders = ORDERS.try_into().unwrap();
    assert_eq!(
        (report.handled + report.done_before, report.failed_attempts),
        (orders, 0),
        "{report}"
    );
    assert_eq!(
        (report.dead_lettered, report.terminated),
        (0, 0),
        "{report}"
    );
    assert_eq!(attempts.load(Ordering::Relaxed), 1);
    assert_eq!(rig.invoices().await, (1..=ORDERS).collect::<Vec<_>>());
    assert_eq!(rig.records().await, (orders, 0));
    assert_eq!(rig.count("select count(*) from event_outbox").await, ORDERS);
    let letters = rig.inbox.dead_letters().queue(&rig.bus, rig.place.clone());
    assert_eq!(letters.count(&LetterFilter::all()).await.unwrap(), 0);
}

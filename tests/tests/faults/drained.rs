//! Drain of a busy service: running handlers, acks in flight, undelivered events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use event_sdk::transport::Drained;
use event_sdk::{Delivery, Subscriber};
use tokio::sync::mpsc;

use crate::events::Counted;
use crate::ledger::Ledger;
use crate::rig::{Service, all_settled, connect, start};
use crate::work::{Traffic, eventually, next, number, receive_until, within};

/// How long a drain waits for handlers.
const DEADLINE: Duration = Duration::from_secs(10);

/// Far longer than the test: what comes again was put back.
const ACK_WAIT: Duration = Duration::from_mins(5);

async fn subscribe(service: &Service, prefetch: usize) -> Subscriber<Counted> {
    let subscription = service
        .bus
        .subscribe::<Counted>()
        .durable("worker")
        .ack_wait(ACK_WAIT)
        .prefetch(prefetch);
    within("a subscription", async { subscription.await })
        .await
        .expect("it subscribes")
}

/// Takes deliveries until the drain, and hands each to a handler that works for a
/// while, or, every tenth, hangs; what those have in hand.
async fn handle(
    mut subscriber: Subscriber<Counted>,
    ledger: &Ledger,
    hang: &AtomicU64,
) -> Vec<Delivery<Counted>> {
    let (handlers, mut at_work) = mpsc::channel::<()>(1);
    let mut hanging = Vec::new();
    loop {
        match next(&mut subscriber, ledger).await {
            Some(Ok(delivery)) => {
                let number = number(&delivery);
                if number % 10 == 7 {
                    hanging.push(delivery);
                    hang.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let working = handlers.clone();
                tokio::spawn(async move {
                    // The work.
                    tokio::time::sleep(Duration::from_millis(50 + number % 7 * 40)).await;
                    delivery.ack().await.expect("there is time for it");
                    drop(working);
                });
            }
            Some(Err(error)) => panic!("a drain is no failure: {error:?}"),
            None => break,
        }
    }
    drop(handlers);
    // All that work have finished before the drain is over.
    assert!(at_work.recv().await.is_none());
    hanging
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_finish_and_the_rest_goes_to_others() {
    let ledger = Ledger::new("drained under load");
    let (server, leaving) = start().await;
    let (staying, publishing) = (connect(server.url()).await, connect(server.url()).await);
    let (traffic, idle) = (Traffic::new(), Traffic::new());
    let subscriber = subscribe(&leaving, 50).await;
    let hang = AtomicU64::new(0);
    let handling = handle(subscriber, &ledger, &hang);

    let working = async {
        let draining = async {
            // In the middle of it.
            eventually("handlers that hang", async || {
                (hang.load(Ordering::Relaxed) >= 5).then_some(())
            })
            .await;
            let begun = Instant::now();
            let drained = within("the drain", leaving.bus.drain(DEADLINE)).await;
            let drained = drained.expect("it drains");
            let took = begun.elapsed();
            assert!(took >= DEADLINE, "{took:?}: some handlers hang");
            assert!(took < 3 * DEADLINE, "it took {took:?}");
            traffic.end();
            drained
        };
        let (drained, ()) = tokio::join!(
            draining,
            traffic.publish_batches(&publishing.bus, &ledger, 10),
        );
        drained
    };
    let mut others = subscribe(&staying, 50).await;
    let ((hanging, drained), ()) = within("all to be received", async {
        let work = async {
            let both = tokio::join!(handling, working);
            all_settled(&server, "worker").await;
            idle.end();
            both
        };
        tokio::join!(work, receive_until(&mut others, &ledger, idle.ended()))
    })
    .await;
    let Drained {
        settled,
        given_back,
    } = drained;
    assert!(settled > 0, "{drained:?}: handlers were at work");
    assert!(given_back >= hanging.len() as u64, "{drained:?}");
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
    // What a handler had and did not finish came again, and nothing else.
    assert_eq!(totals.repeated, hanging.len() as u64, "{drained:?}");
}

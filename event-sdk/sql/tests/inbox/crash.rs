//! A service that is dropped after each number of its steps, again and again, until everything is done:
//! nothing is lost, no effect is doubled, and nothing is done *and* dead.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use event_sdk::consumer::{Consumer, Failure, Retry};
use event_sdk::dead_letters::{DeadLetterClass, DeadLetters, LetterFilter, Page};
use event_sdk_sql::{EffectOf, EffectTx};
use tokio::sync::oneshot;

use crate::database::Db;
use crate::rig::{OrderBilled, OrderPlaced, Rig, write_invoice};

/// Polls a future this many times, and drops it then. Returns whether it was ready before.
async fn crash_after<F: Future>(polls: u32, future: F) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

/// Starts processes of which each gets one step further than the one before, until one comes to the end.
async fn crash_more_and_more(rig: &Rig, consumer: impl Fn() -> Consumer<OrderPlaced>) {
    let begin = Instant::now();
    for polls in 1.. {
        // In a task of its own, so that only steps of the consumer count.
        let (all, (settled, told)) = (rig.share(), oneshot::channel::<()>());
        let watching = tokio::spawn(async move {
            all.settled().await;
            drop(settled);
        });
        // A handler that was dropped counts as one that has ended its process.
        let retry = Retry::steps([Duration::from_millis(1)]).max_attempts(100_000);
        let consumer = consumer().ack_wait(Duration::from_millis(100)).retry(retry);
        let ended = crash_after(polls, consumer.run_until(async { drop(told.await) })).await;
        watching.abort();
        if ended {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_mins(5),
            "no process comes to the end"
        );
    }
}

/// Writes an invoice and publishes it; refuses order 3.
struct Service;

impl EffectOf<OrderPlaced, Db> for Service {
    async fn apply(&self, placed: OrderPlaced, tx: &mut EffectTx<Db>) -> Result<(), Failure> {
        write_invoice(tx, &placed).await?;
        tx.publish(OrderBilled {
            order: placed.order,
        })
        .await?;
        match placed.order {
            3 => Err(Failure::reject("no such price")),
            _ => Ok(()),
        }
    }
}

/// Checks invoices, outgoing events and inbox rows: they are the same after any number of crashes.
async fn check(rig: &Rig) {
    assert_eq!(rig.invoices().await, [1, 2, 4]);
    assert_eq!(rig.count("select count(*) from event_outbox").await, 3);
    assert_eq!(rig.records().await, (3, 1));
}

async fn crash_everywhere(letters: impl Fn(&Rig) -> DeadLetters, batches: bool) {
    let rig = Rig::new().await;
    rig.place_orders(1..=4).await;
    let service = || {
        let consumer = rig.consumer().dead_letters(letters(&rig));
        let within = Duration::from_millis(1);
        if batches {
            consumer.batches_handled_by(4, within, rig.inbox.batches(Service))
        } else {
            consumer.handled_by(rig.inbox.effects(Service))
        }
    };
    crash_more_and_more(&rig, service).await;
    check(&rig).await;
}

#[tokio::test]
async fn effects_with_letters_in_the_database() {
    let letters = |rig: &Rig| rig.inbox.dead_letters().retried_through(rig.place.clone());
    crash_everywhere(letters, false).await;
}

#[tokio::test]
async fn batches_with_letters_in_the_database() {
    let letters = |rig: &Rig| rig.inbox.dead_letters().retried_through(rig.place.clone());
    crash_everywhere(letters, true).await;
}

#[tokio::test]
async fn a_letter_in_a_stream_is_written_once() {
    let rig = Rig::new().await;
    rig.place_orders(1..=4).await;
    crash_more_and_more(&rig, || {
        let consumer = rig.consumer().dead_letters(DeadLetters::stream("DLQ"));
        consumer.handled_by(rig.inbox.effects(Service))
    })
    .await;
    check(&rig).await;
    let letters = rig.bus.dead_letters("DLQ");
    let letters = letters.list(&LetterFilter::all(), Page::ALL).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].class, DeadLetterClass::Rejected);
}

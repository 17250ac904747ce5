//! `Readiness`: false, true while the consumer receives, and false before the drain begins.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Ctx, Failure};
use tokio::sync::Notify;

use crate::journal::{Journal, OrderPlaced, place};

#[tokio::test(start_paused = true)]
async fn it_ends_before_handlers_learn_of_the_end() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let readiness = consumer.readiness();
    let seen = readiness.clone();
    let consumer = consumer.on(move |_: OrderPlaced, ctx: Ctx| {
        let (notes, seen) = (notes.clone(), seen.clone());
        async move {
            notes.note(format!("handling, ready {}", seen.is_ready()));
            ctx.cancelled().await;
            notes.note(format!("ending, ready {}", seen.is_ready()));
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok(())
        }
    });
    assert!(!readiness.is_ready(), "nothing is bound");
    let mut changes = readiness.clone();
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let running = tokio::spawn(consumer.run_until(async move { stopped.notified().await }));
    assert_eq!(changes.changed().await, Some(true));
    journal.wait(1).await;
    stop.notify_one();
    assert_eq!(changes.changed().await, Some(false));
    assert!(!running.is_finished(), "the handler runs");
    journal.wait(2).await;
    assert_eq!(
        journal.notes(),
        ["handling, ready true", "ending, ready false"]
    );
    assert_eq!(running.await.unwrap().unwrap().handled, 1);
    assert_eq!(changes.changed().await, None);
    assert!(!readiness.is_ready());
}

#[tokio::test(start_paused = true)]
async fn neither_failures_nor_an_outage_change_it() {
    for outage in [false, true] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        for number in 1..=20 {
            place(&bus, "a", number).await;
        }
        let notes = journal.clone();
        let consumer =
            bus.consumer::<OrderPlaced>("billing")
                .ordered_by_key()
                .on(move |_: OrderPlaced, _| {
                    notes.note("attempt");
                    let failure = if outage {
                        Failure::outage("the database is away")
                    } else {
                        Failure::retry("later")
                    };
                    async { Err(failure) }
                });
        let (ready, mut changes) = (consumer.readiness(), consumer.readiness());
        let done = journal.clone();
        let running = tokio::spawn(consumer.run_until(async move { done.wait(5).await }));
        assert_eq!(changes.changed().await, Some(true));
        journal.wait(4).await;
        assert!(ready.is_ready());
        assert!(ready.clone().is_ready());
        running.await.unwrap().unwrap();
        // One change more, and then none.
        assert_eq!(changes.changed().await, Some(false));
        assert_eq!(changes.changed().await, None);
    }
}

#[tokio::test]
async fn a_consumer_that_does_not_start_is_never_ready() {
    let bus = EventBus::memory();
    let consumer = bus.consumer::<OrderPlaced>("billing").must_exist();
    let consumer = consumer.on(|_: OrderPlaced, _| async { Ok(()) });
    let mut changes = consumer.readiness();
    consumer.run().await.unwrap_err();
    assert_eq!(changes.changed().await, None);
    assert!(!changes.is_ready());
}

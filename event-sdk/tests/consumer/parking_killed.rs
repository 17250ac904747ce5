//! The owner of a consumer is killed at every step between an event of a held key and the end of its
//! park: the order holds, and an event is repeated only directly after itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{ConsumerReport, Ctx, Failure, Retry};
use event_sdk::dead_letters::{DeadLetterClass, DeadLetters, LetterFilter, Page};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::journal::{Journal, OrderPlaced, left, place};
use crate::slow::Slow;

const EVENTS: u64 = 8;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The owner. Event 1 fails twice, so that later ones wait in the park; event 5 fails until it is
/// repaired.
fn owner(
    bus: &EventBus,
    letters: DeadLetters,
    journal: &Journal,
    repaired: &Arc<AtomicBool>,
) -> (oneshot::Sender<()>, JoinHandle<ConsumerReport>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (journal, repaired) = (journal.clone(), Arc::clone(repaired));
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .max_ack_pending(8)
        .ack_wait(millis(500))
        .retry(Retry::steps([millis(20)]).max_attempts(6))
        .single_active_for(millis(200))
        .dead_letters(letters)
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let fails = match order.number {
                1 if ctx.attempt() < 3 => Err(Failure::retry("not yet")),
                5 if !repaired.load(Ordering::Relaxed) => Err(Failure::reject("never")),
                _ => Ok(()),
            };
            let journal = journal.clone();
            async move {
                if fails.is_ok() {
                    journal.note(order.number.to_string());
                }
                tokio::time::sleep(millis(1)).await;
                fails
            }
        });
    let task = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        consumer.run_until(stopped).await.unwrap()
    });
    (stop, task)
}

/// Runs the owner, kills it after so many steps, and lets another one go on. Returns how many events were
/// repeated, and whether all was done when it was killed.
async fn killed_after(steps: u64, letters: DeadLetters) -> (usize, bool) {
    let sequenced = letters.is_sequenced();
    let (transport, bus) = Slow::buses();
    let slow = EventBus::builder().transport(transport.clone()).unwrap();
    let (journal, repaired) = (Journal::new(), Arc::new(AtomicBool::new(false)));
    for number in 1..=EVENTS {
        place(&bus, "a", number).await;
    }
    let queue = bus.dead_letters("DLQ");
    let park = queue.park("billing");
    let done = async || {
        // In sequenced mode the letter is handled, otherwise it stays.
        let open = queue.count(&LetterFilter::open()).await.unwrap();
        let is_left = park.keys().await.unwrap().is_empty() && open == u64::from(!sequenced);
        let settled = journal.notes().contains(&EVENTS.to_string());
        settled && is_left && left(&bus, "billing").await == (0, 0)
    };
    // The operator repairs the service, and asks once more if a request came too late.
    let operator = async {
        loop {
            tokio::time::sleep(millis(20)).await;
            let keys = park.keys().await.unwrap();
            if keys.first().is_some_and(|state| state.dead) {
                repaired.store(true, Ordering::Relaxed);
                if park.requests().await.unwrap().is_empty() {
                    queue.redrive(LetterFilter::open()).await.unwrap();
                }
            }
        }
    };
    let killing = async {
        let (_stop, task) = owner(&slow, letters.clone(), &journal, &repaired);
        let mut was_done = false;
        let reached = transport.reached(steps);
        tokio::select! {
            () = reached => {}
            () = until(&done) => was_done = true,
        }
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let (stop, task) = owner(&slow, letters.clone(), &journal, &repaired);
        until(&done).await;
        stop.send(()).unwrap();
        task.await.unwrap();
        was_done
    };
    let was_done = tokio::select! {
        was_done = killing => was_done,
        () = operator => unreachable!(),
    };
    let mut order: Vec<u64> = journal
        .notes()
        .iter()
        .map(|it| it.parse().unwrap())
        .collect();
    let handled = order.len();
    order.dedup();
    let expected = (1..=EVENTS).filter(|number| sequenced || *number != 5);
    assert!(order.iter().copied().eq(expected), "{steps}: {journal:?}");
    (handled - order.len(), was_done)
}

/// Waits until all is done, for ten minutes of virtual time at most.
async fn until(done: &impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < Duration::from_secs(600), "waited in vain");
        tokio::time::sleep(millis(50)).await;
    }
}

async fn ended(journal: Journal, notes: usize) {
    journal.wait(notes).await;
}

async fn killed_at_every_step(letters: DeadLetters) {
    let mut repeats = 0;
    let mut steps = 0;
    loop {
        let (repeated, was_done) = killed_after(steps, letters.clone()).await;
        repeats += repeated;
        if was_done {
            break;
        }
        steps += 1;
    }
    println!("killed at each of {steps} steps: {repeats} repeats");
    assert!(steps >= 40 && repeats > 0, "{steps} {repeats}");
}

#[tokio::test(start_paused = true)]
async fn a_crowded_key_keeps_its_order() {
    killed_at_every_step(DeadLetters::stream("DLQ")).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_key_keeps_its_order() {
    killed_at_every_step(DeadLetters::stream("DLQ").sequenced()).await;
}

/// The process ends each time that a handler of a parked event runs: that event becomes a letter, and
/// no other one.
#[tokio::test(start_paused = true)]
async fn a_parked_event_that_kills_its_process_is_found() {
    let (_slow, bus) = Slow::buses();
    for number in 1..=EVENTS {
        place(&bus, "a", number).await;
    }
    let (fatal, journal) = (4, Journal::new());
    let mut starts = 0;
    let queue = bus.dead_letters("DLQ");
    loop {
        let (kill, killed) = tokio::sync::mpsc::unbounded_channel::<()>();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .ordered_by_key()
            .max_ack_pending(8)
            .ack_wait(millis(500))
            .retry(Retry::steps([millis(20)]).max_attempts(3))
            .single_active_for(millis(200))
            .dead_letters(DeadLetters::stream("DLQ"))
            .on(move |order: OrderPlaced, ctx: Ctx| {
                let (kill, notes) = (kill.clone(), notes.clone());
                async move {
                    if order.number == fatal {
                        kill.send(()).unwrap();
                        std::future::pending::<()>().await;
                    }
                    if order.number == 1 && ctx.attempt() == 1 {
                        return Err(Failure::retry("not yet"));
                    }
                    notes.note(order.number.to_string());
                    Ok(())
                }
            });
        let mut killed = killed;
        let mut running = tokio::spawn(consumer.run_until(ended(journal.clone(), 7)));
        tokio::select! {
            Some(()) = killed.recv() => {
                starts += 1;
                running.abort();
                assert!((&mut running).await.unwrap_err().is_cancelled());
            }
            ended = &mut running => {
                ended.unwrap().unwrap();
                break;
            }
        }
        assert!(starts < 10, "it is started again and again");
    }
    assert!([3, 4].contains(&starts), "{starts}");
    let list = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].class, DeadLetterClass::KilledProcess);
    assert_eq!(list[0].origin.sequence, fatal);
    let order = journal.notes();
    assert_eq!(order, ["1", "2", "3", "5", "6", "7", "8"]);
}

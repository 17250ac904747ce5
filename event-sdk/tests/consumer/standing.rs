//! No consumer stands for long because an event of another one runs alone, or waits to, also behind
//! limits that both share.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Retry};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use tower::limit::{ConcurrencyLimitLayer, GlobalConcurrencyLimitLayer};

use crate::away::Away;
use crate::journal::{Journal, OrderPlaced, left, place};
use crate::process::{Does, consumer, crash, no_records, run, secs, wait};

/// Event 1 of `billing` ends the process twice. It is delivered again after 30 s.
async fn make_suspect(bus: &EventBus, journal: &Journal) {
    place(bus, "a", 1).await;
    for starts in [1, 2] {
        let process = run(consumer(bus, "billing", journal, |_, _| Does::Hang));
        wait(journal, starts).await;
        crash(process).await;
    }
}

/// Waits for a note for this time at most.
async fn wait_for(journal: &Journal, note: &str, within: Duration) {
    let begin = Instant::now();
    while !journal.notes().iter().any(|noted| noted == note) {
        assert!(
            begin.elapsed() < within,
            "no {note} in {within:?}: {:?}",
            journal.timed()
        );
        sleep(Duration::from_millis(100)).await;
    }
}

/// A consumer whose handlers run for some time.
fn slow(
    bus: &EventBus,
    name: &'static str,
    journal: &Journal,
    time_of: impl Fn(u64) -> u64 + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let journal = journal.clone();
    bus.consumer::<OrderPlaced>(name)
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let (journal, time) = (journal.clone(), secs(time_of(order.number)));
            async move {
                let start = format!("{name} {}/{}", order.number, ctx.attempt());
                journal.note(start.clone());
                sleep(time).await;
                journal.note(format!("{start} ended"));
                Ok(())
            }
        })
        .no_handler_timeout()
        .concurrency(4)
        .ack_wait(secs(30))
}

#[tokio::test(start_paused = true)]
async fn an_event_that_may_not_start_keeps_no_place_in_a_limit() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    make_suspect(&bus, &journal).await;
    sleep(secs(25)).await;
    let limit = GlobalConcurrencyLimitLayer::new(1);
    place(&bus, "b", 2).await;
    let billing = run(slow(&bus, "billing", &journal, |number| match number {
        2 => 20,
        _ => 1,
    })
    .layer(limit.clone()));
    wait_for(&journal, "billing 2/1", secs(2)).await;
    // Its first event waits for the place of event 2, and gets it when no other may start.
    let audit = run(slow(&bus, "audit", &journal, |_| 1).layer(limit));
    wait_for(&journal, "billing 1/2 ended", secs(30)).await;
    wait_for(&journal, "audit 2/1 ended", secs(10)).await;
    no_records(&bus).await;
    crash(billing).await;
    crash(audit).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_runs_alone_waits_for_layers_for_a_while_only() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    make_suspect(&bus, &journal).await;
    let places = Arc::new(Semaphore::new(1));
    let taken = Arc::clone(&places).acquire_owned().await.unwrap();
    let billing = run(slow(&bus, "billing", &journal, |_| 1)
        .layer(GlobalConcurrencyLimitLayer::with_semaphore(places)));
    let audit = run(slow(&bus, "audit", &journal, |_| 1));
    wait_for(&journal, "audit 1/1 ended", secs(5)).await;
    // By then event 1 of billing runs alone, but for the limit.
    sleep(secs(40)).await;
    place(&bus, "b", 2).await;
    wait_for(&journal, "audit 2/1 ended", secs(70)).await;
    sleep(secs(300)).await;
    place(&bus, "b", 3).await;
    wait_for(&journal, "audit 3/1 ended", secs(70)).await;
    drop(taken);
    // It has not been started meanwhile, and still runs alone.
    for number in 4..=200 {
        place(&bus, "b", number).await;
    }
    wait_for(&journal, "billing 1/2 ended", secs(70)).await;
    let notes = journal.notes();
    let at = notes.iter().position(|note| note == "billing 1/2").unwrap();
    assert_eq!(notes[at + 1], "billing 1/2 ended", "{notes:?}");
    while left(&bus, "billing").await != (0, 0) {
        sleep(secs(1)).await;
    }
    no_records(&bus).await;
    crash(billing).await;
    crash(audit).await;
}

#[tokio::test(start_paused = true)]
async fn redelivered_events_behind_layers_run_in_their_order() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=4 {
        place(&bus, "a", number).await;
    }
    let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Hang));
    wait(&journal, 4).await;
    crash(process).await;
    let billing = run(slow(&bus, "billing", &journal, |_| 1).layer(ConcurrencyLimitLayer::new(1)));
    wait(&journal, 4 + 8).await;
    let notes = journal.notes().split_off(4);
    let started: Vec<_> = notes.into_iter().step_by(2).collect();
    let order = (1..=4).map(|number| format!("billing {number}/1"));
    assert_eq!(started, order.collect::<Vec<_>>());
    no_records(&bus).await;
    crash(billing).await;
}

#[tokio::test(start_paused = true)]
async fn first_deliveries_go_on_behind_layers_while_the_bucket_does_not_answer() {
    let ((bus, coordination), journal) = (Away::bus(), Journal::new());
    place(&bus, "a", 1).await;
    let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Hang));
    wait(&journal, 1).await;
    crash(process).await;
    coordination.answer_after(secs(20), secs(20));
    coordination.set(true);
    let billing =
        run(consumer(&bus, "billing", &journal, |_, _| Does::Work)
            .layer(ConcurrencyLimitLayer::new(4)));
    while coordination.asked() == 0 {
        sleep(Duration::from_millis(100)).await;
    }
    for number in 2..=10 {
        place(&bus, "b", number).await;
    }
    wait_for(&journal, "billing 10/1 ended", secs(10)).await;
    crash(billing).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_without_a_time_limit_runs_alone_for_a_while_only() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    make_suspect(&bus, &journal).await;
    let billing = run(slow(&bus, "billing", &journal, |_| 100_000));
    wait_for(&journal, "billing 1/2", secs(60)).await;
    place(&bus, "b", 2).await;
    let audit = run(slow(&bus, "audit", &journal, |_| 1));
    sleep(secs(280)).await;
    assert_eq!(journal.notes().len(), 3, "it runs alone for 5 minutes");
    wait_for(&journal, "audit 2/1 ended", secs(30)).await;
    crash(billing).await;
    crash(audit).await;
}

#[tokio::test(start_paused = true)]
async fn a_blocking_handler_runs_alone_until_its_time_is_over() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    make_suspect(&bus, &journal).await;
    sleep(secs(35)).await;
    place(&bus, "b", 2).await;
    // Virtual time stands while a thread blocks.
    tokio::time::resume();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let (blocked, notes) = (std::sync::Mutex::new(blocked), journal.clone());
    let billing = bus
        .consumer::<OrderPlaced>("billing")
        .on_blocking(move |order: OrderPlaced, _| {
            notes.note(format!("blocks {}", order.number));
            if order.number == 1 {
                let _ = blocked.lock().unwrap().recv();
            }
            Ok(())
        })
        .retry(Retry::steps([secs(1)]))
        .handler_timeout(Duration::from_millis(50));
    let billing = run(billing.concurrency(4).ack_wait(secs(30)));
    wait_for(&journal, "blocks 1", secs(30)).await;
    let audit = run(slow(&bus, "audit", &journal, |_| 0));
    wait_for(&journal, "audit 2/1 ended", secs(10)).await;
    drop(release);
    crash(billing).await;
    crash(audit).await;
}

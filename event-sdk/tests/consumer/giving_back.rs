//! An event that is given back was not attempted, whoever reads its record meanwhile.

use std::time::Duration;

use event_sdk::EventBus;

use crate::away::Away;
use crate::journal::{Journal, left, place};
use crate::process::{Does, consumer, crash, no_records, records, run, secs, wait};

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An event whose next delivery, after 30 s, is recorded before it starts.
async fn place_recorded(bus: &EventBus, journal: &Journal) {
    place(bus, "a", 1).await;
    let process = run(consumer(bus, "billing", journal, |_, _| Does::Hang));
    wait(journal, 1).await;
    crash(process).await;
}

#[tokio::test(start_paused = true)]
async fn another_instance_finds_no_start_of_an_event_that_is_given_back() {
    let ((bus, coordination), journal) = (Away::bus(), Journal::new());
    place_recorded(&bus, &journal).await;
    let first = consumer(&bus, "billing", &journal, |_, _| Does::Hang).drain_within(secs(1));
    let started = journal.clone();
    let first = tokio::spawn(first.run_until(async move { started.wait(2).await }));
    wait(&journal, 2).await;
    coordination.answer_after(Duration::ZERO, millis(200));
    // It gets the event as soon as it is given back.
    let second = run(consumer(&bus, "billing", &journal, |_, _| Does::Work));
    let report = first.await.unwrap().unwrap();
    assert_eq!((report.given_back, report.failed_attempts), (1, 0));
    wait(&journal, 4).await;
    let notes = journal.notes();
    assert_eq!(notes[2..], ["billing 1/1", "billing 1/1 ended"]);
    no_records(&bus).await;
    crash(second).await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_does_not_answer_does_not_keep_an_event_that_is_given_back() {
    let ((bus, coordination), journal) = (Away::bus(), Journal::new());
    place_recorded(&bus, &journal).await;
    let first = consumer(&bus, "billing", &journal, |_, _| Does::Hang).drain_within(secs(1));
    let started = journal.clone();
    let first = tokio::spawn(first.run_until(async move { started.wait(2).await }));
    wait(&journal, 2).await;
    coordination.answer_after(Duration::ZERO, secs(1000));
    let begin = tokio::time::Instant::now();
    first.await.unwrap().unwrap();
    assert!(begin.elapsed() <= millis(2100), "{:?}", begin.elapsed());
    coordination.answer_after(Duration::ZERO, Duration::ZERO);
    // It waits in the stream, not for its acknowledgement.
    let second = run(consumer(&bus, "billing", &journal, |_, _| Does::Work));
    wait(&journal, 4).await;
    assert!(begin.elapsed() < secs(5), "{:?}", begin.elapsed());
    while left(&bus, "billing").await != (0, 0) {
        tokio::time::sleep(secs(1)).await;
    }
    crash(second).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_recorded_after_the_drain_is_taken_back() {
    let ((bus, coordination), journal) = (Away::bus(), Journal::new());
    place_recorded(&bus, &journal).await;
    let begin = tokio::time::Instant::now();
    // It is delivered again 30 s later, and its start recorded within 400 ms: after the drain.
    coordination.answer_after(millis(200), millis(200));
    let first = consumer(&bus, "billing", &journal, |_, _| Does::Hang).drain_within(millis(50));
    let report = first.run_until(tokio::time::sleep(millis(30_250)));
    let report = report.await.unwrap();
    assert_eq!((report.given_back, journal.notes().len()), (1, 1));
    assert!(begin.elapsed() < secs(32), "{:?}", begin.elapsed());
    assert_eq!(
        records(&bus).await,
        ["attempts.billing.EVENTS.1 v1 starts=0"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_is_given_back_when_its_start_is_recorded_and_taken_back() {
    let ((bus, coordination), journal) = (Away::bus(), Journal::new());
    place_recorded(&bus, &journal).await;
    let begin = tokio::time::Instant::now();
    coordination.answer_after(millis(200), millis(200));
    let first = consumer(&bus, "billing", &journal, |_, _| Does::Hang).drain_within(millis(50));
    let first = tokio::spawn(first.run_until(tokio::time::sleep(millis(30_250))));
    tokio::time::sleep(millis(30_260)).await;
    // The start is recorded when the drain is over, and before the write of this instance.
    coordination.answer_after(Duration::ZERO, millis(200));
    let second = run(consumer(&bus, "billing", &journal, |_, _| Does::Work));
    wait(&journal, 3).await;
    let report = first.await.unwrap().unwrap();
    assert_eq!((report.given_back, report.failed_attempts), (1, 0));
    let notes = journal.notes();
    assert_eq!(
        notes[1..],
        ["billing 1/1", "billing 1/1 ended"],
        "{:?}",
        journal.timed()
    );
    assert!(begin.elapsed() < secs(33), "{:?}", begin.elapsed());
    no_records(&bus).await;
    crash(second).await;
}

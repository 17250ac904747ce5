//! Attempts across restarts: what is recorded, and what does not count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_sdk::EventBus;
use event_sdk::consumer::Retry;
use event_sdk::dead_letters::{DeadLetterClass, DeadLetters, MemoryDeadLetters};

use crate::away::Away;
use crate::journal::{Journal, left, place};
use crate::process::{Does, consumer, crash, no_records, records, run, secs, wait};

/// When an event of the only record first failed, in milliseconds.
async fn first_failure_of(bus: &EventBus) -> i64 {
    let entries = bus.coordination().list("attempts").await.unwrap();
    let value = String::from_utf8(entries[0].value.to_vec()).unwrap();
    let failed = value.split("failed=").nth(1).unwrap();
    failed.split(':').next().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn attempts_are_counted_over_restarts() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let letters = MemoryDeadLetters::new();
    let retry = Retry::steps([secs(1), secs(1), secs(3000)]).max_attempts(5);
    let mut first_failure = None;
    for notes in [6, 8, 10] {
        let billing = consumer(&bus, "billing", &journal, |_, _| Does::Fail)
            .retry(retry)
            .dead_letters(DeadLetters::memory(&letters));
        let process = run(billing);
        wait(&journal, notes).await;
        if notes < 10 {
            // The third attempt is followed by a long wait, in which the process ends.
            tokio::time::sleep(secs(5)).await;
            let starts = notes / 2;
            let record = format!("attempts.billing.EVENTS.1 v1 starts={starts} last=retry");
            assert_eq!(records(&bus).await, [record]);
            let first = first_failure_of(&bus).await;
            first_failure.get_or_insert(first);
        } else {
            no_records(&bus).await;
        }
        crash(process).await;
    }
    let starts: Vec<_> = journal.notes().into_iter().step_by(2).collect();
    let expected = (1..=5).map(|attempt| format!("billing 1/{attempt}"));
    assert_eq!(starts, expected.collect::<Vec<_>>());
    let letters = letters.letters();
    assert_eq!((letters.len(), letters[0].attempts), (1, 5));
    assert_eq!(letters[0].class, DeadLetterClass::RetryExhausted);
    // The first failure was in another process.
    assert_eq!(
        Some(letters[0].first_failure.as_millisecond()),
        first_failure
    );
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_success_leaves_no_record() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=20 {
        place(&bus, "a", number).await;
    }
    let billing = consumer(&bus, "billing", &journal, |number, attempt| {
        if number % 5 == 0 && attempt == 1 {
            Does::Fail
        } else {
            Does::Succeed
        }
    });
    let process = run(billing);
    wait(&journal, 48).await;
    no_records(&bus).await;
    assert_eq!(left(&bus, "billing").await, (0, 0));
    // A record was written for each of the four that failed, and deleted: no other write was made.
    let next = bus.coordination();
    let revision = next
        .put("probe", "", event_sdk::transport::Revision::Any, None)
        .await
        .unwrap();
    assert_eq!(revision, 4 + 4 + 1);
    crash(process).await;
}

#[tokio::test(start_paused = true)]
async fn an_end_on_purpose_and_an_outage_are_no_attempts() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    // The first start makes the next deliveries recorded ones.
    let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Hang));
    wait(&journal, 1).await;
    crash(process).await;
    for round in 0..4 {
        let does = if round % 2 == 0 {
            Does::Hang
        } else {
            Does::ClaimOutage
        };
        let begin = journal.notes().len();
        let billing = consumer(&bus, "billing", &journal, move |_, _| does).drain_within(secs(1));
        let ends = journal.clone();
        let report = billing.run_until(async move { ends.wait(begin + 1).await });
        let report = report.await.unwrap();
        assert_eq!((report.given_back, report.failed_attempts), (1, 0));
        assert_eq!(
            records(&bus).await,
            ["attempts.billing.EVENTS.1 v1 starts=0"]
        );
    }
    assert!(
        journal
            .notes()
            .iter()
            .all(|note| note.starts_with("billing 1/1"))
    );
    let begin = journal.notes().len();
    let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Succeed));
    wait(&journal, begin + 2).await;
    no_records(&bus).await;
    crash(process).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_the_letter_and_its_acknowledgement_starts_nothing() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let puts = Arc::new(AtomicUsize::new(0));
    let (count, entered) = (Arc::clone(&puts), Arc::new(tokio::sync::Notify::new()));
    let is_entered = Arc::clone(&entered);
    let letters = DeadLetters::with(move |letter| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        let entered = Arc::clone(&is_entered);
        async move {
            assert_eq!(letter.attempts, 1);
            if first {
                entered.notify_one();
                std::future::pending::<()>().await;
            }
            Ok::<(), std::io::Error>(())
        }
    });
    let billing = || {
        consumer(&bus, "billing", &journal, |_, _| Does::Fail)
            .retry(Retry::none())
            .dead_letters(letters.clone())
    };
    let process = run(billing());
    entered.notified().await;
    crash(process).await;
    assert_eq!(
        records(&bus).await,
        ["attempts.billing.EVENTS.1 v1 starts=1 last=retry dead"]
    );
    let process = run(billing());
    no_records(&bus).await;
    assert_eq!(puts.load(Ordering::Relaxed), 2);
    assert_eq!(journal.notes(), ["billing 1/1", "billing 1/1 ended"]);
    assert_eq!(left(&bus, "billing").await, (0, 0));
    crash(process).await;
}

#[tokio::test(start_paused = true)]
async fn without_the_bucket_failed_attempts_are_counted_in_the_process() {
    let ((bus, coordination), journal) = (Away::bus(), Journal::new());
    place(&bus, "a", 1).await;
    coordination.set(true);
    let letters = MemoryDeadLetters::new();
    let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Fail)
        .retry(Retry::steps([secs(1)]).max_attempts(3))
        .dead_letters(DeadLetters::memory(&letters)));
    wait(&journal, 6).await;
    while letters.is_empty() {
        tokio::time::sleep(secs(1)).await;
    }
    assert_eq!(letters.letters()[0].attempts, 3);
    assert!(coordination.asked() >= 3, "each attempt tries to write");
    crash(process).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_given_up_is_not_handled_again_if_its_settlement_is_lost() {
    for (unconfirmed, is_kept) in [(0, true), (2, true), (0, false), (2, false)] {
        let ((bus, transport), journal) = (Away::bus(), Journal::new());
        place(&bus, "a", 1).await;
        transport.lose_acks(unconfirmed);
        let letters = MemoryDeadLetters::new();
        let billing = consumer(&bus, "billing", &journal, |_, _| Does::Fail)
            .retry(Retry::steps([secs(1)]).max_attempts(2));
        let billing = if is_kept {
            billing.dead_letters(DeadLetters::memory(&letters))
        } else {
            billing
        };
        let ended = tokio::time::sleep(secs(600));
        let report = billing.run_until(ended).await.unwrap();
        assert_eq!(report.failed_attempts, 2, "{report}");
        assert_eq!(report.settlements_failed, unconfirmed as u64);
        assert_eq!(letters.letters().len(), usize::from(is_kept));
        assert_eq!(left(&bus, "billing").await, (0, 0));
        no_records(&bus).await;
    }
}

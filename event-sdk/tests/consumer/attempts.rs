//! Attempts across restarts: records, suspects that run alone, and handlers that end the process.
//!
//! The "process" that ends is a consumer whose task is aborted: it settles nothing and records
//! nothing. `tests/tests/consumers/killers.rs` does the same with real processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Outcome, Retry};
use event_sdk::dead_letters::{DeadLetterClass, DeadLetters, MemoryDeadLetters};
use tokio::task::JoinHandle;

use crate::away::Away;
use crate::journal::{Journal, OrderPlaced, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What the handler of an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Succeed,
    Fail,
    ClaimOutage,
    /// It runs until it is aborted.
    Hang,
    /// It runs for a second.
    Work,
}

fn consumer(
    bus: &EventBus,
    name: &'static str,
    journal: &Journal,
    does: impl Fn(u64, u32) -> Does + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let (journal, does) = (journal.clone(), Arc::new(does));
    bus.consumer::<OrderPlaced>(name)
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let (journal, does) = (journal.clone(), Arc::clone(&does));
            async move {
                let attempt = ctx.attempt();
                journal.note(format!("{name} {}/{attempt}", order.number));
                let outcome: Outcome = match does(order.number, attempt) {
                    Does::Succeed => Ok(()),
                    Does::Fail => Err(Failure::retry("declined")),
                    Does::ClaimOutage => Err(Failure::outage("away")),
                    Does::Hang => std::future::pending().await,
                    Does::Work => {
                        tokio::time::sleep(secs(1)).await;
                        Ok(())
                    }
                };
                journal.note(format!("{name} {}/{attempt} ended", order.number));
                outcome
            }
        })
        .no_handler_timeout()
        .concurrency(4)
        .ack_wait(secs(30))
}

/// Runs a consumer until it is aborted.
fn run(consumer: Consumer<OrderPlaced>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let report = consumer.run_until(std::future::pending()).await;
        panic!("the consumer has ended: {report:?}");
    })
}

/// Waits until there are so many notes.
async fn wait(journal: &Journal, notes: usize) {
    let waited = tokio::time::timeout(secs(100_000), journal.wait(notes)).await;
    assert!(
        waited.is_ok(),
        "{notes} notes expected: {:?}",
        journal.notes()
    );
}

/// Ends the process as a crash does.
async fn crash(process: JoinHandle<()>) {
    process.abort();
    assert!(process.await.unwrap_err().is_cancelled());
}

async fn records(bus: &EventBus) -> Vec<String> {
    let entries = bus.coordination().list("attempts").await.unwrap();
    let entry = |entry: event_sdk::transport::CoordinationEntry| {
        let value = String::from_utf8(entry.value.to_vec()).unwrap();
        let words = value.split(' ').filter(|word| {
            // What differs from run to run.
            !["at=", "running=", "failed="]
                .iter()
                .any(|name| word.starts_with(name))
        });
        format!("{} {}", entry.key, words.collect::<Vec<_>>().join(" "))
    };
    entries.into_iter().map(entry).collect()
}

/// When an event of the only record first failed, in milliseconds.
async fn first_failure_of(bus: &EventBus) -> i64 {
    let entries = bus.coordination().list("attempts").await.unwrap();
    let value = String::from_utf8(entries[0].value.to_vec()).unwrap();
    let failed = value.split("failed=").nth(1).unwrap();
    failed.split(':').next().unwrap().parse().unwrap()
}

/// Waits until the bus has no record.
async fn no_records(bus: &EventBus) {
    for _ in 0..1000 {
        if records(bus).await.is_empty() {
            return;
        }
        tokio::time::sleep(secs(1)).await;
    }
    panic!("records are left: {:?}", records(bus).await);
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
async fn an_event_that_ends_the_process_runs_alone_and_dies() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=4 {
        place(&bus, "a", number).await;
    }
    let letters = MemoryDeadLetters::new();
    let mut crashes = 0;
    loop {
        // Only event 2 "kills": all others work for a second.
        let billing = |name| {
            consumer(&bus, name, &journal, |number, _| match number {
                2 => Does::Hang,
                _ => Does::Work,
            })
            .retry(Retry::steps([secs(1)]).max_attempts(3))
            .dead_letters(DeadLetters::memory(&letters))
        };
        let process = run(billing("billing"));
        let begin = journal.notes().len();
        // The process ends half a second after event 2 has started, with whatever runs then.
        let started = async {
            loop {
                let notes = journal.notes();
                if notes[begin..]
                    .iter()
                    .any(|note| note.starts_with("billing 2/"))
                {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        let dead = async {
            while letters.is_empty() {
                tokio::time::sleep(secs(1)).await;
            }
        };
        let over = tokio::select! {
            () = started => false,
            () = dead => true,
        };
        if over {
            tokio::time::sleep(secs(40)).await;
            crash(process).await;
            break;
        }
        crashes += 1;
        crash(process).await;
    }
    assert_eq!(crashes, 4, "one unrecorded start, and three recorded ones");
    let letters = letters.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].origin.sequence, letters[0].attempts), (2, 3));
    assert_eq!(letters[0].class, DeadLetterClass::KilledProcess);
    assert_eq!(left(&bus, "billing").await, (0, 0));
    no_records(&bus).await;
    // The neighbours were in flight twice: at the first start, and at the second. From then on
    // event 2 runs alone.
    for number in [1, 3, 4] {
        let starts = journal.notes().into_iter();
        let starts = starts
            .filter(|note| {
                note.starts_with(&format!("billing {number}/")) && !note.ends_with("ended")
            })
            .count();
        assert!(
            (1..=3).contains(&starts),
            "event {number} was started {starts} times"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspect_runs_alone_in_the_whole_process() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    // Two starts without an outcome, of which the second is recorded.
    for starts in [1, 2] {
        let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Hang));
        wait(&journal, starts).await;
        crash(process).await;
    }
    for number in 2..=40 {
        place(&bus, "a", number).await;
    }
    let begin = journal.notes().len();
    let billing = run(consumer(&bus, "billing", &journal, |_, _| Does::Work));
    let audit = run(consumer(&bus, "audit", &journal, |_, _| Does::Work).concurrency(7));
    // 40 of billing and 40 of audit, each with a start and an end.
    wait(&journal, begin + 160).await;
    let notes = journal.notes().split_off(begin);
    let mut open = std::collections::BTreeSet::new();
    let mut beside = 0;
    for note in &notes {
        match note.strip_suffix(" ended") {
            Some(start) => assert!(open.remove(start)),
            None => assert!(open.insert(note.as_str())),
        }
        let suspect = open.iter().any(|start| start.starts_with("billing 1/"));
        assert!(!suspect || open.len() == 1, "{open:?} run beside a suspect");
        beside = beside.max(open.len());
    }
    assert_eq!(beside, 11, "all others run beside each other");
    assert!(notes.contains(&"billing 1/2".to_owned()));
    no_records(&bus).await;
    crash(billing).await;
    crash(audit).await;
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
async fn redelivered_events_of_batches_are_recorded_alone() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=6 {
        place(&bus, "a", number).await;
    }
    let sizes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let batches = |hangs: bool| {
        let (sizes, journal) = (Arc::clone(&sizes), journal.clone());
        bus.consumer::<OrderPlaced>("billing")
            .on_batches(3, secs(1), move |batch| {
                let len = batch.len();
                sizes.lock().unwrap().push(len);
                journal.note("batch");
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                }
            })
    };
    let process = run(batches(true).no_handler_timeout());
    wait(&journal, 1).await;
    crash(process).await;
    let process = run(batches(false));
    wait(&journal, 1 + 6).await;
    no_records(&bus).await;
    assert_eq!(left(&bus, "billing").await, (0, 0));
    // Those of the batch that ran, and those that were prefetched.
    assert_eq!(*sizes.lock().unwrap(), [3, 1, 1, 1, 1, 1, 1]);
    crash(process).await;
}

#[tokio::test(start_paused = true)]
async fn without_its_record_a_redelivered_event_waits_and_then_starts_alone() {
    for (back_after, starts_after, attempt) in [(45, 61, 1), (9999, 300, 1)] {
        let ((bus, coordination), journal) = (Away::bus(), Journal::new());
        place(&bus, "a", 1).await;
        let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Hang));
        wait(&journal, 1).await;
        crash(process).await;
        coordination.set(true);
        for number in 2..=20 {
            place(&bus, "b", number).await;
        }
        let process = run(consumer(&bus, "billing", &journal, |_, _| Does::Work));
        let begin = tokio::time::Instant::now();
        // Events at their first delivery go on.
        wait(&journal, 1 + 2 * 19).await;
        assert!(begin.elapsed() < secs(20), "{:?}", begin.elapsed());
        let switch = tokio::spawn(async move {
            tokio::time::sleep(secs(back_after)).await;
            coordination.set(false);
        });
        wait(&journal, 1 + 2 * 19 + 1).await;
        // The crash left it with the server for 30 s.
        let waited = begin.elapsed().as_secs();
        assert!(
            (starts_after..=starts_after + 31).contains(&waited),
            "{waited} s"
        );
        let note = format!("billing 1/{attempt}");
        assert_eq!(journal.notes().last(), Some(&note));
        wait(&journal, 1 + 2 * 20).await;
        assert_eq!(left(&bus, "billing").await, (0, 0));
        switch.abort();
        crash(process).await;
    }
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
async fn behind_layers_starts_are_recorded_and_suspects_run_alone() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let letters = MemoryDeadLetters::new();
    for number in 1..=6 {
        place(&bus, "a", number).await;
    }
    let billing = |hangs: bool| {
        let does = move |number, _| match (hangs, number) {
            (true, 1) => Does::Hang,
            (_, 2) => Does::Fail,
            _ => Does::Work,
        };
        // Two at a time at most, so that events wait for the layers.
        consumer(&bus, "billing", &journal, does)
            .layer(tower::limit::ConcurrencyLimitLayer::new(2))
            .retry(Retry::steps([secs(1)]).max_attempts(4))
            .dead_letters(DeadLetters::memory(&letters))
    };
    for _ in 0..2 {
        let begin = journal.notes().len();
        let process = run(billing(true));
        let started = async {
            while !journal.notes()[begin..]
                .iter()
                .any(|note| note == "billing 1/1")
            {
                tokio::time::sleep(secs(1)).await;
            }
        };
        started.await;
        crash(process).await;
    }
    let begin = journal.notes().len();
    let process = run(billing(false));
    no_records(&bus).await;
    while left(&bus, "billing").await != (0, 0) {
        tokio::time::sleep(secs(1)).await;
    }
    let notes = journal.notes().split_off(begin);
    let at = notes.iter().position(|note| note == "billing 1/2").unwrap();
    assert_eq!(
        notes[at + 1],
        "billing 1/2 ended",
        "it runs alone: {notes:?}"
    );
    let letters = letters.letters();
    assert_eq!((letters.len(), letters[0].attempts), (1, 4));
    assert_eq!(letters[0].origin.sequence, 2);
    crash(process).await;
}

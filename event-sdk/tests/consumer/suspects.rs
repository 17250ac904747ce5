//! Events whose handler may have ended the process: they run alone, and die if they end it again.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::Retry;
use event_sdk::dead_letters::{DeadLetterClass, DeadLetters, MemoryDeadLetters};

use crate::away::Away;
use crate::journal::{Journal, OrderPlaced, left, place};
use crate::process::{Does, consumer, crash, no_records, records, run, secs, wait};

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

/// After five minutes others run beside a handler without a time limit. If the process ends then, a
/// neighbour may be to blame: the event runs alone once more, although its attempts are over.
#[tokio::test(start_paused = true)]
async fn a_suspect_beside_which_others_run_is_not_blamed() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let letters = MemoryDeadLetters::new();
    place(&bus, "a", 1).await;
    let billing = |does| {
        consumer(&bus, "billing", &journal, move |number, _| match number {
            1 => does,
            _ => Does::Work,
        })
        .retry(Retry::steps([secs(1)]).max_attempts(2))
        .dead_letters(DeadLetters::memory(&letters))
    };
    // The second start is recorded, the third one is alone.
    for starts in 1..=3 {
        let process = run(billing(Does::Hang));
        wait(&journal, starts).await;
        if starts == 3 {
            place(&bus, "b", 2).await;
            // The start and the end of the other event, beside the first one.
            wait(&journal, starts + 2).await;
        }
        crash(process).await;
    }
    let process = run(billing(Does::Work));
    wait(&journal, 3 + 2 + 2).await;
    assert_eq!(letters.len(), 0);
    assert_eq!(journal.notes()[5..], ["billing 1/3", "billing 1/3 ended"]);
    no_records(&bus).await;
    crash(process).await;
}

/// The process ends while a redelivered event waits until its layers are ready: that is no attempt.
#[tokio::test(start_paused = true)]
async fn an_event_that_waits_for_layers_has_not_started() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let places = Arc::new(tokio::sync::Semaphore::new(1));
    let billing = |does| {
        let limit = tower::limit::GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&places));
        consumer(&bus, "billing", &journal, move |_, _| does).layer(limit)
    };
    let process = run(billing(Does::Hang));
    wait(&journal, 1).await;
    crash(process).await;
    let taken = places.acquire().await.unwrap();
    for _ in 0..3 {
        let process = run(billing(Does::Hang));
        // It is delivered again after 30 seconds.
        tokio::time::sleep(secs(45)).await;
        crash(process).await;
        assert_eq!(records(&bus).await, [""; 0]);
    }
    drop(taken);
    let process = run(billing(Does::Work));
    wait(&journal, 3).await;
    assert_eq!(journal.notes()[1..], ["billing 1/1", "billing 1/1 ended"]);
    no_records(&bus).await;
    crash(process).await;
}

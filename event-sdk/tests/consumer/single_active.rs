//! One owner: who handles, what a takeover waits for, and what an owner does that was frozen.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{ConsumerReport, Ctx, Failure};
use event_sdk::dead_letters::{DeadLetterStream, DeadLetters, LetterFilter};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::ErrorKind;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::away::Away;
use crate::journal::{Journal, OrderPlaced, left, place};
use crate::process::{Does, consumer, crash, run, wait};

const TERM: Duration = Duration::from_secs(12);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// One instance of a service.
struct Instance {
    stop: oneshot::Sender<()>,
    task: JoinHandle<ConsumerReport>,
}

impl Instance {
    /// Starts an instance whose handler notes `<name> <number>` and then takes `time`.
    fn start(bus: &EventBus, name: &'static str, journal: &Journal, time: Duration) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .ordered_by_key()
            .concurrency(4)
            .ack_wait(secs(30))
            .no_handler_timeout()
            .single_active_for(TERM)
            .on(move |order: OrderPlaced, _: Ctx| {
                let notes = notes.clone();
                async move {
                    notes.note(format!("{name} {}", order.number));
                    tokio::time::sleep(time).await;
                    notes.note(format!("{name} {} done", order.number));
                    Ok::<(), Failure>(())
                }
            });
        let task = tokio::spawn(async move {
            consumer
                .run_until(async { drop(stopped.await) })
                .await
                .unwrap()
        });
        Self { stop, task }
    }

    async fn end(self) -> ConsumerReport {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn one_instance_handles_and_another_takes_over_at_once_when_it_ends() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let first = Instance::start(&bus, "first", &journal, Duration::ZERO);
    tokio::time::sleep(secs(1)).await;
    let second = Instance::start(&bus, "second", &journal, Duration::ZERO);
    for number in 1..=5 {
        place(&bus, "a", number).await;
    }
    // Longer than the term: the lease is renewed.
    tokio::time::sleep(5 * TERM).await;
    assert_eq!(journal.notes().len(), 10);
    assert!(journal.notes().iter().all(|note| note.starts_with("first")));
    assert_eq!(first.end().await.handled, 5);
    for number in 6..=9 {
        place(&bus, "a", number).await;
    }
    tokio::time::sleep(secs(2)).await;
    let notes = journal.notes();
    assert_eq!(notes.len(), 18);
    assert!(notes[10..].iter().all(|note| note.starts_with("second")));
    assert_eq!(second.end().await.handled, 4);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_crashed_owner_is_replaced_after_its_term_and_the_order_of_a_key_holds() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let first = Instance::start(&bus, "first", &journal, secs(3_600));
    tokio::time::sleep(secs(1)).await;
    let second = Instance::start(&bus, "second", &journal, Duration::ZERO);
    tokio::time::sleep(secs(1)).await;
    for (number, key) in [(1, "a"), (2, "b"), (3, "a")] {
        place(&bus, key, number).await;
    }
    tokio::time::sleep(secs(1)).await;
    assert_eq!(journal.notes(), ["first 1", "first 2"]);
    first.task.abort();
    place(&bus, "a", 4).await;
    // Within the term, nothing is handled.
    tokio::time::sleep(secs(8)).await;
    assert_eq!(journal.notes().len(), 2);
    // Nor after the takeover, before 1, 2 and 3 are delivered again: they were unsettled.
    tokio::time::sleep(secs(8)).await;
    assert_eq!(journal.notes().len(), 2);
    tokio::time::sleep(secs(20)).await;
    let starts: Vec<_> = journal.notes()[2..]
        .iter()
        .filter(|note| !note.ends_with("done"))
        .cloned()
        .collect();
    let of = |key: &[&str]| -> Vec<_> {
        let mine = starts
            .iter()
            .filter(|n| key.contains(&&n["second ".len()..]));
        mine.cloned().collect()
    };
    assert_eq!(of(&["1", "3", "4"]), ["second 1", "second 3", "second 4"]);
    assert_eq!(starts.len(), 4);
    assert_eq!(second.end().await.handled, 4);
}

#[tokio::test(start_paused = true)]
async fn many_events_that_a_takeover_releases_at_once_stay_in_order() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let first = Instance::start(&bus, "first", &journal, secs(3_600));
    tokio::time::sleep(secs(1)).await;
    for number in 0..40 {
        place(&bus, &format!("k{}", number % 8), number).await;
    }
    tokio::time::sleep(secs(1)).await;
    first.task.abort();
    let begun = journal.notes().len();
    let second = Instance::start(&bus, "second", &journal, Duration::from_millis(10));
    tokio::time::sleep(secs(120)).await;
    let notes = journal.notes().split_off(begun);
    for key in 0..8 {
        let done = notes.iter().filter_map(|note| {
            let number: u64 = note.split(' ').nth(1)?.parse().ok()?;
            (note.ends_with("done") && number % 8 == key).then_some(number)
        });
        let expected = (0..40).filter(|number| number % 8 == key);
        assert!(done.eq(expected), "key {key}: {notes:?}");
    }
    assert_eq!(second.end().await.handled, 40);
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_was_stopped_past_its_lease_completes_nothing() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let first = Instance::start(&bus, "first", &journal, secs(5));
    tokio::time::sleep(secs(1)).await;
    place(&bus, "a", 1).await;
    place(&bus, "a", 2).await;
    tokio::time::sleep(secs(1)).await;
    assert_eq!(journal.notes(), ["first 1"]);
    // No task runs meanwhile, as if the process was frozen: all timers are due at once then.
    tokio::time::advance(2 * TERM).await;
    tokio::time::sleep(secs(1)).await;
    // The handler was dropped before it went on, and nothing was settled.
    assert!(!journal.notes().contains(&"first 1 done".to_owned()));
    assert_eq!(left(&bus, "billing").await.0, 2, "unsettled");
    // It is the owner again, and waits until both are delivered again.
    tokio::time::sleep(secs(45)).await;
    let report = first.end().await;
    assert_eq!(
        journal.notes(),
        [
            "first 1",
            "first 1",
            "first 1 done",
            "first 2",
            "first 2 done"
        ]
    );
    assert_eq!(report.handled, 2);
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_lost_its_lease_before_it_could_subscribe_acquires_it_again() {
    let ((bus, away), journal) = (Away::bus(), Journal::new());
    away.refuse_subscriptions(true);
    let first = Instance::start(&bus, "first", &journal, Duration::ZERO);
    // It is the owner, and tries to subscribe.
    tokio::time::sleep(secs(3)).await;
    away.set(true);
    tokio::time::sleep(2 * TERM).await;
    away.set(false);
    away.refuse_subscriptions(false);
    place(&bus, "a", 1).await;
    tokio::time::sleep(2 * TERM).await;
    assert_eq!(journal.notes(), ["first 1", "first 1 done"]);
    assert_eq!(first.end().await.handled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_term_that_is_too_short_is_refused() {
    let bus = EventBus::memory();
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let consumer = consumer
        .single_active_for(Duration::from_millis(99))
        .on(|_: OrderPlaced, _| async { Ok(()) });
    let error = consumer.run().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("single_active"), "{error}");
}

/// The previous owner had the first of two redriven events in hand: the second one waits for it.
#[tokio::test(start_paused = true)]
async fn a_takeover_waits_for_redriven_events_too() {
    let place_of_letters = DeadLetterStream::new("DLQ");
    let bus = EventBus::builder()
        .stream(StreamSpec::new("EVENTS").subject(">"))
        .stream(place_of_letters.spec())
        .stream(place_of_letters.retry_spec())
        .memory()
        .unwrap();
    place(&bus, "a", 1).await;
    place(&bus, "a", 2).await;
    let (journal, notes) = (Journal::new(), Journal::new());
    let rejects = notes.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ack_wait(secs(30))
        .dead_letters(DeadLetters::stream("DLQ"))
        .on(move |_: OrderPlaced, _: Ctx| {
            rejects.note("rejected");
            async { Err(Failure::reject("no such order")) }
        });
    let report = consumer.run_until(notes.wait(2)).await.unwrap();
    assert_eq!(report.dead_lettered, 2);
    let redrive = bus.dead_letters("DLQ").redrive(LetterFilter::open());
    assert_eq!(redrive.await.unwrap().redriven.len(), 2);

    // The previous owner.
    let filter = place_of_letters.retry_filter("billing").unwrap();
    let retries = bus.raw().absolute().subscribe(filter);
    let mut retries = retries.durable("billing").prefetch(1).await.unwrap();
    let first = retries.next().await.unwrap().unwrap();
    assert_eq!(first.sequence(), Some(1));
    drop(retries);

    let handled = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .concurrency(4)
        .single_active_for(TERM)
        .dead_letters(DeadLetters::stream("DLQ"))
        .on(move |order: OrderPlaced, _: Ctx| {
            handled.note(order.number.to_string());
            async { Ok::<(), Failure>(()) }
        });
    let report = consumer.run_until(journal.wait(2)).await.unwrap();
    assert_eq!(
        (report.handled, journal.notes()),
        (2, vec!["1".to_owned(), "2".to_owned()])
    );
}

/// The start of a redelivered event is recorded first, which may take until no handler may start.
#[tokio::test(start_paused = true)]
async fn an_owner_starts_nothing_after_its_time_because_a_record_was_late() {
    let ((bus, away), journal) = (Away::bus(), Journal::new());
    place(&bus, "a", 1).await;
    let before = bus.subscribe::<OrderPlaced>().durable("billing");
    let mut before = before.ack_wait(secs(30)).prefetch(1).await.unwrap();
    // It is delivered again after its ack wait.
    let _delivery = before.next().await.unwrap().unwrap();
    drop(before);
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ack_wait(secs(30))
        .single_active_for(secs(3))
        .on(move |order: OrderPlaced, _: Ctx| {
            notes.note(order.number.to_string());
            async { Ok::<(), Failure>(()) }
        });
    let done = journal.clone();
    let running = tokio::spawn(consumer.run_until(async move { done.wait(1).await }));
    // The lease is renewed each second, for the last time after 29 seconds: handlers may start until
    // 31, and are cancelled at 32. The record that is begun at 30 is there at 31.5.
    let millis = Duration::from_millis;
    tokio::time::sleep(millis(29_500)).await;
    away.answer_after(Duration::ZERO, millis(1_500));
    tokio::time::sleep(millis(2_400)).await;
    assert_eq!(journal.notes(), [""; 0], "it was started too late");
    away.answer_after(Duration::ZERO, Duration::ZERO);
    assert_eq!(running.await.unwrap().unwrap().handled, 1);
}

/// An event whose handler may have ended the process has to wait until it can run alone.
#[tokio::test(start_paused = true)]
async fn an_owner_starts_no_suspect_after_its_time() {
    // When it can run alone, after the last renewal, and how long its start takes to be recorded.
    for (free_after, recorded_after) in [(secs(25), Duration::ZERO), (secs(19), secs(3))] {
        let ((bus, away), journal) = (Away::bus(), Journal::new());
        place(&bus, "a", 1).await;
        let owner = |does| consumer(&bus, "billing", &journal, move |_, _| does);
        let owner = |does| owner(does).single_active_for(secs(30));
        for starts in [1, 2] {
            let process = run(owner(Does::Hang));
            wait(&journal, starts).await;
            crash(process).await;
        }
        // A handler of another consumer runs beside it.
        let freed = Arc::new(Notify::new());
        let free = Arc::clone(&freed);
        let audit = bus.consumer::<OrderPlaced>("audit").no_handler_timeout();
        let audit = run(audit.on(move |_: OrderPlaced, _: Ctx| {
            let free = Arc::clone(&free);
            async move {
                free.notified().await;
                Ok::<(), Failure>(())
            }
        }));
        let process = run(owner(Does::Work));
        tokio::time::sleep(secs(40)).await;
        let revision = async || bus.coordination().list("owners").await.unwrap()[0].revision;
        let before = revision().await;
        while revision().await == before {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // The lease was renewed. Handlers may start for 20 seconds, and are cancelled after 30.
        away.deny_writes_of(Some("owners."));
        away.answer_after(Duration::ZERO, recorded_after);
        tokio::time::sleep(free_after).await;
        freed.notify_one();
        tokio::time::sleep(secs(4)).await;
        assert_eq!(journal.notes().len(), 2, "it was started too late");
        away.answer_after(Duration::ZERO, Duration::ZERO);
        away.deny_writes_of(None);
        wait(&journal, 4).await;
        assert_eq!(journal.notes()[3], "billing 1/2 ended");
        crash(process).await;
        crash(audit).await;
    }
}

//! Keys that are held: a quarter of `max_ack_pending`, and the park for what is beyond it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_sdk::consumer::{
    BatchFailure, Consumer, ConsumerReport, Ctx, EventBatch, Failure, Outcome, Retry,
};
use event_sdk::dead_letters::{
    DeadKey, DeadLetterClass, DeadLetterStream, DeadLetters, LetterFilter, MemoryDeadLetters, Page,
    Park,
};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::ErrorKind;
use event_sdk::{BusBuilder, EventBus};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::journal::{Journal, OrderPaid, OrderPlaced, left, place, placed};

pub(crate) const TERM: Duration = Duration::from_secs(12);

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn builder() -> BusBuilder {
    let letters = DeadLetterStream::new("DLQ");
    EventBus::builder()
        .stream(StreamSpec::new("EVENTS").subject(">"))
        .stream(letters.spec())
        .stream(letters.retry_spec())
}

pub(crate) fn bus() -> EventBus {
    builder().memory().unwrap()
}

pub(crate) fn park(bus: &EventBus) -> Park {
    bus.dead_letters("DLQ").park("billing")
}

pub(crate) fn key(key: &str) -> DeadKey {
    DeadKey::new("EVENTS", key)
}

/// A consumer that notes `<key> <number>` when a handler has succeeded.
pub(crate) fn billing(
    bus: &EventBus,
    journal: &Journal,
    handle: impl Fn(&OrderPlaced, &Ctx) -> Outcome + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let journal = journal.clone();
    bus.consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .concurrency(8)
        .max_ack_pending(40)
        .ack_wait(secs(30))
        .retry(Retry::steps([secs(1)]).max_attempts(3))
        .dead_letters(DeadLetters::stream("DLQ"))
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let outcome = handle(&order, &ctx);
            if outcome.is_ok() {
                journal.note(format!("{} {}", order.order, order.number));
            }
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                outcome
            }
        })
}

/// One instance of the service.
pub(crate) struct Instance {
    stop: oneshot::Sender<()>,
    task: JoinHandle<ConsumerReport>,
}

impl Instance {
    pub(crate) fn start(consumer: Consumer<OrderPlaced>) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            consumer.run_until(stopped).await.unwrap()
        });
        Self { stop, task }
    }

    pub(crate) async fn end(self) -> ConsumerReport {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }

    /// Ends it as a crash does: nothing is settled, and the lease stays.
    async fn crash(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Waits until it is so, for an hour of virtual time at most.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < secs(3_600), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The numbers that were handled of a key, in order.
pub(crate) fn of(journal: &Journal, key: &str) -> Vec<u64> {
    let notes = journal.notes();
    let mine = notes.iter().filter_map(|note| note.strip_prefix(key));
    mine.map(|number| number.trim().parse().unwrap()).collect()
}

/// How long the other keys take, with a crowd or without it.
async fn others_take(crowd: u64) -> Duration {
    const OTHERS: u64 = 2_000;
    let (bus, journal) = (bus(), Journal::new());
    // One event of the failing key, and one outside the set, before each of the others, or none.
    let mut events = Vec::new();
    for number in 0..crowd {
        bus.publisher()
            .publish(placed("bad", number))
            .await
            .unwrap();
        bus.publisher().publish(OrderPaid { number }).await.unwrap();
    }
    for number in 0..OTHERS {
        events.push(placed(&format!("key {}", number % 50), number));
    }
    bus.publisher().publish_all(events).await.unwrap();
    let consumer = billing(&bus, &journal, |order, _| match order.order.as_str() {
        "bad" => Err(Failure::retry("never")),
        _ => Ok(()),
    });
    let consumer = consumer
        .subject(event_sdk::subject!("orders.>"))
        .single_active_for(TERM)
        .retry(Retry::steps([secs(3_600)]).max_attempts(3));
    let begun = Instant::now();
    let instance = Instance::start(consumer);
    journal.wait(usize::try_from(OTHERS).unwrap()).await;
    let took = begun.elapsed();
    let mut last: HashMap<String, u64> = HashMap::new();
    for note in journal.notes() {
        let (key, number) = note.rsplit_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        let before = last.insert(key.to_owned(), number);
        assert!(before < Some(number), "{note} after {before:?}");
    }
    let report = instance.end().await;
    assert_eq!(report.handled, OTHERS);
    if crowd > 0 {
        // What is left of the crowd at the server is at most a quarter, and a tenth of naks.
        assert!(report.parked >= crowd - 10, "{report}");
    }
    took
}

#[tokio::test(start_paused = true)]
async fn other_keys_go_on_at_their_rate_beside_a_crowd() {
    let alone = others_take(0).await;
    let beside = others_take(5_000).await;
    println!("2,000 events took {alone:?}, and {beside:?} behind 10,000 others");
    // Virtual time: it has nothing to do with the load of the machine.
    assert!(beside < alone + secs(2), "{alone:?} {beside:?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_the_park_is_handled_in_order_before_newer_events() {
    let (bus, journal) = (bus(), Journal::new());
    for number in 0..100 {
        place(&bus, "a", number).await;
    }
    let consumer = billing(&bus, &journal, |order, ctx| {
        if order.number == 0 && ctx.attempt() < 3 {
            Err(Failure::retry("not yet"))
        } else {
            Ok(())
        }
    });
    let consumer = consumer
        .single_active_for(TERM)
        .retry(Retry::steps([secs(60)]).max_attempts(3));
    let instance = Instance::start(consumer);
    tokio::time::sleep(secs(30)).await;
    // The held key has a quarter of 40 at most; the rest waits in the park.
    let (unsettled, pending) = left(&bus, "billing").await;
    assert!((1..=10).contains(&unsettled) && pending == 0, "{unsettled}");
    let keys = park(&bus).keys().await.unwrap();
    let [state] = &*keys else {
        panic!("{keys:?}");
    };
    assert!(
        (2..=11).contains(&state.first) && state.last == 100,
        "{state:?}"
    );
    assert_eq!(state.events, 100 - unsettled);
    assert!(!state.dead);
    // Newer ones arrive while it waits, and while it is handled.
    for number in 100..120 {
        place(&bus, "a", number).await;
    }
    until("some from the park", async || journal.notes().len() > 50).await;
    for number in 120..150 {
        place(&bus, "a", number).await;
    }
    journal.wait(150).await;
    assert!(of(&journal, "a").into_iter().eq(0..150), "{journal:?}");
    let report = instance.end().await;
    assert_eq!(report.handled, 150);
    assert!(report.parked >= 110, "{report}");
    assert_eq!(park(&bus).keys().await.unwrap(), []);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

/// A handler that runs for long may hang.
#[tokio::test(start_paused = true)]
async fn a_handler_that_runs_for_long_holds_up_no_other_key() {
    let (bus, journal) = (bus(), Journal::new());
    for order in ["slow", "quick"] {
        for number in 0..100 {
            place(&bus, order, number).await;
        }
    }
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .concurrency(8)
        .max_ack_pending(40)
        .no_handler_timeout()
        .single_active_for(TERM)
        .dead_letters(DeadLetters::stream("DLQ"))
        .on(move |order: OrderPlaced, _: Ctx| {
            let notes = notes.clone();
            async move {
                if (&*order.order, order.number) == ("slow", 0) {
                    tokio::time::sleep(secs(600)).await;
                }
                notes.note(format!("{} {}", order.order, order.number));
                Ok(())
            }
        });
    let begun = Instant::now();
    let instance = Instance::start(consumer);
    until("the other key", async || of(&journal, "quick").len() == 100).await;
    assert!(begun.elapsed() < secs(60), "{:?}", begun.elapsed());
    assert!(of(&journal, "slow").is_empty());
    until("the key", async || of(&journal, "slow").len() == 100).await;
    assert!(of(&journal, "slow").into_iter().eq(0..100), "{journal:?}");
    assert!(instance.end().await.parked >= 89);
}

/// Four keys with a quarter each would leave nothing for others.
#[tokio::test(start_paused = true)]
async fn many_held_keys_leave_half_of_the_places() {
    let (bus, journal) = (bus(), Journal::new());
    for number in 0..300 {
        place(&bus, &format!("bad {}", number % 10), number).await;
    }
    for number in 0..100 {
        place(&bus, "good", number).await;
    }
    let consumer = billing(&bus, &journal, |order, _| {
        if order.order.starts_with("bad") {
            Err(Failure::retry("never"))
        } else {
            Ok(())
        }
    });
    let consumer = consumer
        .single_active_for(TERM)
        .retry(Retry::steps([secs(3_600)]).max_attempts(3));
    let begun = Instant::now();
    let report = consumer.run_until(journal.wait(100)).await.unwrap();
    assert!(begun.elapsed() < secs(60), "{:?}", begun.elapsed());
    assert!(of(&journal, "good").into_iter().eq(0..100));
    assert!(report.parked >= 300 - 20 - 10, "{report}");
}

/// An event of the park that fails for good becomes a letter, and those behind it go on.
#[tokio::test(start_paused = true)]
async fn a_parked_event_that_fails_is_a_letter_like_any_other() {
    let (bus, journal) = (bus(), Journal::new());
    for number in 0..30 {
        place(&bus, "a", number).await;
    }
    let attempts = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&attempts);
    let consumer = billing(&bus, &journal, move |order, ctx| match order.number {
        0 if ctx.attempt() == 1 => Err(Failure::retry("not yet")),
        20 => {
            count.fetch_add(1, Ordering::Relaxed);
            Err(Failure::retry("never"))
        }
        25 => Err(Failure::reject("no such order")),
        _ => Ok(()),
    });
    let instance = Instance::start(consumer.single_active_for(TERM));
    journal.wait(28).await;
    let expected = (0..30).filter(|number| ![20, 25].contains(number));
    assert!(of(&journal, "a").into_iter().eq(expected), "{journal:?}");
    let queue = bus.dead_letters("DLQ");
    until("both letters", async || {
        queue.count(&LetterFilter::open()).await.unwrap() == 2
    })
    .await;
    assert_eq!(attempts.load(Ordering::Relaxed), 3);
    let list = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    let shown: Vec<_> = list
        .iter()
        .map(|it| {
            (
                it.class.clone(),
                it.origin.sequence,
                it.attempts,
                it.sequenced,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (DeadLetterClass::RetryExhausted, 21, 3, false),
            (DeadLetterClass::Rejected, 26, 1, false)
        ]
    );
    until("the end of the last one", async || {
        park(&bus).keys().await.unwrap().is_empty()
    })
    .await;
    // They are redriven as others are.
    queue.redrive(LetterFilter::open()).await.unwrap();
    until("both letters again", async || {
        queue.count(&LetterFilter::open()).await.unwrap() == 2
    })
    .await;
    let report = instance.end().await;
    assert_eq!((report.handled, report.dead_lettered), (28, 4));
}

#[tokio::test(start_paused = true)]
async fn without_a_park_a_held_key_keeps_its_order_and_nothing_is_lost() {
    let letters = MemoryDeadLetters::new();
    for single in [false, true] {
        let (bus, journal) = (bus(), Journal::new());
        for number in 0..100 {
            place(&bus, "a", number).await;
        }
        for number in 0..20 {
            place(&bus, "b", number).await;
        }
        let mut consumer = billing(&bus, &journal, |order, ctx| {
            if (&*order.order, order.number) == ("a", 0) && ctx.attempt() < 3 {
                Err(Failure::retry("not yet"))
            } else {
                Ok(())
            }
        });
        if single {
            let elsewhere = DeadLetters::memory(&letters);
            consumer = consumer.single_active_for(TERM).dead_letters(elsewhere);
        }
        let report = consumer.run_until(journal.wait(120)).await.unwrap();
        assert_eq!((report.handled, report.parked), (120, 0));
        assert!(of(&journal, "a").into_iter().eq(0..100));
        assert!(of(&journal, "b").into_iter().eq(0..20));
        assert_eq!(left(&bus, "billing").await, (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_owner_goes_on_in_order() {
    let (bus, journal) = (bus(), Journal::new());
    for number in 0..60 {
        place(&bus, "a", number).await;
    }
    let never = |order: &OrderPlaced, _: &Ctx| match order.order.as_str() {
        "a" => Err(Failure::retry("never")),
        _ => Ok(()),
    };
    let patient = || Retry::steps([secs(600)]).max_attempts(100);
    let first = billing(&bus, &journal, never).single_active_for(TERM);
    let first = Instance::start(first.retry(patient()));
    place(&bus, "b", 0).await;
    journal.wait(1).await;
    first.crash().await;
    let keys = park(&bus).keys().await.unwrap();
    assert!(keys[0].first <= 11 && keys[0].events >= 50, "{keys:?}");
    for number in 60..70 {
        place(&bus, "a", number).await;
    }
    // The second one hands over.
    let second = billing(&bus, &journal, |order, _| match order.number {
        40 => Err(Failure::retry("not yet")),
        _ => Ok(()),
    });
    let second = Instance::start(second.single_active_for(TERM).retry(patient()));
    until("what comes before", async || of(&journal, "a").len() == 40).await;
    tokio::time::sleep(secs(10)).await;
    second.end().await;
    let third = billing(&bus, &journal, |_, _| Ok(())).single_active_for(TERM);
    let third = Instance::start(third);
    until("the rest", async || of(&journal, "a").len() >= 70).await;
    assert!(of(&journal, "a").into_iter().eq(0..70), "{journal:?}");
    third.end().await;
    assert_eq!(park(&bus).keys().await.unwrap(), []);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

/// Events that wait in the park are not left behind when a consumer is changed.
#[tokio::test(start_paused = true)]
async fn a_consumer_without_a_park_does_not_start_while_events_wait_in_it() {
    let (bus, journal) = (bus(), Journal::new());
    for number in 0..60 {
        place(&bus, "a", number).await;
    }
    let never = |_: &OrderPlaced, _: &Ctx| Err(Failure::retry("never"));
    let first = billing(&bus, &journal, never).single_active_for(TERM);
    let first = Instance::start(first.retry(Retry::steps([secs(600)]).max_attempts(9)));
    until("the park", async || {
        !park(&bus).keys().await.unwrap().is_empty()
    })
    .await;
    first.end().await;
    let ready = || billing(&bus, &journal, |_, _| Ok(()));
    let error = ready().run().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    let text = error.to_string();
    assert!(
        text.contains("single_active") && text.contains("drop_key"),
        "{text}"
    );
    let second = Instance::start(ready().single_active_for(TERM));
    until("all", async || of(&journal, "a").len() == 60).await;
    until("the end of the park", async || {
        park(&bus).keys().await.unwrap().is_empty()
    })
    .await;
    second.end().await;
    assert!(of(&journal, "a").into_iter().eq(0..60));
    place(&bus, "a", 60).await;
    let report = ready().run_until(journal.wait(61)).await.unwrap();
    assert_eq!(report.handled, 1);
}

#[tokio::test(start_paused = true)]
async fn batches_take_events_from_the_park_in_order() {
    let (bus, journal) = (bus(), Journal::new());
    for number in 0..100 {
        place(&bus, "a", number).await;
        place(&bus, "b", number).await;
    }
    let (notes, failed) = (journal.clone(), AtomicU64::new(0));
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .max_ack_pending(40)
        .ack_wait(secs(30))
        .single_active_for(TERM)
        .retry(Retry::steps([secs(60)]).max_attempts(9))
        .dead_letters(DeadLetters::stream("DLQ"))
        .on_batches(
            5,
            Duration::from_millis(10),
            move |batch: EventBatch<OrderPlaced>| {
                let mut failures = Vec::new();
                for (index, (order, _)) in batch.iter().enumerate() {
                    let is_first = (&*order.order, order.number) == ("a", 0);
                    if is_first && failed.fetch_add(1, Ordering::Relaxed) < 2 {
                        failures.push((index, Failure::retry("not yet")));
                    }
                    // Later events of a key that failed come again.
                    if failures.is_empty() || order.order != "a" {
                        notes.note(format!("{} {}", order.order, order.number));
                    }
                }
                let failed = (!failures.is_empty()).then(|| BatchFailure::of(failures));
                std::future::ready(failed.map_or(Ok(()), Err))
            },
        );
    let report = consumer.run_until(journal.wait(200)).await.unwrap();
    assert!(report.parked > 50, "{report}");
    assert!(of(&journal, "b").into_iter().eq(0..100), "{journal:?}");
    assert!(of(&journal, "a").into_iter().eq(0..100), "{journal:?}");
}

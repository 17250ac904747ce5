//! Dead letters of a consumer: what is kept, what is checked at start, a store that is unavailable,
//! and events that are sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Consumer, Ctx, Failure, Outcome, Retry};
use event_sdk::dead_letters::{
    DeadLetter, DeadLetterClass, DeadLetterStore, DeadLetterStream, DeadLetters, LetterFilter,
    MemoryDeadLetters,
};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{Completion, Error};
use event_sdk::{ErrorKind, EventBus};

use crate::journal::{Journal, OrderPlaced, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn billing(
    bus: &EventBus,
    journal: &Journal,
    outcome: impl Fn(u64, u32) -> Outcome + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let journal = journal.clone();
    bus.consumer::<OrderPlaced>("billing")
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let redrive = ctx.redriven().map_or(0, |redriven| redriven.redrive);
            assert_eq!(
                ctx.message().relative_subject(),
                Some("orders.order.placed.a")
            );
            journal.note(format!("{}/{} r{redrive}", order.number, ctx.attempt()));
            std::future::ready(outcome(order.number, ctx.attempt()))
        })
        .retry(Retry::steps([secs(1)]).max_attempts(2))
}

#[tokio::test(start_paused = true)]
async fn a_letter_has_the_origin_the_reason_and_the_original_bytes() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let letters = MemoryDeadLetters::new();
    let published = bus.raw().publish("orders.order.placed.a", "no envelope");
    published.header("X-Own", "kept").await.unwrap();
    for number in 2..=4 {
        place(&bus, "a", number).await;
    }
    let consumer = billing(&bus, &journal, |number, _| match number {
        2 => Err(Failure::retry("Ada's card").because("card declined")),
        3 => Err(Failure::reject("Ada's order")),
        _ => Ok(()),
    });
    let consumer = consumer.dead_letters(DeadLetters::memory(&letters));
    let report = consumer.run_until(journal.wait(4)).await.unwrap();
    assert_eq!(
        (report.handled, report.dead_lettered, report.terminated),
        (1, 3, 0)
    );
    assert_eq!(left(&bus, "billing").await, (0, 0));

    let letters = letters.letters();
    let of = |class| letters.iter().find(|letter| letter.class == class).unwrap();
    let unreadable = of(DeadLetterClass::Unreadable);
    assert_eq!(
        (&*unreadable.body, unreadable.attempts),
        (&b"no envelope"[..], 1)
    );
    assert_eq!(unreadable.headers.get("X-Own"), Some("kept"));
    let retried = of(DeadLetterClass::RetryExhausted);
    assert_eq!((retried.origin.sequence, retried.attempts), (2, 2));
    assert_eq!(retried.errors, ["error: card declined"]);
    assert_eq!(retried.origin.relative_subject(), "orders.order.placed.a");
    assert_eq!(retried.event_type.as_deref(), Some("order.placed"));
    assert!(retried.event_id.is_some() && retried.first_failure <= retried.last_failure);
    assert_eq!(of(DeadLetterClass::Rejected).origin.sequence, 3);
    assert!(!format!("{letters:?}").contains("Ada"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_loses_nothing_and_stops_nobody() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=3 {
        place(&bus, "a", number).await;
    }
    let puts = Arc::new(AtomicU32::new(0));
    let letters = MemoryDeadLetters::new();
    let (count, store) = (Arc::clone(&puts), letters.clone());
    let away = DeadLetters::with(move |letter| {
        let there = count.fetch_add(1, Ordering::Relaxed) >= 9;
        let (bus, store) = (EventBus::memory(), store.clone());
        async move {
            if !there {
                return Err(std::io::Error::other("the store is away"));
            }
            let store = DeadLetters::memory(&store).open(&bus);
            store.put(&letter).await.map_err(std::io::Error::other)
        }
    });
    let consumer = billing(&bus, &journal, |number, _| match number {
        1 => Err(Failure::reject("no such order")),
        _ => Ok(()),
    });
    let done = letters.clone();
    let report = consumer.dead_letters(away).run_until(async move {
        while done.is_empty() {
            tokio::time::sleep(secs(1)).await;
        }
    });
    let report = report.await.unwrap();
    assert_eq!(journal.notes(), ["1/1 r0", "2/1 r0", "3/1 r0"]);
    assert_eq!((report.handled, report.dead_lettered), (2, 1));
    assert_eq!(letters.len(), 1);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

/// A store may never answer, for example over a connection that is half open.
#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_asked_again() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=2 {
        place(&bus, "a", number).await;
    }
    let puts = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&puts);
    let silent = DeadLetters::with(move |_| {
        let answers = count.fetch_add(1, Ordering::Relaxed) > 0;
        async move {
            if !answers {
                std::future::pending::<()>().await;
            }
            Ok::<_, std::io::Error>(())
        }
    });
    let consumer = billing(&bus, &journal, |number, _| match number {
        1 => Err(Failure::reject("no such order")),
        _ => Ok(()),
    });
    let start = tokio::time::Instant::now();
    let written = async {
        while puts.load(Ordering::Relaxed) < 2 && start.elapsed() < secs(300) {
            tokio::time::sleep(secs(1)).await;
        }
    };
    let report = consumer.dead_letters(silent).run_until(written);
    let report = report.await.unwrap();
    assert_eq!((report.handled, report.dead_lettered), (1, 1));
    assert!(start.elapsed() < secs(60), "{:?}", start.elapsed());
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

/// A store of the user's own, which panics before it returns a future, and then in the future.
#[derive(Debug)]
struct Panicking {
    puts: Arc<AtomicU32>,
    letters: MemoryDeadLetters,
}

impl DeadLetterStore for Panicking {
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        match self.puts.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("planted, before the future"),
            1 => Completion::later(async { panic!("planted, in the future") }),
            _ => self.letters.put(letter),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_ends_no_consumer() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=2 {
        place(&bus, "a", number).await;
    }
    let letters = MemoryDeadLetters::new();
    let panicking = Panicking {
        puts: Arc::default(),
        letters: letters.clone(),
    };
    let puts = Arc::clone(&panicking.puts);
    let consumer = billing(&bus, &journal, |number, _| match number {
        1 => Err(Failure::reject("no such order")),
        _ => Ok(()),
    });
    let written = async {
        while puts.load(Ordering::Relaxed) < 3 {
            tokio::time::sleep(secs(1)).await;
        }
    };
    let consumer = consumer.dead_letters(DeadLetters::store(panicking));
    let report = consumer.run_until(written).await.unwrap();
    assert_eq!((report.handled, report.dead_lettered), (1, 1));
    assert_eq!(letters.len(), 1);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_missing_stream_of_dead_letters_is_an_error_at_start() {
    let bus = EventBus::memory();
    let journal = Journal::new();
    let consumer = billing(&bus, &journal, |_, _| Ok(()));
    let error = consumer
        .dead_letters(DeadLetters::stream("DLQ"))
        .run()
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound);
    let text = error.to_string();
    assert!(
        text.contains("DLQ") && text.contains("billing") && text.contains("apply"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_sent_again_comes_to_its_consumer_under_its_own_subject() {
    let letters = DeadLetterStream::new("DLQ");
    let bus = EventBus::builder()
        .stream(StreamSpec::new("EVENTS").subject(">"))
        .stream(letters.spec())
        .stream(letters.retry_spec())
        .memory()
        .unwrap();
    for number in 1..=3 {
        place(&bus, "a", number).await;
    }
    let journal = Journal::new();
    let fails = |number, _| match number {
        2 => Err(Failure::reject("no such order")),
        _ => Ok(()),
    };
    let consumer = billing(&bus, &journal, fails).dead_letters(DeadLetters::stream("DLQ"));
    let report = consumer.run_until(journal.wait(3)).await.unwrap();
    assert_eq!((report.handled, report.dead_lettered), (2, 1));

    let queue = bus.dead_letters("DLQ");
    assert_eq!(queue.count(&LetterFilter::open()).await.unwrap(), 1);
    queue.redrive(LetterFilter::open()).await.unwrap();
    // It fails once more: a second letter, of the first redrive.
    let journal = Journal::new();
    let consumer = billing(&bus, &journal, fails).dead_letters(DeadLetters::stream("DLQ"));
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(journal.notes(), ["2/1 r1"]);
    assert_eq!(report.dead_lettered, 1);

    queue.redrive(LetterFilter::open()).await.unwrap();
    let journal = Journal::new();
    let fixed = billing(&bus, &journal, |_, _| Ok(())).dead_letters(DeadLetters::stream("DLQ"));
    let report = fixed.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(journal.notes(), ["2/1 r2"]);
    assert_eq!((report.handled, report.dead_lettered), (1, 0));
    // Other consumers of the stream have seen the event once.
    let mut audit = bus
        .subscribe::<OrderPlaced>()
        .durable("audit")
        .await
        .unwrap();
    for number in 1..=3 {
        let delivery = audit.next().await.unwrap().unwrap();
        assert_eq!(delivery.decode().unwrap().number, number);
    }
    assert_eq!(left(&bus, "audit").await.1, 0);
}

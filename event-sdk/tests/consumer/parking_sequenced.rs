//! Dead letters that hold their keys: later events wait until an operator decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Failure};
use event_sdk::dead_letters::{
    Audit, DeadLetterStream, DeadLetters, LetterFilter, LetterStatus, MemoryDeadLetters, Page,
    ReleaseOutcome,
};
use event_sdk::stream::{Discard, StreamSpec};
use event_sdk::transport::{Deletion, ErrorKind, TransportExt as _};
use tokio::time::Instant;

use crate::journal::{Journal, OrderPlaced, left, place};
use crate::parking::{Instance, TERM, billing, bus, key, of, park, secs, until};

/// Sequenced mode: event 3 of the key `a` fails until it is repaired.
fn sequenced(
    bus: &EventBus,
    journal: &Journal,
    fails: impl Fn(&OrderPlaced) -> bool + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    billing(bus, journal, move |order, _| {
        if fails(order) {
            Err(Failure::reject("no such order"))
        } else {
            Ok(())
        }
    })
    .dead_letters(DeadLetters::stream("DLQ").sequenced())
    .single_active_for(TERM)
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_holds_its_key_until_it_is_redriven() {
    let (bus, journal) = (bus(), Journal::new());
    let queue = bus.dead_letters("DLQ");
    let repaired = Arc::new(AtomicU64::new(0));
    let up_to = Arc::clone(&repaired);
    let fails = move |order: &OrderPlaced| {
        order.order == "a"
            && [3, 6].contains(&order.number)
            && order.number > up_to.load(Ordering::Relaxed)
    };
    let instance = Instance::start(sequenced(&bus, &journal, fails));
    for number in 1..=8 {
        place(&bus, "a", number).await;
        place(&bus, "b", number).await;
    }
    until("the other key", async || of(&journal, "b").len() == 8).await;
    until("the park", async || {
        let keys = park(&bus).keys().await.unwrap();
        keys.first().is_some_and(|state| state.events == 6)
    })
    .await;
    assert_eq!(of(&journal, "a"), [1, 2]);
    assert_eq!(left(&bus, "billing").await, (0, 0));
    let list = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert!(list.len() == 1 && list[0].holds_its_key(), "{list:?}");

    // A dry run changes nothing.
    let dry = queue.redrive(LetterFilter::open()).dry_run().await.unwrap();
    assert_eq!((dry.selected.len(), dry.released.len()), (1, 0));
    tokio::time::sleep(secs(30)).await;
    assert_eq!(of(&journal, "a"), [1, 2]);

    // It fails again, and the key stays dead.
    let redriven = queue.redrive(LetterFilter::open()).await.unwrap();
    assert_eq!((redriven.released.len(), redriven.redriven.len()), (1, 0));
    until("an answer", async || {
        park(&bus).outcome(&key("a")).await.unwrap().is_some()
    })
    .await;
    let outcome = park(&bus).outcome(&key("a")).await.unwrap();
    assert_eq!(outcome, Some(ReleaseOutcome::FailedAgain));
    let list = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    assert_eq!((list.len(), list[0].redrive), (1, 1));

    // Repaired, but 6 is not: it is the next one for which the key waits.
    repaired.store(3, Ordering::Relaxed);
    queue.redrive(LetterFilter::open()).await.unwrap();
    until("4 and 5", async || of(&journal, "a").len() == 5).await;
    until("an answer", async || {
        park(&bus).requests().await.unwrap().is_empty()
    })
    .await;
    assert_eq!(of(&journal, "a"), [1, 2, 3, 4, 5]);
    let keys = park(&bus).keys().await.unwrap();
    assert!(keys[0].dead && keys[0].events == 3, "{keys:?}");
    let first = queue.list(&LetterFilter::all(), Page::ALL).await.unwrap();
    let statuses: Vec<_> = first.iter().map(|it| it.state.status.clone()).collect();
    let expected = [
        LetterStatus::Replaced,
        LetterStatus::Handled,
        LetterStatus::Open,
    ];
    assert_eq!(statuses, expected);

    repaired.store(6, Ordering::Relaxed);
    place(&bus, "a", 9).await;
    queue.redrive(LetterFilter::open()).await.unwrap();
    until("the rest", async || of(&journal, "a").len() == 9).await;
    place(&bus, "a", 10).await;
    until("a newer one", async || of(&journal, "a").len() == 10).await;
    assert!(of(&journal, "a").into_iter().eq(1..=10), "{journal:?}");
    until("an answer", async || {
        park(&bus).outcome(&key("a")).await.unwrap() == Some(ReleaseOutcome::Alive)
    })
    .await;
    let report = instance.end().await;
    assert_eq!((report.handled, report.dead_lettered), (18, 3));
    assert_eq!(park(&bus).keys().await.unwrap(), []);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

/// All events are delivered once more, and the letter of one is closed: nobody could release its key.
#[tokio::test(start_paused = true)]
async fn a_letter_that_is_closed_holds_its_key_no_more() {
    let (bus, journal) = (bus(), Journal::new());
    let queue = bus.dead_letters("DLQ");
    let repaired = Arc::new(AtomicU64::new(0));
    let is_repaired = Arc::clone(&repaired);
    let fails =
        move |order: &OrderPlaced| order.number == 2 && is_repaired.load(Ordering::Relaxed) == 0;
    let instance = Instance::start(sequenced(&bus, &journal, fails.clone()));
    for number in 1..=4 {
        place(&bus, "a", number).await;
    }
    until("the park", async || {
        let keys = park(&bus).keys().await.unwrap();
        keys.first().is_some_and(|state| state.events == 3)
    })
    .await;
    repaired.store(1, Ordering::Relaxed);
    queue.redrive(LetterFilter::open()).await.unwrap();
    until("the rest", async || of(&journal, "a").len() == 4).await;
    instance.end().await;

    repaired.store(0, Ordering::Relaxed);
    bus.transport()
        .delete_consumer("EVENTS", "billing")
        .await
        .unwrap();
    let instance = Instance::start(sequenced(&bus, &journal, fails));
    until("all but the one", async || of(&journal, "a").len() == 7).await;
    place(&bus, "a", 5).await;
    until("a newer one", async || of(&journal, "a").len() == 8).await;
    assert_eq!(of(&journal, "a"), [1, 2, 3, 4, 1, 3, 4, 5]);
    instance.end().await;
    assert_eq!(park(&bus).keys().await.unwrap(), []);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn heads_are_skipped_and_keys_dropped_while_the_owner_runs() {
    let (bus, journal) = (bus(), Journal::new());
    let queue = bus.dead_letters("DLQ");
    let fails = |order: &OrderPlaced| order.number == 2;
    let instance = Instance::start(sequenced(&bus, &journal, fails));
    for order in ["a", "b"] {
        for number in 1..=5 {
            place(&bus, order, number).await;
        }
    }
    until("the park", async || {
        let keys = park(&bus).keys().await.unwrap();
        keys.iter().map(|state| state.events).sum::<u64>() == 8
    })
    .await;
    let audit = Audit::by("bob").because("never valid");
    let list = queue.list(&LetterFilter::open(), Page::ALL).await.unwrap();
    let head = list.iter().find(|it| it.origin.subject.ends_with(".a"));
    let (of_billing, a) = (park(&bus), key("a"));
    let skipped = of_billing.skip_head(&a, head.unwrap().id, &audit).await;
    assert!(skipped.unwrap());
    until("the others", async || of(&journal, "a").len() == 4).await;
    assert_eq!(of(&journal, "a"), [1, 3, 4, 5]);
    assert_eq!(of(&journal, "b"), [1]);
    // An expiry keeps the dead key.
    let deletion = Deletion::Remove;
    let far = jiff::Timestamp::MAX;
    assert_eq!(queue.expire(far, deletion).await.unwrap().kept.len(), 1);
    let dropped = park(&bus).drop_key(&key("b"), &audit).await.unwrap();
    assert_eq!(dropped, 4);
    until("an answer", async || {
        park(&bus).outcome(&key("b")).await.unwrap() == Some(ReleaseOutcome::Alive)
    })
    .await;
    place(&bus, "b", 6).await;
    until("a newer one", async || of(&journal, "b").len() == 2).await;
    assert_eq!(of(&journal, "b"), [1, 6]);
    let report = instance.end().await;
    assert_eq!((report.handled, report.dead_lettered), (6, 2));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_answered_is_answered_by_the_next_owner() {
    let (bus, journal) = (bus(), Journal::new());
    let queue = bus.dead_letters("DLQ");
    let fails = |order: &OrderPlaced| order.number == 2;
    let instance = Instance::start(sequenced(&bus, &journal, fails));
    for number in 1..=5 {
        place(&bus, "a", number).await;
    }
    until("the park", async || {
        let keys = park(&bus).keys().await.unwrap();
        keys.first().is_some_and(|state| state.events == 4)
    })
    .await;
    instance.end().await;
    queue.redrive(LetterFilter::open()).await.unwrap();
    park(&bus)
        .release(&key("alive"), &Audit::default())
        .await
        .unwrap();
    // Events that arrive before the owner has read what waits come behind it.
    for number in 6..=9 {
        place(&bus, "a", number).await;
    }
    let instance = Instance::start(sequenced(&bus, &journal, |_| false));
    until("the rest", async || of(&journal, "a").len() == 9).await;
    assert!(of(&journal, "a").into_iter().eq(1..=9), "{journal:?}");
    until("the answers", async || {
        park(&bus).requests().await.unwrap().is_empty()
    })
    .await;
    let outcome = park(&bus).outcome(&key("alive")).await.unwrap();
    assert_eq!(outcome, Some(ReleaseOutcome::Alive));
    instance.end().await;
}

/// A redrive of many dead keys: each in order, at the rate that was asked for.
#[tokio::test(start_paused = true)]
async fn many_keys_are_released_at_the_rate_that_was_asked_for() {
    const KEYS: u64 = 100;
    let (bus, journal) = (bus(), Journal::new());
    let queue = bus.dead_letters("DLQ");
    let repaired = Arc::new(AtomicU64::new(0));
    let now = Arc::clone(&repaired);
    let fails = move |order: &OrderPlaced| order.number == 1 && now.load(Ordering::Relaxed) == 0;
    let instance = Instance::start(sequenced(&bus, &journal, fails));
    for number in 1..=4 {
        for key in 0..KEYS {
            place(&bus, &format!("k{key:03}"), number).await;
        }
    }
    until("the park", async || {
        let keys = park(&bus).keys().await.unwrap();
        keys.iter().map(|state| state.events).sum::<u64>() == 4 * KEYS
    })
    .await;
    assert_eq!(journal.notes(), Vec::<String>::new());
    repaired.store(1, Ordering::Relaxed);
    let begun = Instant::now();
    let redrive = queue.redrive(LetterFilter::open()).per_second(10);
    assert_eq!(redrive.await.unwrap().released.len() as u64, KEYS);
    assert!(begun.elapsed() >= Duration::from_millis(9_900));
    journal.wait(usize::try_from(4 * KEYS).unwrap()).await;
    for key in 0..KEYS {
        assert_eq!(of(&journal, &format!("k{key:03}")), [1, 2, 3, 4]);
    }
    instance.end().await;
    assert_eq!(park(&bus).keys().await.unwrap(), []);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn sequenced_letters_need_a_stream_an_order_and_one_owner() {
    let memory = MemoryDeadLetters::new();
    let stream = || DeadLetters::stream("DLQ").sequenced();
    let plain = |bus: &EventBus| {
        let consumer = bus.consumer::<OrderPlaced>("billing");
        consumer.on(|_: OrderPlaced, _| async { Ok(()) })
    };
    let bus = bus();
    let owned = |bus: &EventBus| plain(bus).ordered_by_key().single_active();
    for (consumer, missing) in [
        (
            plain(&bus).single_active().dead_letters(stream()),
            "ordered_by_key()",
        ),
        (
            plain(&bus).ordered_by_key().dead_letters(stream()),
            "single_active()",
        ),
        (
            owned(&bus).dead_letters(DeadLetters::memory(&memory).sequenced()),
            "DeadLetters::stream",
        ),
    ] {
        let error = consumer.run().await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains(missing), "{error}");
    }
    let letters = DeadLetterStream::new("DLQ");
    for (spec, reason) in [
        (letters.spec().max_age(secs(1_000)), "maximum age"),
        (
            letters.spec().max_messages(10).when_full(Discard::Old),
            "oldest",
        ),
    ] {
        let bus = EventBus::builder()
            .stream(StreamSpec::new("EVENTS").subject(">"))
            .stream(spec)
            .stream(letters.retry_spec());
        let bus = bus.memory().unwrap();
        let error = owned(&bus).dead_letters(stream()).run().await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        // Otherwise the consumer does without a park.
        let journal = Journal::new();
        place(&bus, "a", 1).await;
        let consumer = billing(&bus, &journal, |_, _| Ok(())).single_active_for(TERM);
        let report = consumer.run_until(journal.wait(1)).await.unwrap();
        assert_eq!(report.handled, 1);
    }
}

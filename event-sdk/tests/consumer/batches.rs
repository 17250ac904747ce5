//! Batches as the argument of a handler: their size, their outcomes, and order by key.

use std::time::Duration;

use event_sdk::consumer::{BatchFailure, Consumer, EventBatch, Failure, Retry};
use event_sdk::{ErrorKind, EventBus};

use crate::journal::{Journal, OrderPlaced, OrderPlacedInParts, left, place};

/// A consumer that notes each batch as `number/attempt …`, and fails those that `fails` names.
fn billing(
    bus: &EventBus,
    journal: &Journal,
    max: usize,
    fails: impl Fn(u64, u32) -> bool + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let journal = journal.clone();
    let within = Duration::from_millis(100);
    bus.consumer("billing")
        .on_batches(max, within, move |batch: EventBatch<OrderPlaced>| {
            let events = batch
                .iter()
                .map(|(order, ctx)| (order.number, ctx.attempt()));
            let events: Vec<_> = events.collect();
            let text = events
                .iter()
                .map(|(number, attempt)| format!("{number}/{attempt}"));
            journal.note(text.collect::<Vec<_>>().join(" "));
            let failed = events.iter().enumerate();
            let failed = failed.filter(|(_, (number, attempt))| fails(*number, *attempt));
            let failed: Vec<_> = failed
                .map(|(index, _)| (index, Failure::retry("declined")))
                .collect();
            std::future::ready(if failed.is_empty() {
                Ok(())
            } else {
                Err(BatchFailure::of(failed))
            })
        })
        .retry(Retry::steps([Duration::from_secs(1)]))
}

async fn place_all(bus: &EventBus, orders: &[(&str, u64)]) {
    for (order, number) in orders {
        place(bus, order, *number).await;
    }
}

#[tokio::test]
async fn batches_of_no_event_are_refused_at_start() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let error = billing(&bus, &journal, 0, |_, _| false)
        .run()
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("on_batches(0"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_starts_when_it_is_full_or_has_waited() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let all = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5)];
    place_all(&bus, &all).await;
    let consumer = billing(&bus, &journal, 2, |_, _| false);
    let report = consumer.run_until(journal.wait(3)).await.unwrap();
    let timed = [("1/1 2/1", 0.0), ("3/1 4/1", 0.0), ("5/1", 0.1)];
    assert_eq!(
        journal.timed(),
        timed.map(|(note, at)| (note.to_owned(), at))
    );
    assert_eq!(report.handled, 5);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_events_that_failed_are_repeated_and_the_others_are_done() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place_all(&bus, &[("a", 1), ("b", 2), ("c", 3)]).await;
    let consumer = billing(&bus, &journal, 3, |number, attempt| {
        number == 2 && attempt < 3
    });
    let report = consumer.run_until(journal.wait(3)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1 2/1 3/1", "2/2", "2/3"]);
    assert_eq!((report.handled, report.failed_attempts), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn later_events_of_a_failed_key_follow_it() {
    for concurrency in [1, 3] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        let all = [
            ("a", 1),
            ("a", 2),
            ("b", 3),
            ("a", 4),
            ("b", 5),
            ("a", 6),
            ("c", 7),
        ];
        place_all(&bus, &all).await;
        let fails = |number, attempt| number == 2 && attempt < 3;
        let consumer = billing(&bus, &journal, 5, fails)
            .ordered_by_key()
            .concurrency(concurrency);
        let report = consumer.run_until(journal.wait(5)).await.unwrap();
        let notes = ["1/1 2/1 3/1 4/1 5/1", "7/1", "2/2", "2/3", "4/1 6/1"];
        assert_eq!(journal.notes(), notes, "concurrency {concurrency}");
        assert_eq!((report.handled, report.failed_attempts), (7, 2));
        assert_eq!(left(&bus, "billing").await, (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_events_of_a_batch_that_failed_as_a_whole_are_handled_alone() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place_all(&bus, &[("a", 1), ("a", 2), ("b", 3), ("a", 4)]).await;
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing").ordered_by_key();
    let consumer = consumer.retry(Retry::steps([Duration::from_secs(5)]).max_attempts(2));
    let within = Duration::from_millis(100);
    let consumer = consumer.on_batches(4, within, move |batch: EventBatch<OrderPlaced>| {
        let text = batch
            .iter()
            .map(|(order, ctx)| format!("{}/{}", order.number, ctx.attempt()));
        notes.note(text.collect::<Vec<_>>().join(" "));
        // A handler that does not survive one event.
        let poisoned = batch.iter().any(|(order, _)| order.number == 2);
        async move {
            assert!(!poisoned);
            Ok(())
        }
    });
    let report = consumer.run_until(journal.wait(6)).await.unwrap();
    let notes = ["1/1 2/1 3/1 4/1", "1/1", "3/1", "2/1", "2/2", "4/1"];
    assert_eq!(journal.notes(), notes);
    assert_eq!(
        (report.handled, report.terminated, report.failed_attempts),
        (3, 1, 2)
    );
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_leaves_the_batch() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    bus.raw()
        .publish("orders.order.placed.a", "no envelope")
        .await
        .unwrap();
    place(&bus, "a", 3).await;
    let consumer = billing(&bus, &journal, 3, |number, attempt| {
        number == 3 && attempt == 1
    });
    let report = consumer.run_until(journal.wait(2)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1 3/1", "3/2"]);
    assert_eq!((report.handled, report.terminated), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_an_event_that_is_not_in_the_batch_is_one_of_the_whole() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place_all(&bus, &[("a", 1), ("b", 2)]).await;
    let (notes, within) = (journal.clone(), Duration::from_millis(100));
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let consumer = consumer.on_batches(2, within, move |batch: EventBatch<OrderPlaced>| {
        let text = batch
            .iter()
            .map(|(order, ctx)| format!("{}/{}", order.number, ctx.attempt()));
        notes.note(text.collect::<Vec<_>>().join(" "));
        let failed = [
            (0, Failure::reject("declined")),
            (2, Failure::reject("no such event")),
        ];
        std::future::ready(match batch.len() {
            1 => Ok(()),
            _ => Err(BatchFailure::of(failed)),
        })
    });
    let report = consumer.run_until(journal.wait(3)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1 2/1", "1/1", "2/1"]);
    assert_eq!((report.handled, report.terminated), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_with_the_batch_that_runs() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place_all(&bus, &[("a", 1), ("a", 2), ("a", 3)]).await;
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing").ordered_by_key();
    let within = Duration::from_secs(1);
    let consumer = consumer.on_batches(2, within, move |batch: EventBatch<OrderPlaced>| {
        notes.note(batch.len().to_string());
        async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Err(BatchFailure::of([(0, Failure::retry("declined"))]))
        }
    });
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!((report.handled, report.given_back), (0, 3));
    assert_eq!(journal.notes(), ["2"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_leaves_its_batch_blocks_no_later_event_of_its_key() {
    for concurrency in [1, 3] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        let newer = OrderPlacedInParts {
            order: "a".to_owned(),
        };
        bus.publisher().publish(newer).await.unwrap();
        bus.raw()
            .publish("orders.order.placed.a", "no envelope")
            .await
            .unwrap();
        place_all(&bus, &[("a", 3), ("a", 4)]).await;
        let consumer = billing(&bus, &journal, 4, |_, _| false);
        let consumer = consumer.ordered_by_key().concurrency(concurrency);
        let late = bus.clone();
        let wait = journal.clone();
        let report = consumer.run_until(async move {
            wait.wait(1).await;
            place(&late, "a", 5).await;
            wait.wait(2).await;
        });
        let report = report.await.unwrap();
        assert_eq!(journal.notes(), ["3/1 4/1", "5/1"]);
        assert_eq!(
            (report.handled, report.terminated, report.delayed),
            (3, 1, 1)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn later_events_do_not_overtake_one_that_is_handled_alone() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place_all(&bus, &[("b", 1), ("a", 2), ("a", 3)]).await;
    let notes = journal.clone();
    let late = bus.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing").ordered_by_key();
    let within = Duration::from_millis(100);
    let consumer = consumer.on_batches(3, within, move |batch: EventBatch<OrderPlaced>| {
        let text = batch.iter().map(|(order, _)| order.number.to_string());
        notes.note(text.collect::<Vec<_>>().join(" "));
        let (fails, late) = (batch.len() == 3, late.clone());
        async move {
            if fails {
                place(&late, "a", 4).await;
                return Err(Failure::retry("as a whole").into());
            }
            Ok(())
        }
    });
    let report = consumer.run_until(journal.wait(5)).await.unwrap();
    assert_eq!(journal.notes(), ["1 2 3", "1", "2", "3", "4"]);
    assert_eq!(report.handled, 4);
}

#[tokio::test(start_paused = true)]
async fn all_events_of_a_batch_that_does_not_end_are_given_back_and_named() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place_all(&bus, &[("a", 1), ("a", 2), ("b", 3)]).await;
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing").concurrency(2);
    let consumer = consumer
        .drain_within(Duration::from_secs(5))
        .no_handler_timeout();
    let within = Duration::from_secs(1);
    let consumer = consumer.on_batches(3, within, move |batch: EventBatch<OrderPlaced>| {
        notes.note(batch.len().to_string());
        std::future::pending::<Result<(), BatchFailure>>()
    });
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    let unfinished: Vec<_> = report.unfinished.iter().map(|left| left.sequence).collect();
    assert_eq!((unfinished.len(), report.given_back), (3, 3));
    let mut other = bus
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap();
    for _ in 0..3 {
        let again = tokio::time::timeout(Duration::from_millis(10), other.next()).await;
        again
            .expect("given back")
            .unwrap()
            .unwrap()
            .ack()
            .await
            .unwrap();
    }
}

//! Failures: retries, their delays and their end, rejects, timeouts, panics, unreadable and unknown
//! events, keep-alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Consumer, Ctx, Failure, Outcome, Retry};
use event_sdk::{DelayUnknown, EventBus};

use crate::journal::{Journal, OrderPlaced, OrderPlacedInParts, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A consumer that notes each attempt, and then does what `outcome` says for its number.
fn billing(
    bus: &EventBus,
    journal: &Journal,
    outcome: impl Fn(u64, u32) -> Outcome + Clone + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let journal = journal.clone();
    bus.consumer::<OrderPlaced>("billing")
        .on(move |order: OrderPlaced, ctx: Ctx| {
            journal.note(format!("{}/{}", order.number, ctx.attempt()));
            std::future::ready(outcome(order.number, ctx.attempt()))
        })
}

fn declined() -> Failure {
    Failure::retry("declined")
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_repeated_after_its_delay_and_holds_up_no_other_event() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=3 {
        place(&bus, "a", number).await;
    }
    let consumer = billing(&bus, &journal, |number, attempt| {
        if number == 1 && attempt < 4 {
            Err(declined())
        } else {
            Ok(())
        }
    });
    let report = consumer.run_until(journal.wait(6)).await.unwrap();
    let timed = [
        ("1/1", 0.0),
        ("2/1", 0.0),
        ("3/1", 0.0),
        ("1/2", 1.0),
        ("1/3", 6.0),
        ("1/4", 36.0),
    ];
    assert_eq!(
        journal.timed(),
        timed.map(|(note, at)| (note.to_owned(), at))
    );
    assert_eq!((report.handled, report.failed_attempts), (3, 3));
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_kept_alive_while_it_waits_for_hours() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let consumer = billing(&bus, &journal, |_, attempt| {
        if attempt == 1 {
            Err(declined())
        } else {
            Ok(())
        }
    });
    let consumer = consumer
        .retry(Retry::steps([secs(3000)]))
        .ack_wait(secs(30));
    let report = consumer.run_until(journal.wait(2)).await.unwrap();
    assert_eq!(journal.timed()[1], ("1/2".to_owned(), 3000.0));
    assert_eq!(report.handled, 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_end_and_the_next_event_goes_on() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=2 {
        place(&bus, "a", number).await;
    }
    let consumer = billing(&bus, &journal, |number, _| {
        if number == 1 { Err(declined()) } else { Ok(()) }
    });
    let consumer = consumer
        .retry(Retry::steps([secs(1)]).max_attempts(3))
        .ordered_by_key();
    let report = consumer.run_until(journal.wait(4)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1", "1/2", "1/3", "2/1"]);
    assert_eq!(
        (report.handled, report.terminated, report.failed_attempts),
        (1, 1, 3)
    );
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reject_is_final_at_the_first_attempt() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=2 {
        place(&bus, "a", number).await;
    }
    let consumer = billing(&bus, &journal, |number, _| {
        if number == 1 {
            Err(Failure::reject("no such order"))
        } else {
            Ok(())
        }
    });
    let report = consumer.run_until(journal.wait(2)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1", "2/1"]);
    assert_eq!((report.handled, report.terminated), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_attempt() {
    for concurrency in [1, 4] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        place(&bus, "a", 1).await;
        let consumer = billing(&bus, &journal, |_, attempt| {
            assert!(attempt > 1, "the first attempt panics");
            Ok(())
        });
        let consumer = consumer.concurrency(concurrency);
        let report = consumer.run_until(journal.wait(2)).await.unwrap();
        assert_eq!(journal.notes(), ["1/1", "1/2"]);
        assert_eq!((report.handled, report.failed_attempts), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_ended_and_counts_as_an_attempt() {
    for concurrency in [1, 4] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        place(&bus, "a", 1).await;
        let dropped = Arc::new(AtomicU32::new(0));
        let (notes, drops) = (journal.clone(), Arc::clone(&dropped));
        let consumer =
            bus.consumer::<OrderPlaced>("billing")
                .on(move |_: OrderPlaced, ctx: Ctx| {
                    notes.note(format!("1/{}", ctx.attempt()));
                    let guard = OnDrop(Arc::clone(&drops));
                    async move {
                        let _guard = guard;
                        if ctx.attempt() == 1 {
                            std::future::pending::<()>().await;
                        }
                        Ok(())
                    }
                });
        let consumer = consumer.concurrency(concurrency).handler_timeout(secs(100));
        let report = consumer.run_until(journal.wait(2)).await.unwrap();
        let timed = [("1/1", 0.0), ("1/2", 101.0)].map(|(note, at)| (note.to_owned(), at));
        assert_eq!(journal.timed(), timed);
        assert_eq!((report.handled, report.failed_attempts), (1, 1));
        assert_eq!(dropped.load(Ordering::Relaxed), 2);
    }
}

struct OnDrop(Arc<AtomicU32>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_holds_up_nobody() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    bus.raw()
        .publish("orders.order.placed.a", "no envelope")
        .await
        .unwrap();
    let newer = OrderPlacedInParts {
        order: "a".to_owned(),
    };
    bus.publisher().publish(newer).await.unwrap();
    place(&bus, "a", 3).await;
    let consumer = billing(&bus, &journal, |_, _| Ok(())).ordered_by_key();
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(journal.notes(), ["3/1"]);
    assert_eq!(
        (report.handled, report.terminated, report.delayed),
        (1, 1, 1)
    );
    // The newer one waits for another instance.
    assert_eq!(left(&bus, "billing").await, (1, 0));
}

#[tokio::test(start_paused = true)]
async fn unknown_events_beyond_the_bound_are_given_up() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for _ in 0..5 {
        let newer = OrderPlacedInParts {
            order: "a".to_owned(),
        };
        bus.publisher().publish(newer).await.unwrap();
    }
    place(&bus, "a", 6).await;
    let consumer = billing(&bus, &journal, |_, _| Ok(()));
    let consumer = consumer.delay_unknown(DelayUnknown::default().at_most(2));
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(
        (report.handled, report.terminated, report.delayed),
        (1, 3, 2)
    );
}

//! Outages: the breaker opens, fetching pauses, nothing counts, and all goes on by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Outcome, ProbeInterval, Retry};

use crate::journal::{Journal, OrderPaid, OrderPlaced, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn billing(
    bus: &EventBus,
    journal: &Journal,
    outcome: impl Fn(u64) -> Outcome + Send + Sync + 'static,
) -> Consumer<OrderPlaced> {
    let journal = journal.clone();
    bus.consumer::<OrderPlaced>("billing")
        .on(move |order: OrderPlaced, ctx: Ctx| {
            let outcome = outcome(order.number);
            if outcome.is_ok() {
                journal.note(format!("{}/{}", order.number, ctx.attempt()));
            }
            std::future::ready(outcome)
        })
}

fn away() -> Outcome {
    Err(Failure::outage("the database is away"))
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_two_hours_costs_no_attempt_and_ends_by_itself() {
    for (concurrency, ordered) in [(1, false), (1, true), (8, true)] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        for number in 1..=100 {
            place(&bus, &format!("key {}", number % 40), number).await;
        }
        let is_away = Arc::new(AtomicBool::new(true));
        let back = Arc::clone(&is_away);
        let mut consumer = billing(&bus, &journal, move |_| {
            if is_away.load(Ordering::Relaxed) {
                away()
            } else {
                Ok(())
            }
        });
        consumer = consumer.concurrency(concurrency).retry(Retry::none());
        if ordered {
            consumer = consumer.ordered_by_key();
        }
        let running = tokio::spawn(consumer.run_until({
            let journal = journal.clone();
            async move { journal.wait(100).await }
        }));
        tokio::time::sleep(secs(7200)).await;
        let (unsettled, pending) = left(&bus, "billing").await;
        assert!(unsettled < 30, "fetching is paused: {unsettled} are held");
        assert_eq!(unsettled + pending, 100);
        back.store(false, Ordering::Relaxed);
        let report = running.await.unwrap().unwrap();
        assert_eq!(
            (report.handled, report.failed_attempts, report.terminated),
            (100, 0, 0)
        );
        // 7200 s at one probe in 30 s, after the first few.
        assert!((200..300).contains(&report.outages), "{}", report.outages);
        assert!(journal.notes().iter().all(|note| note.ends_with("/1")));
        let (_, last) = &journal.timed()[99];
        assert!(*last < 7240.0, "{last}");
        assert_eq!(left(&bus, "billing").await, (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn one_event_that_claims_an_outage_for_ever_is_given_up_and_stops_nobody() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=50 {
        place(&bus, &format!("key {}", number % 10), number).await;
    }
    let consumer = billing(
        &bus,
        &journal,
        |number| if number == 5 { away() } else { Ok(()) },
    );
    let consumer = consumer
        .retry(Retry::steps([secs(1)]).max_attempts(3))
        .ordered_by_key();
    let running = tokio::spawn(consumer.run_until({
        let journal = journal.clone();
        async move { journal.wait(49 + 6).await }
    }));
    // Only events of other keys can tell it from an outage.
    for number in 51..=56 {
        tokio::time::sleep(secs(60)).await;
        place(&bus, "key 0", number).await;
    }
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.handled, report.terminated), (49 + 6, 1));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_one_scope_leaves_the_others_alone() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=20 {
        let publisher = bus.publisher::<OrderPlaced>();
        let tenant = if number % 2 == 0 { "even" } else { "odd" };
        let event = crate::journal::placed("a", number);
        publisher
            .publish(event)
            .metadata("tenant", tenant)
            .await
            .unwrap();
    }
    let is_away = Arc::new(AtomicBool::new(true));
    let back = Arc::clone(&is_away);
    let consumer = billing(&bus, &journal, move |number| {
        if number % 2 == 0 && is_away.load(Ordering::Relaxed) {
            away()
        } else {
            Ok(())
        }
    });
    let consumer = consumer
        .probe_interval(ProbeInterval::every(secs(10)))
        .breaker_by(|head| head.metadata.get("tenant").unwrap_or_default().to_owned());
    let running = tokio::spawn(consumer.run_until({
        let journal = journal.clone();
        async move { journal.wait(20).await }
    }));
    journal.wait(10).await;
    let (_, last) = journal.timed()[9].clone();
    assert_eq!(
        last.to_bits(),
        0.0_f64.to_bits(),
        "the other tenant is not held up"
    );
    tokio::time::sleep(secs(100)).await;
    back.store(false, Ordering::Relaxed);
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.handled, report.failed_attempts), (20, 0));
}

/// `?` on a publisher of the bus, as on `ctx.publish`: the errors of a publish keep what is
/// unavailable.
#[tokio::test(start_paused = true)]
async fn a_publisher_that_cannot_reach_its_bus_is_an_outage() {
    for all in [false, true] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        place(&bus, "a", 1).await;
        let away = EventBus::memory();
        away.close().await.unwrap();
        let notes = journal.clone();
        let consumer =
            bus.consumer::<OrderPlaced>("billing")
                .on(move |order: OrderPlaced, _: Ctx| {
                    notes.note("attempt");
                    let paid = away.publisher::<OrderPaid>();
                    let event = OrderPaid {
                        number: order.number,
                    };
                    async move {
                        if all {
                            paid.publish_all([event]).await?;
                        } else {
                            paid.publish(event).await?;
                        }
                        Ok(())
                    }
                });
        let report = consumer.run_until(journal.wait(3)).await.unwrap();
        assert!(report.outages >= 2, "{report}");
        assert_eq!(
            (report.failed_attempts, report.terminated),
            (0, 0),
            "{report}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_panics_is_the_default_scope() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let consumer = billing(&bus, &journal, |_| Ok(()));
    let consumer = consumer.breaker_by(|head| head.metadata.get("tenant").unwrap().to_owned());
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(report.handled, 1);
}

//! The end of a consumer: the drain, what is given back, and what did not end in time.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Ctx, Failure};

use crate::journal::{Journal, OrderPlaced, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[tokio::test(start_paused = true)]
async fn handlers_that_run_finish_and_the_rest_is_given_back_at_once() {
    for concurrency in [1, 3] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        for number in 1..=10 {
            place(&bus, "a", number).await;
        }
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .concurrency(concurrency);
        let consumer = consumer.on(move |order: OrderPlaced, ctx: Ctx| {
            let notes = notes.clone();
            async move {
                notes.note(format!("start {}", order.number));
                ctx.cancelled().await;
                assert!(ctx.is_cancelled());
                tokio::time::sleep(secs(20)).await;
                Ok(())
            }
        });
        let report = consumer.run_until(journal.wait(concurrency)).await.unwrap();
        let handled = u64::try_from(concurrency).unwrap();
        assert_eq!((report.handled, report.unfinished.len()), (handled, 0));
        let started = journal.notes().len();
        assert_eq!(started, concurrency, "nothing starts during the drain");

        // What was not started is there at once, for another instance.
        let again = Journal::new();
        let notes = again.clone();
        let other = bus
            .consumer::<OrderPlaced>("billing")
            .on(move |_: OrderPlaced, _| {
                notes.note("handled");
                async { Ok(()) }
            });
        let rest = 10 - concurrency;
        let report = other.run_until(again.wait(rest)).await.unwrap();
        assert_eq!(report.handled, u64::try_from(rest).unwrap());
        assert!(
            again.timed().iter().all(|(_, at)| *at == 0.0),
            "{:?}",
            again.timed()
        );
        assert_eq!(left(&bus, "billing").await, (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_end_is_named_and_its_event_given_back() {
    for concurrency in [1, 3] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        place(&bus, "a", 1).await;
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .concurrency(concurrency)
            .no_handler_timeout();
        let consumer = consumer.drain_within(secs(5)).on(move |_: OrderPlaced, _| {
            notes.note("start");
            std::future::pending()
        });
        let ended = Journal::new();
        let report = consumer.run_until(journal.wait(1)).await.unwrap();
        ended.note("ended");
        let [unfinished] = &report.unfinished[..] else {
            panic!("{report:?}");
        };
        assert_eq!(unfinished.subject.as_str(), "events.orders.order.placed.a");
        assert_eq!((unfinished.sequence, unfinished.attempt), (Some(1), 1));
        assert_eq!(unfinished.held_for, secs(5));
        assert_eq!((report.handled, report.given_back), (0, 1));
        let mut other = bus
            .subscribe::<OrderPlaced>()
            .durable("billing")
            .await
            .unwrap();
        let again = tokio::time::timeout(secs(1), other.next()).await;
        again
            .expect("given back")
            .unwrap()
            .unwrap()
            .ack()
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_for_its_retry_is_given_back() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(move |_: OrderPlaced, _| {
            notes.note("attempt");
            async { Err(Failure::retry("later")) }
        });
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(
        (report.handled, report.given_back, report.failed_attempts),
        (0, 1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_of_the_bus_ends_the_consumer() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(move |_: OrderPlaced, _| {
            notes.note("start");
            async {
                tokio::time::sleep(secs(2)).await;
                Ok(())
            }
        });
    let running = tokio::spawn(consumer.run());
    journal.wait(1).await;
    let drained = bus.drain(secs(10)).await.unwrap();
    assert_eq!((drained.settled, drained.given_back), (1, 0));
    assert_eq!(running.await.unwrap().unwrap().handled, 1);
}

/// It has no room for another event, so it does not ask its subscription.
#[tokio::test(start_paused = true)]
async fn a_drain_of_the_bus_is_noticed_at_once_by_a_consumer_that_is_busy() {
    for concurrency in [1, 2] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        for number in 1..=2 {
            place(&bus, "a", number).await;
        }
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .concurrency(concurrency)
            .on(move |_: OrderPlaced, ctx: Ctx| {
                notes.note("start");
                async move {
                    ctx.cancelled().await;
                    Ok(())
                }
            });
        let mut readiness = consumer.readiness();
        let running = tokio::spawn(consumer.run());
        journal.wait(concurrency).await;
        assert!(readiness.changed().await.unwrap());
        let begin = tokio::time::Instant::now();
        let drained = bus.drain(secs(20)).await.unwrap();
        assert_eq!(
            begin.elapsed().as_secs(),
            0,
            "it took {:?}",
            begin.elapsed()
        );
        let handled = u64::try_from(concurrency).unwrap();
        assert_eq!((drained.settled, drained.given_back), (handled, 0));
        assert_eq!(readiness.changed().await, Some(false));
        let report = running.await.unwrap().unwrap();
        assert_eq!(report.handled, handled);
        assert_eq!(report.unfinished.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_closed_ends_a_consumer_that_receives_nothing() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=20 {
        place(&bus, &format!("key {number}"), number).await;
    }
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(move |_: OrderPlaced, _| {
            notes.note("attempt");
            async { Err(Failure::outage("away")) }
        });
    let running = tokio::spawn(consumer.run());
    journal.wait(5).await;
    bus.close().await.unwrap();
    let ended = tokio::time::timeout(secs(60), running).await;
    ended.expect("it ends").unwrap().unwrap();
}

/// The blocking handler makes the virtual clock stand still, so this runs in real time.
#[tokio::test]
async fn a_blocking_handler_does_not_keep_a_consumer_from_its_end() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(blocked);
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let consumer = consumer
        .ack_wait(Duration::from_millis(600))
        .drain_within(Duration::from_millis(50));
    let consumer = consumer.on_blocking(move |_: OrderPlaced, _| {
        notes.note("start");
        let _ = blocked.lock().unwrap().recv();
        Ok(())
    });
    let ended = tokio::time::timeout(secs(60), consumer.run_until(journal.wait(1))).await;
    let report = ended.expect("it ends").unwrap();
    assert_eq!(report.unfinished.len(), 1);
    drop(release);
}

//! `Consumers`: several consumers of one process, added, removed, failed and ended together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::consumer::{Consumer, Consumers, Ctx, Failure, Retry};
use event_sdk::{ErrorKind, EventBus};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::journal::{Journal, OrderPaid, OrderPlaced, Orders, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A consumer that notes its name and the number of each event.
fn noting(bus: &EventBus, name: &'static str, journal: &Journal) -> Consumer<OrderPlaced> {
    let notes = journal.clone();
    bus.consumer::<OrderPlaced>(name)
        .on(move |order: OrderPlaced, _| {
            notes.note(format!("{name} {}", order.number));
            async { Ok(()) }
        })
}

/// A consumer that is handed events, each of which takes this long once the consumer ends.
fn slow(bus: &EventBus, name: &'static str, journal: &Journal, time: Duration) -> Consumer<Orders> {
    let notes = journal.clone();
    bus.consumer::<Orders>(name)
        .no_handler_timeout()
        .drain_within(secs(60))
        .each(move |_, ctx: Ctx| {
            notes.note(format!("{name} started"));
            async move {
                ctx.cancelled().await;
                tokio::time::sleep(time).await;
                Ok(())
            }
        })
}

#[tokio::test(start_paused = true)]
async fn one_is_removed_and_the_others_go_on() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumers = Consumers::new();
    let billing = consumers.add(noting(&bus, "billing", &journal)).unwrap();
    place(&bus, "a", 1).await;
    journal.wait(1).await;
    let audit = consumers.add(noting(&bus, "audit", &journal)).unwrap();
    journal.wait(2).await;
    assert_ne!(billing, audit);
    let named: Vec<_> = consumers.ids();
    assert_eq!(
        named,
        [(billing, "billing".into()), (audit, "audit".into())]
    );

    let report = consumers.remove(billing).await.unwrap();
    assert_eq!(report.handled, 1);
    assert_eq!(consumers.count(), 1);
    place(&bus, "a", 2).await;
    journal.wait(3).await;
    assert_eq!(journal.notes(), ["billing 1", "audit 1", "audit 2"]);
    let error = consumers.remove(billing).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound);

    let report = consumers.run_until(async {}).await;
    assert_eq!(report.of("audit").next().unwrap().handled, 2);
    assert_eq!(report.of("billing").count(), 0, "it was removed");
    assert_eq!(left(&bus, "audit").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn they_are_counted_by_event() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumers = Consumers::new();
    assert_eq!((consumers.count(), consumers.is_ready()), (0, false));
    consumers.add(noting(&bus, "billing", &journal)).unwrap();
    let both = slow(&bus, "audit", &journal, secs(0));
    let mut ready = both.readiness();
    let audit = consumers.add(both).unwrap();
    assert_eq!(consumers.count_of::<OrderPlaced>(), 2);
    assert_eq!(consumers.count_of::<OrderPaid>(), 1);
    let types = BTreeMap::from([("order.placed", 2), ("order.paid", 1)]);
    assert_eq!(consumers.count_by_type(), types);
    assert_eq!(ready.changed().await, Some(true));
    assert!(consumers.is_ready());
    consumers.remove(audit).await.unwrap();
    assert_eq!(consumers.count_of::<OrderPaid>(), 0);
    assert!(consumers.is_ready());
}

#[tokio::test(start_paused = true)]
async fn all_drain_beside_each_other_within_one_deadline() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let consumers = Consumers::new().drain_within(secs(10));
    for (name, time) in [("three", 3), ("eight", 8), ("hour", 3600)] {
        let consumer = slow(&bus, name, &journal, secs(time));
        consumers.add(consumer).unwrap();
    }
    let start = Instant::now();
    let report = consumers.run_until(journal.wait(3)).await;
    assert_eq!(start.elapsed(), secs(10));
    let reports = report.into_result().unwrap();
    let ends: Vec<_> = reports
        .iter()
        .map(|(name, report)| (name.as_str(), report.handled, report.unfinished.len()))
        .collect();
    assert_eq!(ends, [("three", 1, 0), ("eight", 1, 0), ("hour", 0, 1)]);
}

#[tokio::test(start_paused = true)]
async fn they_are_ready_together_or_the_one_that_is_not_is_named() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumers = Consumers::new();
    consumers.ready().await.unwrap();
    for name in ["billing", "audit"] {
        consumers.add(noting(&bus, name, &journal)).unwrap();
    }
    assert!(!consumers.is_ready());
    consumers.ready().await.unwrap();
    assert!(consumers.is_ready());
    // The durable does not exist.
    let late = noting(&bus, "late", &journal).must_exist();
    consumers.add(late).unwrap();
    let error = consumers.ready().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed);
    assert_eq!(error.consumer(), Some("late"));
}

/// An event is handled, fails twice, and is the cause of another one for a second consumer, whose
/// handler takes a while.
#[tokio::test(start_paused = true)]
async fn they_are_idle_when_nothing_is_left_to_do() {
    for single in [false, true] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        let consumers = Consumers::new();
        let (notes, failing) = (journal.clone(), journal.clone());
        let mut billing = bus
            .consumer::<OrderPlaced>("billing")
            .retry(Retry::steps([secs(5)]).max_attempts(3));
        if single {
            billing = billing.single_active();
        }
        let billing = billing.on(move |order: OrderPlaced, ctx: Ctx| {
            failing.note(format!("billing {}/{}", order.number, ctx.attempt()));
            async move {
                if ctx.attempt() < 3 {
                    return Err(Failure::retry("later"));
                }
                let number = order.number;
                ctx.publish(OrderPaid { number }).await?;
                Ok(())
            }
        });
        let shipping = bus.consumer::<OrderPaid>("shipping");
        let shipping = shipping.concurrency(2).on(move |paid: OrderPaid, _: Ctx| {
            let notes = notes.clone();
            async move {
                tokio::time::sleep(secs(2)).await;
                notes.note(format!("shipping {}", paid.number));
                Ok(())
            }
        });
        // Idle before anything was published, and without consumers.
        consumers.idle().await.unwrap();
        consumers.add(shipping).unwrap();
        consumers.add(billing).unwrap();
        consumers.idle().await.unwrap();
        assert_eq!(journal.notes().len(), 0);
        let begin = Instant::now();
        for number in 1..=3 {
            place(&bus, "a", number).await;
        }
        consumers.idle().await.unwrap();
        let (failed, done) = (3 * 3, 3);
        assert_eq!(
            journal.notes().len(),
            failed + done,
            "{:?}",
            journal.notes()
        );
        assert!(begin.elapsed() < secs(30), "{:?}", begin.elapsed());
        for name in ["billing", "shipping"] {
            assert_eq!(left(&bus, name).await, (0, 0));
        }
        let report = consumers.run_until(async {}).await;
        assert!(report.into_result().is_ok());
        consumers.idle().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_added_while_they_end() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let consumers = Consumers::new();
    consumers
        .add(slow(&bus, "slow", &journal, secs(5)))
        .unwrap();
    let (ending, signal) = (consumers.clone(), journal.clone());
    let ending = tokio::spawn(async move { ending.run_until(signal.wait(1)).await });
    journal.wait(1).await;
    tokio::time::sleep(secs(1)).await;
    assert!(!ending.is_finished() && !consumers.is_ready());
    let error = consumers.add(noting(&bus, "late", &journal)).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed);
    assert_eq!(error.consumer(), Some("late"));
    ending.await.unwrap().into_result().unwrap();
    let error = consumers.add(noting(&bus, "late", &journal)).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_failure_stops_the_others_only_if_asked() {
    for stops in [false, true] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        let mut consumers = Consumers::new();
        if stops {
            consumers = consumers.stop_on_failure();
        }
        consumers.add(noting(&bus, "billing", &journal)).unwrap();
        // The durable does not exist.
        let audit = noting(&bus, "audit", &journal).must_exist();
        let audit = consumers.add(audit).unwrap();
        assert_eq!(consumers.failed().await, audit);
        assert_eq!(consumers.count(), 1);
        let stop = Arc::new(Notify::new());
        let (running, stopped) = (consumers.clone(), Arc::clone(&stop));
        let ending = async move { running.run_until(stopped.notified()).await };
        let ending = tokio::spawn(ending);
        if !stops {
            place(&bus, "a", 1).await;
            journal.wait(1).await;
            assert!(!ending.is_finished());
            stop.notify_one();
        }
        let report = ending.await.unwrap();
        let [(failed, error)] = report.failures().collect::<Vec<_>>()[..] else {
            panic!("{report:?}");
        };
        assert_eq!((failed.id, &*failed.name), (audit, "audit"));
        assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound);
        assert_eq!(report.of("billing").count(), 1);
        let error = report.into_result().unwrap_err();
        assert_eq!(error.consumer(), Some("audit"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_failed_consumer_is_what_remove_returns() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumers = Consumers::new();
    // No handler for OrderPaid.
    let incomplete = bus.consumer::<Orders>("billing");
    let incomplete = incomplete.on(|_: OrderPlaced, _| async { Ok(()) });
    let id = consumers.add(incomplete).unwrap();
    assert_eq!(consumers.failed().await, id);
    let error = consumers.remove(id).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    // A corrected one takes its place.
    consumers.add(noting(&bus, "billing", &journal)).unwrap();
    assert_eq!(consumers.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn they_are_over_when_all_have_ended_by_themselves() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumers = Consumers::new();
    for name in ["billing", "audit"] {
        consumers.add(noting(&bus, name, &journal)).unwrap();
    }
    place(&bus, "a", 1).await;
    journal.wait(2).await;
    let all = consumers.clone();
    let running = tokio::spawn(async move { all.run_until(std::future::pending()).await });
    bus.drain(secs(5)).await.unwrap();
    let report = running.await.unwrap();
    assert_eq!(report.into_result().unwrap().len(), 2);
    assert_eq!(consumers.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn they_end_gracefully_with_their_last_handle() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let consumers = Consumers::new();
    let consumer = slow(&bus, "slow", &journal, secs(5));
    let mut readiness = consumer.readiness();
    consumers.add(consumer).unwrap();
    assert_eq!(readiness.changed().await, Some(true));
    journal.wait(1).await;
    drop(consumers);
    assert_eq!(readiness.changed().await, Some(false));
    assert_eq!(readiness.changed().await, None);
    assert_eq!(left(&bus, "slow").await, (0, 0), "its handler finished");
}

#[test]
fn without_a_runtime_none_is_added() {
    let bus = EventBus::memory();
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let error = Consumers::new().add(consumer).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_does_not_keep_the_others() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(blocked);
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("blocked");
    let consumer = consumer.on(move |_: OrderPlaced, _| {
        notes.note("blocked");
        let _ = blocked.lock().unwrap().recv();
        async { Ok(()) }
    });
    let consumers = Consumers::new().drain_within(Duration::ZERO);
    let id = consumers.add(consumer).unwrap();
    journal.wait(1).await;
    consumers.add(noting(&bus, "billing", &journal)).unwrap();
    let report = consumers.run_until(journal.wait(2)).await;
    let [(failed, error)] = report.failures().collect::<Vec<_>>()[..] else {
        panic!("{report:?}");
    };
    assert_eq!((failed.id, error.kind()), (id, &ErrorKind::Timeout));
    assert_eq!(report.of("billing").count(), 1);
    drop(release);
}

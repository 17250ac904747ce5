//! `Readiness`: false, true while the consumer receives, and false before the drain begins.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Ctx, Failure};
use event_sdk::transport::ErrorKind;
use tokio::sync::Notify;

use crate::away::Away;
use crate::journal::{Journal, OrderPlaced, left, place};

#[tokio::test(start_paused = true)]
async fn it_ends_before_handlers_learn_of_the_end() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let readiness = consumer.readiness();
    let seen = readiness.clone();
    let consumer = consumer.on(move |_: OrderPlaced, ctx: Ctx| {
        let (notes, seen) = (notes.clone(), seen.clone());
        async move {
            notes.note(format!("handling, ready {}", seen.is_ready()));
            ctx.cancelled().await;
            notes.note(format!("ending, ready {}", seen.is_ready()));
            tokio::time::sleep(Duration::from_secs(5)).await;
            Ok(())
        }
    });
    assert!(!readiness.is_ready(), "nothing is bound");
    let mut changes = readiness.clone();
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let running = tokio::spawn(consumer.run_until(async move { stopped.notified().await }));
    assert_eq!(changes.changed().await, Some(true));
    journal.wait(1).await;
    stop.notify_one();
    assert_eq!(changes.changed().await, Some(false));
    assert!(!running.is_finished(), "the handler runs");
    journal.wait(2).await;
    assert_eq!(
        journal.notes(),
        ["handling, ready true", "ending, ready false"]
    );
    assert_eq!(running.await.unwrap().unwrap().handled, 1);
    assert_eq!(changes.changed().await, None);
    assert!(!readiness.is_ready());
}

#[tokio::test(start_paused = true)]
async fn neither_failures_nor_an_outage_change_it() {
    for outage in [false, true] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        for number in 1..=20 {
            place(&bus, "a", number).await;
        }
        let notes = journal.clone();
        let consumer =
            bus.consumer::<OrderPlaced>("billing")
                .ordered_by_key()
                .on(move |_: OrderPlaced, _| {
                    notes.note("attempt");
                    let failure = if outage {
                        Failure::outage("the database is away")
                    } else {
                        Failure::retry("later")
                    };
                    async { Err(failure) }
                });
        let (ready, mut changes) = (consumer.readiness(), consumer.readiness());
        let done = journal.clone();
        let running = tokio::spawn(consumer.run_until(async move { done.wait(5).await }));
        assert_eq!(changes.changed().await, Some(true));
        journal.wait(4).await;
        assert!(ready.is_ready());
        assert!(ready.clone().is_ready());
        running.await.unwrap().unwrap();
        // One change more, and then none.
        assert_eq!(changes.changed().await, Some(false));
        assert_eq!(changes.changed().await, None);
    }
}

#[tokio::test]
async fn a_consumer_that_does_not_start_is_never_ready() {
    let bus = EventBus::memory();
    let consumer = bus.consumer::<OrderPlaced>("billing").must_exist();
    let consumer = consumer.on(|_: OrderPlaced, _| async { Ok(()) });
    let mut changes = consumer.readiness();
    consumer.run().await.unwrap_err();
    assert_eq!(changes.changed().await, None);
    assert!(!changes.is_ready());
}

/// Without the permission to write its lease, a consumer would wait for ever.
#[tokio::test(start_paused = true)]
async fn who_may_not_write_a_lease_does_not_start() {
    for (partitions, denied) in [
        (None, ""),
        (Some(2), ""),
        (Some(2), ".lease.1"),
        (Some(2), ".member."),
    ] {
        let (bus, away) = Away::bus();
        away.deny_writes_of(Some(denied));
        let consumer = bus.consumer::<OrderPlaced>("billing");
        let consumer = match partitions {
            None => consumer.single_active(),
            Some(number) => consumer.partitions(number),
        };
        let readiness = consumer.readiness();
        let consumer = consumer.on(|_: OrderPlaced, _: Ctx| async { Ok::<(), Failure>(()) });
        let stop = tokio::time::sleep(Duration::from_secs(600));
        let error = consumer.run_until(stop).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error}");
        for part in ["billing", "$KV.EVENT_SDK.>"] {
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(!readiness.is_ready());
    }
}

/// Without an answer to its writes, a consumer owns nothing.
#[tokio::test(start_paused = true)]
async fn who_cannot_write_a_lease_is_not_ready_until_it_can() {
    for partitions in [None, Some(2)] {
        let (bus, away) = Away::bus();
        away.set(true);
        let consumer = bus.consumer::<OrderPlaced>("billing");
        let consumer = match partitions {
            None => consumer.single_active(),
            Some(number) => consumer.partitions(number),
        };
        let mut readiness = consumer.readiness();
        let consumer = consumer.on(|_: OrderPlaced, _: Ctx| async { Ok::<(), Failure>(()) });
        let running = tokio::spawn(consumer.run_until(std::future::pending()));
        let minute = Duration::from_secs(60);
        let changed = tokio::time::timeout(minute, readiness.changed()).await;
        assert!(changed.is_err(), "{changed:?}");
        away.set(false);
        assert_eq!(readiness.changed().await, Some(true));
        running.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn one_lease_that_may_not_be_written_is_enough_not_to_be_ready_and_holds_up_no_other() {
    let ((bus, away), journal) = (Away::bus(), Journal::new());
    let instance = |bus: &EventBus| {
        let notes = journal.clone();
        let consumer = bus.consumer::<OrderPlaced>("billing").partitions(4);
        consumer.on(move |order: OrderPlaced, _: Ctx| {
            notes.note(order.order);
            async { Ok::<(), Failure>(()) }
        })
    };
    let of_first = instance(&bus);
    let mut readiness = of_first.readiness();
    let first = tokio::spawn(of_first.run_until(std::future::pending()));
    assert_eq!(readiness.changed().await, Some(true));
    let second = tokio::spawn(instance(&bus).run_until(std::future::pending()));
    // They have shared the partitions, and then lose one that neither may own.
    let minute = Duration::from_secs(60);
    tokio::time::sleep(2 * minute).await;
    away.deny_writes_of(Some(".lease.1"));
    tokio::time::sleep(minute).await;
    assert!(!readiness.is_ready());
    readiness.changed().await;
    // It does not flicker while other leases are renewed.
    let changed = tokio::time::timeout(minute, readiness.changed()).await;
    assert!(changed.is_err(), "{changed:?}");
    // Those of the other instance are taken over all the same.
    second.abort();
    for number in 0..40 {
        place(&bus, &format!("k{number}"), number).await;
    }
    tokio::time::sleep(3 * minute).await;
    for index in 0..4 {
        let (_, pending) = left(&bus, &format!("billing-p{index}")).await;
        assert_eq!(pending == 0, index != 1, "partition {index}: {pending}");
    }
    assert!(!readiness.is_ready());
    away.deny_writes_of(None);
    assert_eq!(readiness.changed().await, Some(true));
    journal.wait(40).await;
    first.abort();
}

#[tokio::test(start_paused = true)]
async fn who_may_write_its_lease_no_longer_is_not_ready_until_it_may() {
    let ((bus, away), journal) = (Away::bus(), Journal::new());
    let consumer = bus.consumer::<OrderPlaced>("billing").single_active();
    let mut readiness = consumer.readiness();
    let notes = journal.clone();
    let consumer = consumer.on(move |order: OrderPlaced, _: Ctx| {
        notes.note(order.number.to_string());
        async { Ok::<(), Failure>(()) }
    });
    let done = journal.clone();
    let running = tokio::spawn(consumer.run_until(async move { done.wait(2).await }));
    assert_eq!(readiness.changed().await, Some(true));
    place(&bus, "a", 1).await;
    journal.wait(1).await;
    away.deny_writes(true);
    assert_eq!(readiness.changed().await, Some(false));
    // It does not flicker while it tries again, and the lease ends.
    let minute = Duration::from_secs(60);
    let changed = tokio::time::timeout(minute, readiness.changed()).await;
    assert!(changed.is_err(), "{changed:?}");
    away.deny_writes(false);
    assert_eq!(readiness.changed().await, Some(true));
    place(&bus, "a", 2).await;
    assert_eq!(running.await.unwrap().unwrap().handled, 2);
}

#[tokio::test(start_paused = true)]
async fn a_standby_is_ready_also_if_it_could_not_write_before() {
    let ((bus, away), journal) = (Away::bus(), Journal::new());
    let consumer = |bus: &EventBus, name: &'static str| {
        let notes = journal.clone();
        let consumer = bus.consumer::<OrderPlaced>("billing").single_active();
        consumer.on(move |order: OrderPlaced, _: Ctx| {
            notes.note(format!("{name} {}", order.number));
            async { Ok::<(), Failure>(()) }
        })
    };
    let denied = consumer(&bus, "denied");
    let mut readiness = denied.readiness();
    let denied = tokio::spawn(denied.run_until(std::future::pending()));
    assert_eq!(readiness.changed().await, Some(true));
    place(&bus, "a", 1).await;
    journal.wait(1).await;
    away.deny_writes(true);
    assert_eq!(readiness.changed().await, Some(false));
    let done = journal.clone();
    let other = consumer(&away.other_bus(), "other");
    let other = tokio::spawn(other.run_until(async move { done.wait(2).await }));
    // The other one has taken over.
    assert_eq!(readiness.changed().await, Some(true));
    away.deny_writes(false);
    place(&bus, "a", 2).await;
    journal.wait(2).await;
    assert_eq!(journal.notes(), ["denied 1", "other 2"]);
    assert_eq!(other.await.unwrap().unwrap().handled, 1);
    denied.abort();
}

/// It owns its partitions, and could acquire none.
#[tokio::test(start_paused = true)]
async fn who_may_write_no_heartbeat_or_read_no_lease_says_so_and_is_ready_while_all_have_owners() {
    for reads in [false, true] {
        let (bus, away) = Away::bus();
        let consumer = bus.consumer::<OrderPlaced>("billing").partitions(2);
        let consumer = consumer.on(|_: OrderPlaced, _: Ctx| async { Ok::<(), Failure>(()) });
        let (mut readiness, monitor) = (consumer.readiness(), consumer.monitor());
        let running = tokio::spawn(consumer.run_until(std::future::pending()));
        assert_eq!(readiness.changed().await, Some(true));
        let minute = Duration::from_secs(60);
        tokio::time::sleep(minute).await;
        assert_eq!(monitor.denied(), None);
        if reads {
            away.deny_reads(true);
        } else {
            away.deny_writes_of(Some(".member."));
        }
        tokio::time::sleep(minute).await;
        let why = monitor.denied().unwrap();
        assert!(why.contains("$KV.EVENT_SDK.>"), "{why}");
        assert!(readiness.is_ready());
        if reads {
            // The leases end, and what became of them is not known.
            away.set(true);
            tokio::time::sleep(minute).await;
            away.set(false);
            tokio::time::sleep(minute).await;
            assert!(!readiness.is_ready());
        }
        away.deny_reads(false);
        away.deny_writes_of(None);
        tokio::time::sleep(minute).await;
        assert!(readiness.is_ready());
        assert_eq!(monitor.denied(), None);
        running.abort();
    }
}

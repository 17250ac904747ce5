//! One acknowledgement for many events: what is settled, what holds it back, and that no event is
//! settled that no handler has completed, whatever owner comes and goes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::consumer::{Consumer, ConsumerReport, Ctx, Failure, Filter, Retry};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{AckPolicy, Deletion, ErrorKind, TransportExt as _};
use event_sdk::{EventBus, IntoPublishable as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::journal::{Journal, OrderPlaced, OrderPlacedInParts, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn billing(bus: &EventBus) -> Consumer<OrderPlaced> {
    let consumer = bus.consumer::<OrderPlaced>("billing");
    consumer.single_active_for(secs(12)).ack_all()
}

/// Up to which sequence everything is settled.
async fn floor(bus: &EventBus) -> u64 {
    let info = bus.transport().consumer_info("EVENTS", "billing").await;
    info.map_or(0, |info| info.acknowledged)
}

#[tokio::test]
async fn what_would_lose_events_is_refused() {
    let bus = EventBus::memory();
    let nothing = |_: OrderPlaced, _: Ctx| async { Ok(()) };
    let shared = bus.consumer::<OrderPlaced>("billing").ack_all();
    let limited = billing(&bus).accept_max_deliver();
    for (consumer, names) in [(shared, "single_active"), (limited, "accept_max_deliver")] {
        let error = consumer.on(nothing).run().await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains(names), "{error}");
    }
    let by_hand = bus.subscribe::<OrderPlaced>().durable("billing");
    let error = by_hand.ack_policy(AckPolicy::All).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("ack_all"), "{error}");

    let stream = StreamSpec::new("ORDERS").subject("orders.>");
    let stream = stream.max_messages_per_subject(1);
    let compacted = EventBus::builder().stream(stream).memory().unwrap();
    let error = billing(&compacted).on(nothing).run().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(
        error.to_string().contains("max_messages_per_subject"),
        "{error}"
    );

    drop(
        bus.subscribe::<OrderPlaced>()
            .durable("billing")
            .await
            .unwrap(),
    );
    let error = billing(&bus).on(nothing).run().await.unwrap_err();
    let mismatch = matches!(error.kind(), ErrorKind::ConsumerMismatch { .. });
    assert!(mismatch, "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_ends_before_the_event_that_waits_for_a_retry() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    let consumer = billing(&bus).retry(Retry::steps([secs(5)]));
    let consumer = consumer.on(move |order: OrderPlaced, ctx: Ctx| {
        notes.note(format!("{}/{}", order.number, ctx.attempt()));
        let fails = order.number == 3 && ctx.attempt() < 3;
        async move {
            if fails {
                return Err(Failure::retry("declined"));
            }
            Ok(())
        }
    });
    for number in 1..=6 {
        place(&bus, "a", number).await;
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    tokio::time::sleep(secs(1)).await;
    assert_eq!(journal.notes().len(), 6);
    assert_eq!(
        (left(&bus, "billing").await, floor(&bus).await),
        ((4, 0), 2)
    );
    // Behind it nothing comes again: it is kept alive, beyond the ack wait.
    tokio::time::sleep(secs(8)).await;
    assert_eq!((journal.notes().len(), floor(&bus).await), (7, 2));
    tokio::time::sleep(secs(3)).await;
    assert_eq!(journal.notes()[6..], ["3/2", "3/3"]);
    assert_eq!(left(&bus, "billing").await, (0, 0));
    stop.send(()).unwrap();
    let report = task.await.unwrap().unwrap();
    assert_eq!((report.handled, report.repeated), (6, 0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_an_event_is_kept_alive_beyond_the_ack_wait() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    let consumer = billing(&bus).ack_wait(secs(3)).concurrency(2);
    let consumer = consumer.on(move |order: OrderPlaced, _: Ctx| {
        let notes = notes.clone();
        async move {
            notes.note(order.number.to_string());
            if order.number == 1 {
                tokio::time::sleep(secs(20)).await;
            }
            Ok(())
        }
    });
    for number in 1..=5 {
        place(&bus, "a", number).await;
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    tokio::time::sleep(secs(15)).await;
    assert_eq!(left(&bus, "billing").await, (5, 0));
    tokio::time::sleep(secs(10)).await;
    assert_eq!(left(&bus, "billing").await, (0, 0));
    assert_eq!(journal.notes(), ["1", "2", "3", "4", "5"]);
    stop.send(()).unwrap();
    assert_eq!(task.await.unwrap().unwrap().handled, 5);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_or_given_up_is_settled_in_its_order() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    let consumer = billing(&bus).filter(!Filter::metadata("skip", "yes")).on(
        move |order: OrderPlaced, _: Ctx| {
            let notes = notes.clone();
            async move {
                tokio::time::sleep(secs(1)).await;
                notes.note(order.number.to_string());
                match order.number {
                    3 => Err(Failure::reject("never")),
                    _ => Ok(()),
                }
            }
        },
    );
    for number in 1..=5 {
        let order = crate::journal::placed("a", number);
        let order = order.into_publishable();
        let publisher = bus.publisher();
        let publish = publisher.publish(order);
        match number {
            2 => publish.metadata("skip", "yes").await.unwrap(),
            _ => publish.await.unwrap(),
        };
    }
    bus.raw()
        .publish("orders.order.placed.a", "no envelope")
        .await
        .unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    // 1, 2 and 3 are done, and 4 runs.
    assert_eq!(floor(&bus).await, 3);
    tokio::time::sleep(secs(9)).await;
    assert_eq!(journal.notes(), ["1", "3", "4", "5"]);
    assert_eq!(left(&bus, "billing").await, (0, 0));
    stop.send(()).unwrap();
    let report = task.await.unwrap().unwrap();
    assert_eq!(
        (report.handled, report.filtered, report.terminated),
        (3, 1, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn an_unknown_event_holds_back_later_ones_until_it_is_gone() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    place(&bus, "a", 1).await;
    let order = "b".to_owned();
    let newer = OrderPlacedInParts { order };
    bus.publisher().publish(newer).await.unwrap();
    place(&bus, "a", 3).await;
    let consumer = billing(&bus).on(move |order: OrderPlaced, _: Ctx| {
        notes.note(order.number.to_string());
        async { Ok(()) }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    tokio::time::sleep(secs(40)).await;
    assert_eq!(journal.notes(), ["1", "3"]);
    // It waits for a newer version, and 3 for it.
    assert_eq!(
        (left(&bus, "billing").await, floor(&bus).await),
        ((2, 0), 1)
    );
    // Removed while it is given back, it never comes again.
    let removed = bus
        .transport()
        .delete_message("EVENTS", 2, Deletion::Remove);
    assert!(removed.await.unwrap());
    tokio::time::sleep(secs(120)).await;
    assert_eq!(left(&bus, "billing").await, (0, 0));
    stop.send(()).unwrap();
    assert_eq!(task.await.unwrap().unwrap().handled, 2);
}

#[tokio::test(start_paused = true)]
async fn a_graceful_end_gives_back_what_waits_behind_an_event_that_is_given_back() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    let consumer = || {
        let notes = notes.clone();
        let consumer = billing(&bus).retry(Retry::steps([secs(600)]));
        consumer.on(move |order: OrderPlaced, _: Ctx| {
            notes.note(order.number.to_string());
            let first = notes.notes().len() <= 4;
            async move {
                if order.number == 2 && first {
                    return Err(Failure::retry("declined"));
                }
                Ok(())
            }
        })
    };
    for number in 1..=4 {
        place(&bus, "a", number).await;
    }
    let report = consumer().run_until(journal.wait(4)).await.unwrap();
    assert_eq!(
        (report.handled, report.given_back, report.repeated),
        (3, 1, 2)
    );
    assert_eq!((left(&bus, "billing").await.0, floor(&bus).await), (3, 1));
    let report = consumer().run_until(journal.wait(7)).await.unwrap();
    assert_eq!((report.handled, report.repeated), (3, 0));
    assert_eq!(journal.notes(), ["1", "2", "3", "4", "2", "3", "4"]);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

type Numbers = Arc<Mutex<BTreeSet<u64>>>;

struct Owner {
    stop: oneshot::Sender<()>,
    task: JoinHandle<ConsumerReport>,
}

/// An instance whose handlers take any time, fail or are rejected now and then, and note what they
/// complete.
fn owner(bus: &EventBus, seed: u64, done: &Numbers) -> Owner {
    let random = Arc::new(Mutex::new(Random(seed)));
    let done = Arc::clone(done);
    let consumer = billing(bus)
        .ack_wait(secs(4))
        .max_ack_pending(20)
        .concurrency(4)
        .retry(Retry::steps([secs(1), secs(3)]).max_attempts(1_000))
        .handler_timeout(secs(10))
        .drain_within(secs(3))
        .on(move |order: OrderPlaced, _: Ctx| {
            let (done, random) = (Arc::clone(&done), Arc::clone(&random));
            async move {
                let (time, fate) = {
                    let mut random = random.lock().unwrap();
                    (random.below(1_500), random.below(10))
                };
                tokio::time::sleep(Duration::from_millis(time)).await;
                match fate {
                    0 => return Err(Failure::retry("declined")),
                    1 => {
                        // It is given up: without dead letters, that completes it too.
                        done.lock().unwrap().insert(order.number);
                        return Err(Failure::reject("never"));
                    }
                    2 => panic!("a planted panic"),
                    _ => {}
                }
                done.lock().unwrap().insert(order.number);
                Ok(())
            }
        });
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        consumer.run_until(stopped).await.unwrap()
    });
    Owner { stop, task }
}

#[tokio::test(start_paused = true)]
async fn no_event_is_settled_before_it_is_done_whoever_is_the_owner() {
    for seed in 0..12 {
        let bus = EventBus::memory();
        let (done, mut random) = (Numbers::default(), Random(seed));
        let mut owners = vec![owner(&bus, seed, &done)];
        let mut published = 0;
        let check = async |when: u64| {
            let floor = floor(&bus).await;
            let done = done.lock().unwrap().clone();
            // Sequences are numbers here.
            let lost = (1..=floor).find(|number| !done.contains(number));
            assert_eq!(
                lost, None,
                "seed {seed}, step {when}: settled up to {floor}"
            );
        };
        for step in 0..150 {
            match random.below(12) {
                0..=5 if published < 120 => {
                    published += 1;
                    place(&bus, "a", published).await;
                }
                6 => {
                    // A crash, or the end of a deployment.
                    let Some(owner) = owners.pop() else { continue };
                    if random.below(2) == 0 {
                        owner.task.abort();
                        let _ = owner.task.await;
                    } else {
                        owner.stop.send(()).unwrap();
                        owner.task.await.unwrap();
                    }
                }
                7 if owners.len() < 3 => owners.push(owner(&bus, seed + step, &done)),
                8 => {
                    // The process is frozen: all timers are due at once then.
                    tokio::time::advance(secs(random.below(30))).await;
                }
                _ => tokio::time::sleep(Duration::from_millis(random.below(2_000))).await,
            }
            check(step).await;
        }
        owners.push(owner(&bus, seed, &done));
        let mut left_over = left(&bus, "billing").await;
        for _ in 0..600 {
            if left_over == (0, 0) {
                break;
            }
            tokio::time::sleep(secs(1)).await;
            left_over = left(&bus, "billing").await;
        }
        assert_eq!(left_over, (0, 0), "seed {seed}: events are never settled");
        check(u64::MAX).await;
        for owner in owners {
            owner.stop.send(()).unwrap();
            owner.task.await.unwrap();
        }
    }
}

//! One owner on a real server: a takeover after a crash keeps the order, and so does a release.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{ConsumerReport, Ctx, Failure};
use event_sdk_tests::killers::Counted;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::rig::{connect, eventually, left, publish, start, within};

const EVENTS: u64 = 200;

/// Longer than the machine keeps a process from running, which would lose its lease.
const TERM: Duration = Duration::from_secs(5);

/// The first instance handles this event and later ones only after the gate is open.
const GATE: u64 = 30;

/// What handlers completed: the instance, and the number of the event.
type Notes = Arc<Mutex<Vec<(char, u64)>>>;

struct Instance {
    stop: oneshot::Sender<()>,
    task: JoinHandle<ConsumerReport>,
}

fn instance(bus: &EventBus, name: char, notes: &Notes, open: &watch::Sender<bool>) -> Instance {
    let (stop, stopped) = oneshot::channel::<()>();
    let consumer = bus
        .consumer::<Counted>("single")
        .ack_wait(Duration::from_secs(2))
        .single_active_for(TERM)
        .on_with(
            (Arc::clone(notes), open.subscribe()),
            move |(notes, mut open): (Notes, watch::Receiver<bool>), event: Counted, _: Ctx| async move {
                if name == 'a' && event.number >= GATE {
                    let _ = open.wait_for(|open| *open).await;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
                notes.lock().unwrap().push((name, event.number));
                Ok::<(), Failure>(())
            },
        );
    let task = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        consumer.run_until(stopped).await.unwrap()
    });
    Instance { stop, task }
}

fn of(notes: &Notes, name: char) -> Vec<u64> {
    let notes = notes.lock().unwrap();
    let mine = notes.iter().filter(|(instance, _)| *instance == name);
    mine.map(|(_, number)| *number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_crashes_is_replaced_and_the_order_holds() {
    let (server, bus) = start().await;
    let (notes, open) = (Notes::default(), watch::Sender::new(false));
    let (one, other) = (connect(&server).await, connect(&server).await);
    let first = instance(&one, 'a', &notes, &open);
    publish(&bus, 0..1).await;
    eventually("an owner", async || of(&notes, 'a') == [0]).await;
    let second = instance(&other, 'b', &notes, &open);
    publish(&bus, 1..EVENTS).await;
    eventually("some events", async || of(&notes, 'a').len() as u64 == GATE).await;
    // It drops what it runs, and neither settles nor releases anything.
    first.task.abort();
    assert!(
        within("the abort", first.task)
            .await
            .unwrap_err()
            .is_cancelled()
    );
    eventually("the rest", async || {
        left(&bus, "single").await == Some((0, 0))
    })
    .await;
    let (before, after) = (of(&notes, 'a'), of(&notes, 'b'));
    assert!(before.is_sorted(), "{before:?}");
    // The events whose acknowledgement was under way may come once more, and in order.
    assert!(after.is_sorted_by(|a, b| a < b), "{after:?}");
    let last = before.last().unwrap();
    assert!(
        after[0] <= last + 1 && *after.last().unwrap() == EVENTS - 1,
        "{last} {after:?}"
    );
    second.stop.send(()).unwrap();
    let report = within("the end", second.task).await.unwrap();
    assert_eq!(report.handled, after.len() as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_ends_hands_over_without_a_repeat() {
    let (server, bus) = start().await;
    let (notes, open) = (Notes::default(), watch::Sender::new(false));
    let (one, other) = (connect(&server).await, connect(&server).await);
    let first = instance(&one, 'a', &notes, &open);
    publish(&bus, 0..1).await;
    eventually("an owner", async || of(&notes, 'a') == [0]).await;
    let second = instance(&other, 'b', &notes, &open);
    publish(&bus, 1..EVENTS).await;
    eventually("some events", async || of(&notes, 'a').len() as u64 == GATE).await;
    first.stop.send(()).unwrap();
    open.send_replace(true);
    within("the end", first.task).await.unwrap();
    eventually("the rest", async || {
        left(&bus, "single").await == Some((0, 0))
    })
    .await;
    let (mut all, after) = (of(&notes, 'a'), of(&notes, 'b'));
    assert!(!after.is_empty());
    all.extend(after);
    // Everything once, in order: the first one drained.
    assert!(all.iter().copied().eq(0..EVENTS), "{all:?}");
    second.stop.send(()).unwrap();
    within("the end", second.task).await.unwrap();
}

//! A consumer whose keys are held, on a real server: a crowd of one key beside others, and dead keys
//! whose order holds across redrive, restart and change of owner.

use std::collections::BTreeMap;
use std::future::{IntoFuture as _, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use event_sdk::consumer::{ConsumerReport, Ctx, Failure, Retry};
use event_sdk::dead_letters::{DeadLetters, LetterFilter, LetterSummary, Page};
use event_sdk::transport::TransportExt as _;
use event_sdk::{Error, Event, EventBus};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::rig::{builder, connect, within};
use crate::stepwise::Stepwise;

/// A line was added to an order.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "line", action = "added")]
struct LineAdded {
    #[event(key)]
    order: u64,
    number: u64,
}

/// What the service does, and the numbers that it has handled of each order.
#[derive(Clone, Default)]
struct Billing {
    repaired: Arc<AtomicBool>,
    handled: Arc<Mutex<BTreeMap<u64, Vec<u64>>>>,
}

type Running = JoinHandle<Result<ConsumerReport, Error>>;

impl Billing {
    /// Starts an instance; `fails` says how an event ends before the service is repaired.
    fn start(
        &self,
        bus: &EventBus,
        letters: DeadLetters,
        mut end: watch::Receiver<bool>,
        fails: fn(&LineAdded) -> Option<Failure>,
    ) -> Running {
        let billing = self.clone();
        let consumer = bus
            .consumer::<LineAdded>("billing")
            .ordered_by_key()
            .concurrency(8)
            .max_ack_pending(40)
            .ack_wait(Duration::from_secs(2))
            .retry(Retry::steps([Duration::from_millis(500)]).max_attempts(10_000))
            .dead_letters(letters)
            .single_active_for(Duration::from_secs(1))
            .on(move |line: LineAdded, _: Ctx| {
                let failure = fails(&line);
                let failure = failure.filter(|_| !billing.repaired.load(Ordering::Relaxed));
                if failure.is_none() {
                    let mut handled = billing.handled.lock().unwrap();
                    handled.entry(line.order).or_default().push(line.number);
                }
                std::future::ready(failure.map_or(Ok(()), Err))
            });
        tokio::spawn(consumer.run_until(async move {
            let _ = end.wait_for(|end| *end).await;
        }))
    }

    fn of(&self, order: u64) -> Vec<u64> {
        let handled = self.handled.lock().unwrap();
        handled.get(&order).cloned().unwrap_or_default()
    }

    /// The distinct events that were handled.
    fn count(&self) -> usize {
        let handled = self.handled.lock().unwrap();
        let mut count = 0;
        for numbers in handled.values() {
            let mut numbers = numbers.clone();
            numbers.dedup();
            count += numbers.len();
        }
        count
    }
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(what, poll).await;
}

async fn start() -> (Server, EventBus) {
    let server = Server::start().await.unwrap();
    let bus = connect(&server, builder().coordination("BILLING")).await;
    within("the streams", bus.apply()).await.unwrap();
    (server, bus)
}

async fn publish(bus: &EventBus, lines: impl IntoIterator<Item = (u64, u64)>) {
    let lines = lines.into_iter();
    let lines: Vec<_> = lines
        .map(|(order, number)| LineAdded { order, number })
        .collect();
    let publisher = bus.publisher::<LineAdded>();
    within("publishing", publisher.publish_all(lines))
        .await
        .unwrap();
}

async fn settled(bus: &EventBus) -> bool {
    let info = bus.transport().consumer_info("ORDERS", "billing").await;
    info.is_ok_and(|info| (info.ack_pending, info.pending) == (0, 0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_keys_go_on_beside_a_crowd_and_the_order_holds() {
    const CROWD: u64 = 400;
    let (server, bus) = start().await;
    let billing = Billing::default();
    let (end, ended) = watch::channel(false);
    let fails = |line: &LineAdded| (line.order == 0).then(|| Failure::retry("not yet"));
    publish(&bus, (0..CROWD).map(|number| (0, number))).await;
    publish(&bus, (0..200).map(|number| (1 + number % 20, number / 20))).await;
    let letters = || DeadLetters::stream("DLQ");
    let first = billing.start(&bus, letters(), ended.clone(), fails);
    // Before the failing key handles anything: 400 of its events are before them, and 40 may wait.
    until("the other keys", async || billing.count() == 200).await;
    assert!(billing.of(0).is_empty());
    let park = bus.dead_letters("DLQ").park("billing");
    let keys = within("keys", park.keys()).await.unwrap();
    assert!(keys.len() == 1 && !keys[0].dead, "{keys:?}");
    assert!(keys[0].events >= CROWD - 10, "{keys:?}");

    // The owner crashes, and its successor, too, while it handles what waits.
    first.abort();
    publish(&bus, (CROWD..CROWD + 50).map(|number| (0, number))).await;
    billing.repaired.store(true, Ordering::Relaxed);
    let other = connect(&server, builder().coordination("BILLING")).await;
    let second = billing.start(&other, letters(), ended.clone(), fails);
    until("some from the park", async || billing.of(0).len() > 60).await;
    second.abort();
    let third = billing.start(&bus, letters(), ended.clone(), fails);
    until("the rest", async || billing.count() as u64 == 250 + CROWD).await;
    let mut order = billing.of(0);
    order.dedup();
    assert!(order.iter().copied().eq(0..CROWD + 50), "{order:?}");
    for key in 1..=20 {
        let mut order = billing.of(key);
        order.dedup();
        assert!(order.iter().copied().eq(0..10), "{key}: {order:?}");
    }
    until("the end of the park", async || {
        park.keys().await.unwrap().is_empty() && settled(&bus).await
    })
    .await;
    end.send_replace(true);
    within("the consumer", third).await.unwrap().unwrap();
}

/// Redrives everything that is open by a command that is killed this often.
async fn redrive_killed(bus: &EventBus, kills: usize, random: &mut fastrand::Rng) {
    let stepwise = Stepwise(Arc::clone(bus.transport()));
    let queue = EventBus::builder().transport(stepwise).unwrap();
    let queue = queue.dead_letters("DLQ");
    for kill in 0..=kills {
        let mut redrive = queue.redrive(LetterFilter::open()).into_future();
        let mut left = if kill < kills {
            random.usize(1..100)
        } else {
            usize::MAX
        };
        let ended = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            redrive.as_mut().poll(cx).map(Some)
        });
        if let Some(report) = within("a redrive", ended).await {
            assert!(report.unwrap().redriven.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_keys_keep_their_order_across_redrive_restart_and_owners() {
    const KEYS: u64 = 20;
    const EVENTS: u64 = 10;
    let (server, bus) = start().await;
    let billing = Billing::default();
    let (end, ended) = watch::channel(false);
    let letters = || DeadLetters::stream("DLQ").sequenced();
    // The third event of each key.
    let fails = |line: &LineAdded| (line.number == 2).then(|| Failure::reject("no such order"));
    let lines = (0..EVENTS).flat_map(|number| (0..KEYS).map(move |key| (key, number)));
    publish(&bus, lines).await;
    let first = billing.start(&bus, letters(), ended.clone(), fails);
    let queue = bus.dead_letters("DLQ");
    let park = queue.park("billing");
    until("the park", async || {
        let keys = park.keys().await.unwrap();
        let waiting: u64 = keys.iter().map(|state| state.events).sum();
        waiting == KEYS * (EVENTS - 2) && settled(&bus).await
    })
    .await;
    assert_eq!(billing.count() as u64, KEYS * 2);
    let filter = LetterFilter::open();
    let list = within("a list", queue.list(&filter, Page::ALL))
        .await
        .unwrap();
    assert!(list.iter().all(LetterSummary::holds_its_key), "{list:?}");
    assert_eq!(list.len() as u64, KEYS);
    let dry = queue.redrive(LetterFilter::open()).dry_run();
    assert_eq!(
        within("a dry run", dry).await.unwrap().selected.len() as u64,
        KEYS
    );
    assert_eq!(within("requests", park.requests()).await.unwrap(), []);

    billing.repaired.store(true, Ordering::Relaxed);
    let mut random = fastrand::Rng::with_seed(11);
    let mut running = first;
    let other = connect(&server, builder().coordination("BILLING")).await;
    let killing = async {
        for (kill, bus) in (1..).zip([&other, &bus, &other]) {
            let some = usize::try_from(KEYS * 2 + kill * 20).unwrap();
            until("some of the park", async || billing.count() >= some).await;
            running.abort();
            running = billing.start(bus, letters(), ended.clone(), fails);
        }
    };
    let newer = publish(&bus, (0..KEYS).map(|key| (key, EVENTS)));
    tokio::join!(redrive_killed(&bus, 10, &mut random), killing, newer);
    let all = usize::try_from(KEYS * (EVENTS + 1)).unwrap();
    until("all", async || billing.count() == all).await;
    until("the end of the park", async || {
        let is_empty = park.keys().await.unwrap().is_empty();
        is_empty && park.requests().await.unwrap().is_empty() && settled(&bus).await
    })
    .await;
    let mut repeats = 0;
    for key in 0..KEYS {
        let mut order = billing.of(key);
        repeats += order.len();
        order.dedup();
        repeats -= order.len();
        assert!(order.iter().copied().eq(0..=EVENTS), "{key}: {order:?}");
    }
    println!("3 owners killed: {repeats} of {all} events repeated");
    let open = within("a count", queue.count(&filter)).await.unwrap();
    assert_eq!(open, 0);
    end.send_replace(true);
    within("the consumer", running).await.unwrap().unwrap();
}

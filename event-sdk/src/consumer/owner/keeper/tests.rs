//! Tests of the keeper over the memory transport, on a clock that is stepped.

use event_sdk_clock::SteppedClock;
use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::*;
use crate::EventBus;

const TERM: Duration = Duration::from_secs(12);

/// The instances of a service, on one bus.
struct Service {
    clock: SteppedClock,
    bus: EventBus,
    partitions: usize,
}

/// One instance.
struct Instance {
    handle: Handle,
    task: JoinHandle<()>,
}

impl Service {
    fn new(partitions: usize) -> Self {
        let clock = SteppedClock::new();
        let bus = EventBus::builder()
            .clock(Arc::new(clock.clone()))
            .memory()
            .unwrap();
        Self {
            clock,
            bus,
            partitions,
        }
    }

    fn start(&self) -> Instance {
        let config = KeeperConfig {
            consumer: Text::from("billing"),
            partitions: self.partitions,
            term: Term::new(TERM),
        };
        let clock = Arc::clone(self.bus.clock());
        let (keeper, handle) = Keeper::new(self.bus.coordination(), clock, &config);
        let task = tokio::spawn(keeper.run());
        Instance { handle, task }
    }

    /// Lets all tasks do what they can now.
    async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass, timer by timer.
    async fn pass(&self, time: Duration) {
        let end = self.clock.monotonic() + time;
        self.settle().await;
        while let Some(next) = self.clock.until_next() {
            let left = end.saturating_sub(self.clock.monotonic());
            if next > left {
                break;
            }
            self.clock.advance(next.max(Duration::from_nanos(1)));
            self.settle().await;
        }
        self.clock
            .advance(end.saturating_sub(self.clock.monotonic()));
        self.settle().await;
    }

    fn now(&self) -> Duration {
        lease_time(self.bus.clock())
    }
}

impl Instance {
    /// The partitions that it owns, with their epochs.
    fn owned(&mut self, now: Duration) -> Vec<(usize, u64)> {
        let shares = self.handle.shares().borrow_and_update();
        let fences = shares.iter().map(|share| share.fence.clone());
        let open = fences.enumerate().filter_map(|(partition, fence)| {
            let fence = fence.filter(|fence| fence.may_start(now))?;
            Some((partition, fence.epoch()))
        });
        open.collect()
    }

    /// Gives up what it is asked to, as an engine does that has nothing to drain.
    fn give_up(&mut self) {
        let shares = self.handle.shares().borrow_and_update().clone();
        for (partition, share) in shares.iter().enumerate() {
            if share.give_up {
                self.handle.release(partition);
            }
        }
    }
}

#[tokio::test]
async fn one_of_two_instances_is_the_owner_and_the_other_follows_a_crash() {
    let service = Service::new(1);
    let mut first = service.start();
    service.settle().await;
    let mut second = service.start();
    service.pass(5 * TERM).await;
    let before = first.owned(service.now());
    assert_eq!(before.len(), 1, "{before:?}");
    assert_eq!(second.owned(service.now()), []);
    first.task.abort();
    service.settle().await;
    // Its fence closed with it.
    assert_eq!(first.owned(service.now()), []);
    service.pass(TERM).await;
    assert_eq!(second.owned(service.now()), []);
    service.pass(TERM / 4).await;
    let after = second.owned(service.now());
    assert!(after[0].1 > before[0].1, "{after:?}");
}

#[tokio::test]
async fn a_release_lets_the_next_one_take_over_at_once() {
    let service = Service::new(1);
    let mut first = service.start();
    service.settle().await;
    let mut second = service.start();
    service.pass(TERM).await;
    assert_eq!(first.owned(service.now()).len(), 1);
    first.handle.leave();
    service.settle().await;
    assert!(first.task.is_finished());
    service.pass(Duration::from_secs(1)).await;
    assert_eq!(second.owned(service.now()).len(), 1);
}

#[tokio::test]
async fn an_owner_that_cannot_reach_the_bucket_fences_itself() {
    let service = Service::new(1);
    let mut owner = service.start();
    service.settle().await;
    let fence = owner.handle.shares().borrow()[0].fence.clone().unwrap();
    // No task runs while the clock goes on: as if the process was frozen.
    service.clock.advance(TERM * 2 / 3);
    assert!(!fence.may_start(service.now()) && !fence.must_cancel(service.now()));
    service.clock.advance(TERM / 3);
    assert!(fence.must_cancel(service.now()));
    service.settle().await;
    // It acquires the lease again only when its handlers are gone.
    service.pass(TERM).await;
    assert_eq!(owner.owned(service.now()), []);
    owner.handle.cleared(0);
    service.pass(Duration::from_secs(1)).await;
    let again = owner.owned(service.now());
    assert!(again[0].1 > fence.epoch() && fence.must_cancel(service.now()));
}

#[tokio::test]
async fn partitions_are_shared_and_move_when_instances_come_and_go() {
    let service = Service::new(8);
    let mut instances = vec![service.start()];
    service.pass(4 * TERM).await;
    assert_eq!(instances[0].owned(service.now()).len(), 8);
    instances.extend([service.start(), service.start()]);
    for _ in 0..30 {
        service.pass(Duration::from_secs(1)).await;
        instances.iter_mut().for_each(Instance::give_up);
    }
    assert_eq!(counts(&mut instances, service.now()), [2, 3, 3]);
    // One crashes.
    let crashed = instances.remove(1);
    crashed.task.abort();
    for _ in 0..40 {
        service.pass(Duration::from_secs(1)).await;
        instances.iter_mut().for_each(Instance::give_up);
    }
    assert_eq!(counts(&mut instances, service.now()), [4, 4]);
    // One leaves.
    instances[0].handle.leave();
    service.pass(Duration::from_secs(8)).await;
    assert_eq!(instances[1].owned(service.now()).len(), 8);
    join_all(instances.into_iter().map(|instance| {
        instance.handle.leave();
        instance.task
    }))
    .await;
    let left = service.bus.coordination().list("owners").await.unwrap();
    // The heartbeat of the one that crashed is deleted later.
    let keys: Vec<_> = left.iter().map(|entry| &*entry.key).collect();
    assert!(keys.len() == 1 && keys[0].contains(".member."), "{keys:?}");
}

/// How many partitions each instance owns, sorted. No partition has two owners.
fn counts(instances: &mut [Instance], now: Duration) -> Vec<usize> {
    let owned: Vec<_> = instances.iter_mut().map(|i| i.owned(now)).collect();
    let mut all: Vec<_> = owned.iter().flatten().map(|(p, _)| *p).collect();
    all.sort_unstable();
    let before = all.len();
    all.dedup();
    assert_eq!(all.len(), before, "{owned:?}");
    let mut counts: Vec<_> = owned.iter().map(Vec::len).collect();
    counts.sort_unstable();
    counts
}

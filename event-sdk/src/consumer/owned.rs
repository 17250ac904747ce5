//! `Owned`: a consumer that handles events while its instance is the owner: of the whole consumer, or
//! of some of its partitions.
//!
//! Each ownership has an engine of its own: it asks for the positions of the durables, then
//! subscribes, handles events behind fence and gates, and ends with the ownership.

mod durables;
mod latch;
mod turn;

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk_core::transport::{Bucket, Error, ErrorKind, Revision};
use futures_util::FutureExt as _;
use futures_util::future::{Either, select, try_join_all};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::latch::Latch;
use self::turn::Turn;
use super::activity::Activity;
use super::engine::{Parts, Places};
use super::held::Shared;
use super::opener::Opener;
use super::owner::keeper::{Denied, Handle, Keeper, KeeperConfig, prefix};
use super::owner::lease::Term;
use super::report::ConsumerReport;
use crate::dead_letters::Park;
use crate::partition::Partition;

/// A consumer with one owner, or with one for each of its partitions.
pub(super) struct Owned {
    /// Layers are not shared between threads.
    parts: Mutex<Parts>,
    shared: Arc<Shared>,
    opener: Opener,
    /// Where events wait for their keys: never with partitions.
    park: Option<Arc<Park>>,
    term: Duration,
    /// The number of partitions, if there are any.
    partitions: Option<u32>,
    /// How many handlers run at the same time.
    concurrency: usize,
}

/// Pause after the subscriptions could not be opened.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

impl Owned {
    pub(super) fn new(
        parts: Parts,
        opener: Opener,
        term: Duration,
        partitions: Option<u32>,
    ) -> Self {
        Self {
            shared: Arc::clone(&parts.shared),
            concurrency: parts.options.concurrency,
            park: parts.park.as_ref().map(|options| Arc::clone(&options.park)),
            parts: Mutex::new(parts),
            opener,
            term,
            partitions,
        }
    }

    /// Waits for ownerships and handles events, until the `signal` completes or a subscription
    /// fails.
    pub(super) async fn run(
        self,
        signal: impl Future<Output = ()> + Send,
    ) -> Result<ConsumerReport, Error> {
        let name = self.opener.name.clone();
        let config = KeeperConfig {
            consumer: name.clone(),
            partitions: self.partitions.map_or(1, |number| number as usize),
            term: Term::new(self.term),
        };
        let at_consumer = |error: Error| error.at_consumer(name.clone());
        let bus = self.opener.bus.clone();
        let bucket = bus.coordination();
        // A standby has no subscription that would tell it of the end of the bus.
        let bus_ends = std::pin::pin!(bus.ending());
        let signal = std::pin::pin!(signal);
        let mut signal = std::pin::pin!(select(signal, bus_ends).map(drop));
        let mut signal = Latch::new(signal.as_mut());
        let prefix = prefix(&config);
        let prepared = {
            let prepared = std::pin::pin!(self.prepare(&bucket, &prefix));
            match select(prepared, &mut signal).await {
                Either::Left((prepared, _)) => prepared,
                Either::Right(_) => return Ok(ConsumerReport::default()),
            }
        };
        prepared.map_err(at_consumer)?;
        let (keeper, handle) = Keeper::new(bucket, Arc::clone(bus.clock()), &config);
        let keeper = AbortOnDrop(tokio::spawn(keeper.run()));
        let (ready, activity) = (self.shared.ready.clone(), Arc::clone(&self.shared.activity));
        ready.send_replace(true);
        // A standby holds nothing.
        activity.started();
        let running = async {
            match self.partitions {
                None => self.run_whole(handle.clone(), signal).await,
                Some(number) => {
                    let owned = Arc::new(self);
                    owned.run_partitions(number, &handle, signal).await
                }
            }
        };
        let telling = tell_denied(handle.denied(), &ready, &activity);
        let (report, end) = match select(std::pin::pin!(running), std::pin::pin!(telling)).await {
            Either::Left((ended, _)) => ended,
            Either::Right((never, _)) => match never {},
        };
        ready.send_replace(false);
        activity.set_denied(None);
        handle.leave();
        // It releases the leases, so that the next instance takes over at once.
        keeper.ended().await;
        end.map(|()| report)
    }

    /// Makes the durables of the partitions, and checks that the bucket is there: without it, or a
    /// permission, nothing is ever owned. Tries again if the server does not answer, which happens
    /// in a cluster whose servers come and go, and where another instance has just made a durable.
    async fn prepare(&self, bucket: &Bucket, prefix: &str) -> Result<(), Error> {
        loop {
            let usable = match bucket.list(prefix).await {
                Ok(_) => may_write(bucket, prefix, self.partitions).await,
                Err(error) => Err(error),
            };
            let prepared = match (usable, self.partitions) {
                (Ok(()), Some(number)) => self.make_durables(number).await,
                (usable, _) => usable,
            };
            match prepared {
                Err(error) if error.is_transient() => {
                    warn(&self.opener.name, &error);
                    self.pause().await;
                }
                prepared => return prepared,
            }
        }
    }

    /// All count as those of the consumer, whoever owns the partitions.
    async fn make_durables(&self, number: u32) -> Result<(), Error> {
        durables::make(&self.opener, number).await?;
        for index in 0..number {
            let durable = Partition::durable(&self.opener.name, index);
            for stream in self.opener.streams(&durable).await? {
                self.shared.activity.receives_from(stream, durable.clone());
            }
        }
        Ok(())
    }

    /// Waits before the subscriptions are opened again.
    async fn pause(&self) {
        let clock = self.opener.bus.clock();
        let until = clock.monotonic().saturating_add(OPEN_AGAIN);
        clock.sleep_until(until).await;
    }

    /// Handles all events, as the only owner.
    async fn run_whole(
        &self,
        handle: Handle,
        signal: impl Future<Output = ()> + Send,
    ) -> (ConsumerReport, Result<(), Error>) {
        let mut turn = Turn {
            owned: self,
            index: 0,
            partition: None,
            durable: self.opener.name.clone(),
            handle,
            places: None,
            report: ConsumerReport::default(),
        };
        let end = turn.run(std::pin::pin!(signal)).await;
        (turn.report, end)
    }

    /// Handles the events of partitions, each in a task of its own.
    async fn run_partitions(
        self: Arc<Self>,
        number: u32,
        handle: &Handle,
        signal: impl Future<Output = ()> + Send,
    ) -> (ConsumerReport, Result<(), Error>) {
        let places = Places::new(self.concurrency);
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        for index in 0..number {
            let (owned, handle) = (Arc::clone(&self), handle.clone());
            let (places, mut stopped) = (places.clone(), stop.subscribe());
            tasks.spawn(async move {
                let mut turn = Turn {
                    owned: &owned,
                    index: index as usize,
                    partition: Some(Partition { index, of: number }),
                    durable: Partition::durable(&owned.opener.name, index),
                    handle,
                    places: Some(places),
                    report: ConsumerReport::default(),
                };
                let signal = async { drop(stopped.wait_for(|stop| *stop).await) };
                let end = turn.run(std::pin::pin!(signal)).await;
                (turn.report, end)
            });
        }
        let (mut report, mut end) = (ConsumerReport::default(), Ok(()));
        let mut signal = std::pin::pin!(signal);
        let mut stops = false;
        loop {
            let joined = if stops {
                tasks.join_next().await
            } else {
                match select(std::pin::pin!(tasks.join_next()), signal.as_mut()).await {
                    Either::Left((joined, _)) => joined,
                    Either::Right(_) => {
                        stops = true;
                        stop.send_replace(true);
                        continue;
                    }
                }
            };
            match joined {
                None => return (report, end),
                Some(Ok((of_partition, ended))) => {
                    report.add(of_partition);
                    end = end.and(ended);
                }
                Some(Err(error)) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime ends.
                    Err(_) => return (report, end),
                },
            }
            // The bus was closed, or a subscription has failed.
            stops = true;
            stop.send_replace(true);
        }
    }
}

/// Checks that the entries of the consumer can be written: it deletes them in a revision that they
/// never have, which changes nothing.
async fn may_write(bucket: &Bucket, prefix: &str, partitions: Option<u32>) -> Result<(), Error> {
    const NEVER: Revision = Revision::Exactly(i64::MAX.unsigned_abs());
    let leases = (0..partitions.unwrap_or(1)).map(|number| format!("{prefix}.lease.{number}"));
    let member = partitions.map(|_| format!("{prefix}.member.none"));
    let checked = leases.chain(member).map(|key| async move {
        match bucket.delete(&key, NEVER).await {
            Err(error) if !matches!(error.kind(), ErrorKind::WrongRevision { .. }) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    });
    try_join_all(checked).await.map(drop)
}

/// Sets what the consumer is denied, and whether it is ready: not if events have no owner because of that.
async fn tell_denied(
    mut denied: watch::Receiver<Denied>,
    ready: &watch::Sender<bool>,
    activity: &Activity,
) -> Infallible {
    while denied.changed().await.is_ok() {
        let Denied { why, unowned } = denied.borrow_and_update().clone();
        activity.set_denied(why);
        ready.send_if_modified(|ready| std::mem::replace(ready, !unowned) == unowned);
    }
    // The keeper has ended, and so will the consumer.
    std::future::pending().await
}

fn warn(durable: &str, error: &Error) {
    tracing::warn!(
        target: crate::TRACING_TARGET,
        consumer = %durable,
        "the consumer cannot subscribe, and tries again: {error}"
    );
}

/// The task of a keeper, which ends with the consumer.
struct AbortOnDrop(JoinHandle<()>);

impl AbortOnDrop {
    async fn ended(mut self) {
        let _ = (&mut self.0).await;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

//! `Owned`: a consumer that handles events while its instance is the owner: of the whole consumer, or
//! of some of its partitions.
//!
//! Each ownership has an engine of its own: it asks for the positions of the durables, then
//! subscribes, handles events behind fence and gates, and ends with the ownership.

mod durables;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, TransportExt as _};
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::engine::{Acquired, Engine, Parts, Places, Sources, StreamGate, baseline};
use super::held::Shared;
use super::opener::Opener;
use super::owner::fence::Fence;
use super::owner::gate::{Baseline, Gate};
use super::owner::keeper::{Handle, Keeper, KeeperConfig, Share, prefix};
use super::owner::lease::Term;
use super::report::ConsumerReport;
use crate::partition::Partition;

/// A consumer with one owner, or with one for each of its partitions.
pub(super) struct Owned {
    /// Layers are not shared between threads.
    parts: Mutex<Parts>,
    shared: Arc<Shared>,
    opener: Opener,
    term: Duration,
    /// The number of partitions, if there are any.
    partitions: Option<u32>,
    /// How many handlers run at the same time.
    concurrency: usize,
}

/// Pause after the subscriptions could not be opened.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// How much later than its ack wait, or its delay after a nak (which an owner limits to the ack wait), a message may be delivered again.
const LATE: Duration = Duration::from_secs(2);

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
        let clock = Arc::clone(self.opener.bus.clock());
        let bucket = self.opener.bus.coordination();
        // A missing bucket or permission is an error at once.
        bucket.list(&prefix(&config)).await.map_err(at_consumer)?;
        if let Some(number) = self.partitions {
            let made = durables::make(&self.opener, number);
            made.await.map_err(at_consumer)?;
        }
        let (keeper, handle) = Keeper::new(bucket, clock, &config);
        let keeper = AbortOnDrop(tokio::spawn(keeper.run()));
        let ready = self.shared.ready.clone();
        ready.send_replace(true);
        let (report, end) = match self.partitions {
            None => self.run_whole(handle.clone(), signal).await,
            Some(number) => Arc::new(self).run_partitions(number, &handle, signal).await,
        };
        ready.send_replace(false);
        handle.leave();
        // It releases the leases, so that the next instance takes over at once.
        keeper.ended().await;
        end.map(|()| report)
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

/// The ownerships of a consumer or partition in this process, one after the other.
struct Turn<'a> {
    owned: &'a Owned,
    /// The index of the lease.
    index: usize,
    partition: Option<Partition>,
    durable: Text,
    handle: Handle,
    places: Option<Places>,
    report: ConsumerReport,
}

impl Turn<'_> {
    async fn run(
        &mut self,
        mut signal: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<(), Error> {
        loop {
            let fence = match select(std::pin::pin!(self.acquired()), signal.as_mut()).await {
                Either::Left((Some(fence), _)) => fence,
                Either::Left((None, _)) | Either::Right(_) => return Ok(()),
            };
            let opened = {
                let open = std::pin::pin!(self.open());
                match select(open, signal.as_mut()).await {
                    Either::Left((opened, _)) => opened,
                    Either::Right(_) => return Ok(()),
                }
            };
            let (positions, sources) = match opened {
                Ok(opened) => opened,
                Err(error) if error.is_transient() => {
                    self.warn(&error);
                    let again = std::pin::pin!(self.pause());
                    if let Either::Right(_) = select(again, signal.as_mut()).await {
                        return Ok(());
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut engine = self.engine(sources, positions, fence);
            let mut given_up = false;
            let ended = {
                let gives_up = std::pin::pin!(gives_up(self.handle.watch(), self.index));
                let ends = async {
                    let first = select(signal.as_mut(), gives_up).await;
                    given_up = matches!(first, Either::Right(_));
                };
                engine.run_to_the_end(std::pin::pin!(ends)).await
            };
            let lost = engine.has_lost();
            given_up &= !lost && ended.is_ok();
            let mut over = !lost;
            if given_up {
                // No other instance takes over before the last handler is gone, unless this one ends.
                let gone = std::pin::pin!(engine.handlers_gone());
                let first = select(gone, signal.as_mut()).await;
                over = matches!(first, Either::Right(_));
            }
            self.report.add(engine.take_report());
            drop(engine);
            self.handle.cleared(self.index);
            if over {
                return ended;
            }
            if given_up {
                self.handle.release(self.index);
            }
        }
    }

    /// Waits until this process is the owner; `None` if the keeper has ended.
    async fn acquired(&mut self) -> Option<Arc<Fence>> {
        let index = self.index;
        loop {
            let owned = |shares: &Vec<Share>| {
                let share = shares.get(index);
                share.is_some_and(|share| share.fence.is_some())
            };
            let share = {
                let shares = self.handle.shares().wait_for(owned).await.ok()?;
                shares.get(index)?.clone()
            };
            let fence = share.fence?;
            if !share.give_up {
                return Some(fence);
            }
            // Nothing runs.
            self.handle.release(index);
            ended(self.handle.watch(), fence, index).await;
        }
    }

    /// Asks for the position of each durable, then subscribes.
    async fn open(&self) -> Result<(Vec<(Text, Baseline)>, Sources), Error> {
        let opener = &self.owned.opener;
        let transport = opener.bus.transport();
        let mut positions = Vec::new();
        for stream in opener.streams(&self.durable).await? {
            let position = match transport.consumer_info(&stream, &self.durable).await {
                Ok(info) => baseline(&info),
                // It is created by the subscription.
                Err(error) if *error.kind() == ErrorKind::ConsumerNotFound => {
                    if self.partition.is_none() {
                        durables::refuse_partitions(opener, &stream).await?;
                    }
                    Baseline::NEW
                }
                Err(error) => return Err(error),
            };
            positions.push((stream, position));
        }
        Ok((positions, opener.open(&self.durable).await?))
    }

    fn engine(
        &self,
        sources: Sources,
        positions: Vec<(Text, Baseline)>,
        fence: Arc<Fence>,
    ) -> Engine {
        let parts = self.owned.parts.lock();
        let mut parts = parts.unwrap_or_else(PoisonError::into_inner).clone();
        let shared = &self.owned.shared;
        parts.shared = Arc::new(Shared {
            bus: shared.bus.clone(),
            name: shared.name.clone(),
            replay: shared.replay,
            handler_timeout: shared.handler_timeout,
            // A standby is ready too.
            ready: watch::Sender::new(true),
            ending: watch::Sender::new(false),
        });
        let now = self.owned.opener.bus.clock().monotonic();
        let ack_wait = sources.longest_ack_wait().saturating_add(LATE);
        let gates = positions.into_iter().map(|(stream, position)| {
            let gate = Gate::taken_over(position, ack_wait, ack_wait, now);
            (stream, StreamGate::new(gate))
        });
        let gates: HashMap<_, _> = gates.collect();
        let mut engine = Engine::new(parts, sources);
        let ends = ended(self.handle.watch(), Arc::clone(&fence), self.index);
        engine.own(Acquired {
            fence,
            gates,
            ends: Box::pin(ends),
            durable: self.durable.clone(),
            partition: self.partition,
            places: self.places.clone(),
        });
        engine
    }

    async fn pause(&self) {
        let clock = self.owned.opener.bus.clock();
        let until = clock.monotonic().saturating_add(OPEN_AGAIN);
        clock.sleep_until(until).await;
    }

    fn warn(&self, error: &Error) {
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.durable,
            "the owner cannot subscribe, and tries again: {error}"
        );
    }
}

/// Completes when the ownership of this fence has ended.
async fn ended(mut shares: watch::Receiver<Vec<Share>>, fence: Arc<Fence>, index: usize) {
    let over = |shares: &Vec<Share>| {
        let current = shares.get(index).and_then(|share| share.fence.as_ref());
        current.is_none_or(|current| current.epoch() != fence.epoch())
    };
    let _ = shares.wait_for(over).await;
}

/// Completes when the partition has to be given up.
async fn gives_up(mut shares: watch::Receiver<Vec<Share>>, index: usize) {
    let gives_up = |shares: &Vec<Share>| shares.get(index).is_some_and(|share| share.give_up);
    if shares.wait_for(gives_up).await.is_err() {
        // Without a keeper the ownership ends.
        std::future::pending().await
    }
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

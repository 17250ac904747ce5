//! `Turn`: the ownerships of a consumer, or of one of its partitions, one after the other.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, TransportExt as _};
use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::latch::Latch;
use super::{Owned, durables};
use crate::consumer::engine::{Acquired, Engine, Places, Sources, StreamGate, baseline};
use crate::consumer::held::Shared;
use crate::consumer::owner::fence::{Fence, lease_time};
use crate::consumer::owner::gate::{Baseline, Gate};
use crate::consumer::owner::keeper::{Handle, Share};
use crate::consumer::report::ConsumerReport;
use crate::dead_letters::{DeadKey, Park, ParkedEvent, Requests};
use crate::partition::OwnerEpoch;
use crate::partition::Partition;

/// The ownerships of a consumer or partition in this process, one after the other.
pub(super) struct Turn<'a> {
    pub(super) owned: &'a Owned,
    /// The index of the lease.
    pub(super) index: usize,
    pub(super) partition: Option<Partition>,
    pub(super) durable: Text,
    pub(super) handle: Handle,
    pub(super) places: Option<Places>,
    pub(super) report: ConsumerReport,
}

/// What an ownership begins with.
struct Opened {
    positions: Vec<(Text, Baseline)>,
    /// What waits in the park, and the requests that are not answered.
    park: Option<(HashMap<DeadKey, Vec<ParkedEvent>>, Requests)>,
    sources: Sources,
}

/// How much later than its ack wait, or its delay after a nak (which an owner limits to the ack wait),
/// a message may be delivered again.
const LATE: Duration = Duration::from_secs(2);

/// How soon an ownership that is over is looked at again, if its keeper has nothing new.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Turn<'_> {
    /// Handles events in one ownership after the other, until the `signal` completes or a subscription
    /// fails.
    pub(super) async fn run(
        &mut self,
        signal: Pin<&mut (impl Future<Output = ()> + Send)>,
    ) -> Result<(), Error> {
        let mut signal = std::pin::pin!(Latch::new(signal));
        loop {
            let fence = match select(std::pin::pin!(self.acquired()), signal.as_mut()).await {
                Either::Left((Some(fence), _)) => fence,
                Either::Left((None, _)) | Either::Right(_) => return Ok(()),
            };
            let opened = {
                let open = std::pin::pin!(self.open(&fence));
                match select(open, signal.as_mut()).await {
                    Either::Left((opened, _)) => opened,
                    Either::Right(_) => return Ok(()),
                }
            };
            let opened = match opened {
                Ok(Some(opened)) => opened,
                // The ownership is over.
                Ok(None) => continue,
                Err(error) if may_pass(&error) => {
                    super::warn(&self.durable, &error);
                    let again = std::pin::pin!(self.owned.pause());
                    if let Either::Right(_) = select(again, signal.as_mut()).await {
                        return Ok(());
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut engine = self.engine(opened, fence);
            let mut given_up = false;
            let ended = {
                let told = std::pin::pin!(told_to_give_up(self.handle.watch(), self.index));
                let ends = async {
                    let first = select(signal.as_mut(), told).await;
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
        }
    }

    /// Waits until this process is the owner; `None` if the keeper has ended. No handler may exist.
    async fn acquired(&mut self) -> Option<Arc<Fence>> {
        let clock = self.owned.opener.bus.clock();
        let mut released = None;
        loop {
            let shares = self.handle.shares();
            let share = shares.borrow_and_update().get(self.index)?.clone();
            match share.fence {
                // It is over, and the keeper may not know it yet: this process was frozen.
                Some(fence) if fence.must_cancel(lease_time(clock)) => {
                    let until = clock.monotonic().saturating_add(LOOK_AGAIN);
                    let again = std::pin::pin!(clock.sleep_until(until));
                    let changed = std::pin::pin!(shares.changed());
                    if let Either::Left((changed, _)) = select(changed, again).await {
                        changed.ok()?;
                    }
                    continue;
                }
                Some(fence) if !share.give_up => return Some(fence),
                Some(fence) if released == Some(fence.epoch()) => {}
                // Nothing runs any more, or nothing ran.
                Some(fence) => {
                    released = Some(fence.epoch());
                    self.handle.release(self.index);
                }
                // An ownership may have ended before anything was handled in it.
                None => self.handle.cleared(self.index),
            }
            self.handle.shares().changed().await.ok()?;
        }
    }

    /// Takes over the park and reads what waits in it, asks for the position of each durable, then
    /// subscribes; `None` if the ownership is over.
    async fn open(&self, fence: &Fence) -> Result<Option<Opened>, Error> {
        let opener = &self.owned.opener;
        let park = match &self.owned.park {
            Some(park) => {
                if !self.take_over(park, fence).await? {
                    return Ok(None);
                }
                // Requests last: nothing waits any more for one whose key is not read.
                Some((park.events_by_key().await?, park.requests_after(0).await?))
            }
            None => None,
        };
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
        Ok(Some(Opened {
            positions,
            park,
            sources: opener.open(&self.durable).await?,
        }))
    }

    /// Takes over the park. Returns whether this process is still the owner.
    async fn take_over(&self, park: &Park, fence: &Fence) -> Result<bool, Error> {
        let clock = self.owned.opener.bus.clock();
        let is_owner = || !fence.must_cancel(lease_time(clock));
        match park.take_over(self.epoch(fence), is_owner).await {
            Ok(taken) => Ok(taken.is_some()),
            // Events that need no park go on, and the earlier owner cannot store anything either.
            Err(error) if *error.kind() == ErrorKind::StreamFull => {
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.durable,
                    "the owner cannot write that it takes over the park; make room in the \
                     dead-letter stream (purge or expire letters): {error}"
                );
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn epoch(&self, fence: &Fence) -> OwnerEpoch {
        let partition = self.partition.map_or(0, |partition| partition.index);
        OwnerEpoch::new(partition, fence.epoch())
    }

    fn engine(&self, opened: Opened, fence: Arc<Fence>) -> Engine {
        let Opened {
            positions,
            park,
            sources,
        } = opened;
        let parts = self.owned.parts.lock();
        let mut parts = parts.unwrap_or_else(PoisonError::into_inner).clone();
        let shared = &self.owned.shared;
        let owner = self.epoch(&fence);
        if let Some(options) = &mut parts.park {
            options.park = Arc::new(options.park.owned_by(owner));
        }
        parts.shared = Arc::new(Shared {
            bus: shared.bus.clone(),
            name: shared.name.clone(),
            replay: shared.replay,
            handler_timeout: shared.handler_timeout,
            owner: Some(owner),
            // A standby is ready too.
            ready: watch::Sender::new(true),
            ending: watch::Sender::new(false),
            activity: Arc::clone(&shared.activity),
            inherits: Arc::clone(&shared.inherits),
        });
        let now = self.owned.opener.bus.clock().monotonic();
        let ack_wait = sources.longest_ack_wait().saturating_add(LATE);
        // Redriven events are acknowledged one by one.
        let retry = self.owned.opener.place.as_ref();
        let retry = retry.map(|place| place.retry_name().to_owned());
        let is_of_events = |stream: &str| retry.as_deref() != Some(stream);
        let cumulative = parts.options.ack_all;
        let gates = positions.into_iter().map(|(stream, position)| {
            let gate = Gate::taken_over(position, ack_wait, ack_wait, now);
            let gate = StreamGate::new(gate);
            if cumulative && is_of_events(&stream) {
                (stream, gate.cumulative())
            } else {
                (stream, gate)
            }
        });
        let gates: BTreeMap<_, _> = gates.collect();
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
        if let Some((events, requests)) = park {
            engine.take_over_park(events, requests);
        }
        engine
    }
}

/// Whether it helps to open the sources once more. Another owner may have taken over the park in the
/// meantime.
fn may_pass(error: &Error) -> bool {
    error.is_transient() || matches!(error.kind(), ErrorKind::WrongLastSequence { .. })
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
async fn told_to_give_up(mut shares: watch::Receiver<Vec<Share>>, index: usize) {
    let gives_up = |shares: &Vec<Share>| shares.get(index).is_some_and(|share| share.give_up);
    if shares.wait_for(gives_up).await.is_err() {
        // Without a keeper the ownership ends.
        std::future::pending::<()>().await;
    }
}

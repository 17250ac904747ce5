//! `Owned`: a consumer that runs while its instance is the owner, and waits otherwise.
//!
//! Each ownership has an engine of its own: it asks for the positions of the durables, then
//! subscribes, handles events behind fence and gates, and ends with the ownership.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, TransportExt as _};
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::engine::{Engine, Parts, Sources, StreamGate, baseline};
use super::held::Shared;
use super::inbox::OwnerEpoch;
use super::opener::Opener;
use super::owner::fence::Fence;
use super::owner::gate::{Baseline, Gate};
use super::owner::keeper::{Handle, Keeper, KeeperConfig, prefix};
use super::owner::lease::Term;
use super::report::ConsumerReport;
use crate::dead_letters::{DeadKey, Park, ParkedEvent, Requests};

/// A consumer with one owner.
pub(super) struct Owned {
    /// Layers are not shared between threads.
    parts: Mutex<Parts>,
    shared: Arc<Shared>,
    opener: Opener,
    park: Option<Arc<Park>>,
    term: Duration,
}

/// What an ownership begins with.
struct Opened {
    positions: Vec<(Text, Baseline)>,
    /// What waits in the park, and the requests that are not answered.
    park: Option<(HashMap<DeadKey, Vec<ParkedEvent>>, Requests)>,
    sources: Sources,
}

/// The one lease: there are no partitions.
const ONLY: usize = 0;

/// Pause after the subscriptions could not be opened.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// How much later than its ack wait, or its delay after a nak (which an owner limits to the ack wait), a message may be delivered again.
const LATE: Duration = Duration::from_secs(2);

impl Owned {
    pub(super) fn new(parts: Parts, opener: Opener, term: Duration) -> Self {
        Self {
            shared: Arc::clone(&parts.shared),
            park: parts.park.as_ref().map(|options| Arc::clone(&options.park)),
            parts: Mutex::new(parts),
            opener,
            term,
        }
    }

    /// Waits for the ownership and handles events, until the `signal` completes or the subscription
    /// fails.
    pub(super) async fn run(
        self,
        signal: impl Future<Output = ()> + Send,
    ) -> Result<ConsumerReport, Error> {
        let config = KeeperConfig {
            consumer: self.opener.name.clone(),
            partitions: 1,
            term: Term::new(self.term),
        };
        let bus = &self.opener.bus;
        let at_consumer = |error: Error| error.at_consumer(self.opener.name.clone());
        let bucket = bus.coordination();
        // A missing bucket or permission is an error at once.
        bucket.list(&prefix(&config)).await.map_err(at_consumer)?;
        let (keeper, mut handle) = Keeper::new(bucket, Arc::clone(bus.clock()), &config);
        let keeper = AbortOnDrop(tokio::spawn(keeper.run()));
        // A standby has no subscription that would tell it of the end of the bus.
        let bus_ends = std::pin::pin!(bus.ending());
        let signal = std::pin::pin!(signal);
        let mut signal = std::pin::pin!(select(signal, bus_ends).map(drop));
        let mut signal = std::pin::pin!(Latch::new(signal.as_mut()));
        let ready = self.shared.ready.clone();
        ready.send_replace(true);
        // A standby holds nothing.
        self.shared.activity.set_idle(true);
        let mut report = ConsumerReport::default();
        let end = self.own(&mut handle, signal.as_mut(), &mut report).await;
        ready.send_replace(false);
        handle.leave();
        // It releases the lease, so that the next instance takes over at once.
        keeper.ended().await;
        end.map(|()| report)
    }

    /// Runs one ownership after the other.
    async fn own(
        &self,
        handle: &mut Handle,
        mut signal: Pin<&mut (impl Future<Output = ()> + Send)>,
        report: &mut ConsumerReport,
    ) -> Result<(), Error> {
        loop {
            let fence = match select(std::pin::pin!(acquired(handle)), signal.as_mut()).await {
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
            let opened = match opened {
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
            let mut engine = self.engine(opened, fence, handle);
            let ended = engine.run_to_the_end(signal.as_mut()).await;
            let lost = engine.has_lost();
            report.add(engine.take_report());
            drop(engine);
            handle.cleared(ONLY);
            if !lost {
                return ended;
            }
        }
    }

    /// Asks for the position of each durable and reads what waits in the park, then subscribes.
    async fn open(&self) -> Result<Opened, Error> {
        let park = match &self.park {
            // Requests last: nothing waits any more for one whose key is not read.
            Some(park) => Some((park.events_by_key().await?, park.requests_after(0).await?)),
            None => None,
        };
        let transport = self.opener.bus.transport();
        let mut positions = Vec::new();
        for stream in self.opener.streams().await? {
            let position = match transport.consumer_info(&stream, &self.opener.name).await {
                Ok(info) => baseline(&info),
                // It is created by the subscription.
                Err(error) if *error.kind() == ErrorKind::ConsumerNotFound => Baseline::NEW,
                Err(error) => return Err(error),
            };
            positions.push((stream, position));
        }
        Ok(Opened {
            positions,
            park,
            sources: self.opener.open().await?,
        })
    }

    fn engine(&self, opened: Opened, fence: Arc<Fence>, handle: &Handle) -> Engine {
        let Opened {
            positions,
            park,
            sources,
        } = opened;
        let parts = self.parts.lock();
        let mut parts = parts.unwrap_or_else(PoisonError::into_inner).clone();
        let shared = &self.shared;
        parts.shared = Arc::new(Shared {
            bus: shared.bus.clone(),
            name: shared.name.clone(),
            replay: shared.replay,
            handler_timeout: shared.handler_timeout,
            owner: Some(OwnerEpoch::new(0, fence.epoch())),
            // A standby is ready too.
            ready: watch::Sender::new(true),
            ending: watch::Sender::new(false),
            activity: Arc::clone(&shared.activity),
            inherits: Arc::clone(&shared.inherits),
        });
        let now = self.opener.bus.clock().monotonic();
        let ack_wait = sources.longest_ack_wait().saturating_add(LATE);
        let cumulative = parts.options.ack_all;
        let gates = positions.into_iter().map(|(stream, position)| {
            let gate = Gate::taken_over(position, ack_wait, ack_wait, now);
            let gate = StreamGate::new(gate);
            let gate = if cumulative { gate.cumulative() } else { gate };
            (stream, gate)
        });
        let gates: HashMap<_, _> = gates.collect();
        let mut engine = Engine::new(parts, sources);
        let ends = Box::pin(ended(handle.watch(), Arc::clone(&fence)));
        engine.own(fence, gates, ends);
        if let Some((events, requests)) = park {
            engine.take_over_park(events, requests);
        }
        engine
    }

    async fn pause(&self) {
        let clock = self.opener.bus.clock();
        let until = clock.monotonic().saturating_add(OPEN_AGAIN);
        clock.sleep_until(until).await;
    }

    fn warn(&self, error: &Error) {
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.opener.name,
            "the owner cannot subscribe, and tries again: {error}"
        );
    }
}

/// The signal: once it has completed, it is complete for every ownership that is still to end.
struct Latch<'a, F> {
    signal: Pin<&'a mut F>,
    is_complete: bool,
}

impl<'a, F> Latch<'a, F> {
    fn new(signal: Pin<&'a mut F>) -> Self {
        Self {
            signal,
            is_complete: false,
        }
    }
}

impl<F: Future<Output = ()>> Future for Latch<'_, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.is_complete = this.is_complete || this.signal.as_mut().poll(cx).is_ready();
        if this.is_complete {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Waits until this process is the owner; `None` if the keeper has ended.
async fn acquired(handle: &mut Handle) -> Option<Arc<Fence>> {
    let owned = |shares: &Vec<super::owner::keeper::Share>| {
        shares.get(ONLY).is_some_and(|share| share.fence.is_some())
    };
    let shares = handle.shares().wait_for(owned).await.ok()?;
    shares.get(ONLY)?.fence.clone()
}

/// Completes when the ownership of this fence has ended.
async fn ended(mut shares: watch::Receiver<Vec<super::owner::keeper::Share>>, fence: Arc<Fence>) {
    let over = |shares: &Vec<super::owner::keeper::Share>| {
        let current = shares.get(ONLY).and_then(|share| share.fence.as_ref());
        current.is_none_or(|current| current.epoch() != fence.epoch())
    };
    let _ = shares.wait_for(over).await;
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

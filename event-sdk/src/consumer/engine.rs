//! `Engine`: the loop of a consumer. It receives events, orders them by key, starts handlers, and
//! settles the events by the outcome.
//!
//! - `sources`: the subscriptions;
//! - `receiving`: received events, which start at once or are held;
//! - `at_once`: events that are handled without being held;
//! - `entry`: an event that the engine holds, and its state;
//! - `filtering`: events that are not handled;
//! - `foreign`: events of other partitions;
//! - `keys`: which event of a key may run;
//! - `layered`: the layers around handlers;
//! - `start`: which events start, alone or in a batch;
//! - `places`: how many handlers run in all partitions of an instance;
//! - `attempt`: one attempt of a handler, as a future;
//! - `attempts`: the handlers that run, in this task or in others;
//! - `attempt_end`: handlers that return, or exceed their time limit;
//! - `ownership`: the fence and the gate of a consumer with one owner;
//! - `settle`: the settlement of an event, after which its key goes on;
//! - `outcome`: what follows the end of a handler;
//! - `acks`: events that are acknowledged together;
//! - `batches`: what follows the end of a batch;
//! - `circuit`: the breaker, at which events wait while a dependency is unavailable;
//! - `records`: attempt records;
//! - `suspects`: events that run alone in the process;
//! - `letters`: events that are given up;
//! - `observing`: the counts of the report, and what the observer of the bus is told;
//! - `parking`: what the engine knows of the park;
//! - `parked`: events that go to the park to wait for their keys;
//! - `unparked`: events that come out of the park;
//! - `releases`: requests to go on with dead keys;
//! - `deadlines`: retries, time limits and keep-alive;
//! - `ending`: the drain.

mod acks;
mod at_once;
mod attempt;
mod attempt_end;
mod attempts;
mod batches;
mod circuit;
mod deadlines;
mod ending;
mod entry;
mod filtering;
mod foreign;
mod keys;
mod layered;
mod letters;
mod observing;
mod outcome;
mod ownership;
mod parked;
mod parking;
mod places;
mod receiving;
mod records;
mod releases;
mod settle;
mod sources;
mod start;
mod suspects;
mod unparked;

use ownership::Ownership;
pub(super) use ownership::{Acquired, StreamGate, baseline};
pub(super) use places::Places;
use places::PlacesTaken;
pub(super) use sources::Sources;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::time::{Clock, Sleep};
use event_sdk_core::transport::Error;
use slab::Slab;

use self::attempts::Attempts;
use self::circuit::Circuit;
use self::entry::Entry;
use self::keys::{Key, Keys, Place};
use self::layered::Layered;
use self::outcome::Settling;
use self::parking::Parking;
use self::records::Recorder;
use super::breaker::Breaker;
use super::filter::Filters;
use super::handlers::{Handlers, Set};
use super::held::{Held, Shared};
use super::layer::AttemptService;
use super::options::{BreakerBy, Options, ParkOptions};
use super::report::ConsumerReport;
use crate::dead_letters::DeadLetterStore;

/// What an engine is made of, beside its subscriptions.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    pub(super) options: Options,
    pub(super) handlers: Handlers,
    pub(super) set: Set,
    pub(super) breaker_by: Option<BreakerBy>,
    pub(super) filters: Arc<Filters>,
    pub(super) layers: Option<AttemptService>,
    pub(super) letters: Option<Arc<dyn DeadLetterStore>>,
    pub(super) park: Option<ParkOptions>,
}

/// The loop of one consumer, as a future without a task of its own.
pub(super) struct Engine {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    options: Options,
    handlers: Handlers,
    set: Set,
    breaker_by: Option<BreakerBy>,
    filters: Arc<Filters>,
    layered: Option<Layered>,
    letters: Option<Arc<dyn DeadLetterStore>>,
    /// `None` once the consumer receives nothing more.
    sources: Option<Sources>,
    held: Slab<Entry>,
    /// Events that may start, in order.
    ready: VecDeque<usize>,
    /// Since when nothing may have been received, for lack of room.
    unreceived_since: Option<Duration>,
    /// Whether an event without a key was reported.
    warned_of_key: bool,
    /// When the first of them became ready; for batches, which wait for others.
    ready_since: Option<Duration>,
    /// An empty vector for the events of the next batch.
    spare: Vec<usize>,
    keys: Keys,
    /// Events that wait for their keys in the park.
    parking: Parking,
    /// How many events were received.
    arrivals: u64,
    attempts: Attempts,
    /// With partitions: the places of their handlers.
    places: Option<PlacesTaken>,
    /// With one owner: what this engine has to know of its ownership.
    ownership: Option<Ownership>,
    circuit: Circuit,
    recorder: Recorder,
    settling: Settling,
    /// How many events may be held at most.
    max_held: usize,
    /// How often the ack wait of held events is restarted.
    keep_alive: Duration,
    /// The clock when it was last read.
    now: Duration,
    /// No deadline is earlier.
    next_deadline: Duration,
    timer: Option<(Duration, Sleep)>,
    /// Events whose handler was started since the engine last had nothing to do.
    unlimited: Vec<usize>,
    /// When the drain is over; `None` while the consumer receives.
    drain_until: Option<Duration>,
    /// Whether the drain time is over.
    drain_over: bool,
    /// Whether it was told that there is nothing to do.
    is_idle: bool,
    /// Completes when the bus is drained or closed.
    bus_ends: Boxed<()>,
    /// Why the subscription has ended.
    failed: Option<Error>,
    report: ConsumerReport,
}

/// How many steps the loop makes before other tasks have their turn.
const STEPS: usize = 128;

impl Engine {
    pub(super) fn new(parts: Parts, sources: Sources) -> Self {
        let Parts {
            shared,
            options,
            handlers,
            set,
            breaker_by,
            filters,
            layers,
            letters,
            park,
        } = parts;
        let clock = Arc::clone(shared.bus.clock());
        let now = clock.monotonic();
        let (ack_wait, max_held) = sources.limits();
        let breaker = Breaker::new(options.probe_interval, max_held);
        let bus_ends = Box::pin(shared.bus.ending());
        for (stream, bound) in sources.bound() {
            let durable = bound.config.name.as_str().unwrap_or(&shared.name);
            let (stream, durable) = (Text::copy_of(stream), Text::copy_of(durable));
            shared.activity.receives_from(stream, durable);
        }
        shared.activity.begins();
        Self {
            attempts: Attempts::new(options.concurrency),
            places: None,
            ownership: None,
            circuit: Circuit::new(breaker),
            recorder: Recorder::new(&shared, options.retry.attempts()),
            shared,
            clock,
            options,
            handlers,
            set,
            breaker_by,
            filters,
            layered: layers.map(Layered::new),
            letters,
            parking: Parking::new(park, sources.quarters()),
            sources: Some(sources),
            held: Slab::new(),
            ready: VecDeque::new(),
            unreceived_since: None,
            warned_of_key: false,
            ready_since: None,
            spare: Vec::new(),
            keys: Keys::default(),
            arrivals: 0,
            settling: Settling::default(),
            max_held,
            keep_alive: ack_wait / 3,
            now,
            next_deadline: Duration::MAX,
            timer: None,
            unlimited: Vec::new(),
            drain_until: None,
            drain_over: false,
            is_idle: false,
            bus_ends,
            failed: None,
            report: ConsumerReport::default(),
        }
    }

    /// Runs until the subscription ends or the `signal` completes, and the drain after it.
    pub(super) async fn run(
        mut self,
        signal: impl Future<Output = ()>,
    ) -> Result<ConsumerReport, Error> {
        let mut signal = std::pin::pin!(signal);
        self.run_to_the_end(signal.as_mut()).await?;
        Ok(std::mem::take(&mut self.report))
    }

    /// The same, of an engine that is kept.
    pub(super) async fn run_to_the_end(
        &mut self,
        mut signal: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), Error> {
        self.shared.ready.send_replace(true);
        poll_fn(|cx| {
            if self.drain_until.is_none() && signal.as_mut().poll(cx).is_ready() {
                self.begin_drain();
            }
            self.poll(cx)
        })
        .await?;
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// What was done so far.
    pub(super) fn take_report(&mut self) -> ConsumerReport {
        std::mem::take(&mut self.report)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut steps = STEPS;
        while steps > 0 {
            steps -= 1;
            if self.poll_ownership(cx) {
                return self.poll_lost(cx);
            }
            // In this order a single handler takes one pass for an event, from receipt to ack.
            let mut moved = self.poll_settling(cx);
            moved |= self.poll_records(cx);
            moved |= self.poll_parking(cx);
            moved |= self.poll_receive(cx, &mut steps);
            moved |= self.start_ready(cx);
            moved |= self.poll_attempts(cx);
            if moved {
                continue;
            }
            if self.send_acks() {
                continue;
            }
            if self.is_over() {
                return Poll::Ready(Ok(()));
            }
            if self.poll_deadlines(cx).is_pending() {
                self.leave_gate();
                self.tell_activity(self.has_nothing_to_do());
                return Poll::Pending;
            }
        }
        // Others have their turn, and time limits begin to run.
        let now = self.read_clock();
        self.limit_running(now);
        self.send_acks();
        self.tell_activity(false);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether no event is held or waits in the park for a key that is not dead, nothing is settled or
    /// recorded, and no more can be received now.
    fn has_nothing_to_do(&self) -> bool {
        self.held.is_empty()
            && self.settling.is_empty()
            && self.recorder.is_idle()
            && self.parking.lines.values().all(|line| line.dead.is_some())
    }

    fn tell_activity(&mut self, is_idle: bool) {
        match (std::mem::replace(&mut self.is_idle, is_idle), is_idle) {
            (false, true) => self.shared.activity.rests(),
            (true, false) => self.shared.activity.begins(),
            _ => {}
        }
    }

    /// Holds an event until it is settled.
    fn hold(&mut self, mut held: Held, key: Option<Key>) -> usize {
        if let Some(key) = &key {
            held.in_order_of(Arc::clone(key.text()));
        }
        self.keep(Arc::new(held), key)
    }

    /// The same, of an event that knows its key.
    fn keep(&mut self, held: Arc<Held>, key: Option<Key>) -> usize {
        // Its ack wait may run since then, while it was prefetched.
        let alive_at = self.unreceived_since.unwrap_or(self.now);
        self.wake_by(alive_at.saturating_add(self.keep_alive));
        self.arrivals += 1;
        let mut entry = Entry::new(held, key, self.arrivals, self.now);
        entry.alive_at = alive_at;
        // The envelope is read only where it is needed.
        if let Some(scope) = &self.breaker_by
            && let Ok(head) = entry.held.delivery().head()
        {
            if let Ok(scope) = catch_unwind(AssertUnwindSafe(|| scope(head))) {
                entry.scope = Text::from(scope);
            } else {
                tracing::error!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.shared.name,
                    subject = %entry.held.delivery().subject(),
                    "the function of `breaker_by` panicked: the event is in the default scope"
                );
            }
        }
        if self.options.ordered && entry.key.is_none() && !self.warned_of_key {
            self.warned_of_key = true;
            tracing::warn!(
                target: crate::TRACING_TARGET,
                consumer = %self.shared.name,
                subject = %entry.held.delivery().subject(),
                "the event has no readable key, so it is handled without an order (logged once)"
            );
        }
        if let Some(redriven) = entry.held.redriven() {
            entry.failures.first = redriven.first_failure;
        }
        self.observe_received(&entry);
        self.held.insert(entry)
    }

    /// The place of a held event in the order of its key.
    fn place(&self, id: usize) -> Place {
        let arrival = self.held.get(id).map_or(0, |entry| entry.arrival);
        Place { arrival, id }
    }

    fn read_clock(&mut self) -> Duration {
        self.now = self.clock.monotonic();
        self.now
    }
}

impl Drop for Engine {
    /// Whoever waits for the end of the consumer learns of it, also when the engine is dropped.
    fn drop(&mut self) {
        self.shared.end();
        self.tell_activity(true);
    }
}

/// A pinned future of the engine.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

//! `Engine`: the loop of a consumer. It receives events, orders them by key, starts handlers, and
//! settles the events by the outcome.
//!
//! - `entry`: an event that the engine holds, and its state;
//! - `filtering`: events that are not handled;
//! - `keys`: which event of a key may run;
//! - `start`: which events start, alone or in a batch;
//! - `attempts`: the handlers that run, in this task or in others;
//! - `outcome`: what follows the end of a handler;
//! - `batches`: the same for a batch;
//! - `circuit`: the breaker, at which events wait while a dependency is away;
//! - `deadlines`: retries, time limits and keep-alive;
//! - `ending`: the drain.

mod attempts;
mod batches;
mod circuit;
mod deadlines;
mod ending;
mod entry;
mod filtering;
mod keys;
mod outcome;
mod start;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::time::{Clock, Sleep};
use event_sdk_core::transport::{Error, Settlement};
use slab::Slab;

use self::attempts::Attempts;
use self::circuit::Circuit;
use self::entry::{Entry, State};
use self::keys::{Key, Keys, Place};
use self::outcome::Settling;
use super::breaker::Breaker;
use super::filter::Filters;
use super::handlers::{Handlers, Set};
use super::held::{Held, Shared};
use super::options::{BreakerBy, Options};
use super::report::ConsumerReport;
use crate::raw::Untyped;
use crate::subscribe::{Delivery, Incoming, Subscriber};

/// The loop of one consumer, as a future without a task of its own.
pub(super) struct Engine {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    options: Options,
    handlers: Handlers,
    set: Set,
    breaker_by: Option<BreakerBy>,
    filters: Filters,
    /// `None` once the consumer receives nothing more.
    subscriber: Option<Subscriber<Untyped>>,
    held: Slab<Entry>,
    /// Events that may start, in order.
    ready: VecDeque<usize>,
    /// When the first of them became ready; for batches, which wait for others.
    ready_since: Option<Duration>,
    keys: Keys,
    /// How many events were received.
    arrivals: u64,
    attempts: Attempts,
    circuit: Circuit,
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
    /// Why the subscription has ended.
    failed: Option<Error>,
    report: ConsumerReport,
}

/// How many steps the loop makes before other tasks have their turn.
const STEPS: usize = 128;

impl Engine {
    pub(super) fn new(
        shared: Arc<Shared>,
        options: Options,
        handlers: Handlers,
        set: Set,
        breaker_by: Option<BreakerBy>,
        subscriber: Subscriber<Untyped>,
    ) -> Self {
        let clock = Arc::clone(shared.bus.clock());
        let now = clock.monotonic();
        let (keep_alive, max_held) = limits(&subscriber);
        let breaker = Breaker::new(options.probe_interval, max_held);
        Self {
            attempts: Attempts::new(options.concurrency),
            circuit: Circuit::new(breaker),
            shared,
            clock,
            options,
            handlers,
            set,
            breaker_by,
            filters: Filters::default(),
            subscriber: Some(subscriber),
            held: Slab::new(),
            ready: VecDeque::new(),
            ready_since: None,
            keys: Keys::default(),
            arrivals: 0,
            settling: Settling::default(),
            max_held,
            keep_alive,
            now,
            next_deadline: Duration::MAX,
            timer: None,
            unlimited: Vec::new(),
            drain_until: None,
            drain_over: false,
            failed: None,
            report: ConsumerReport::default(),
        }
    }

    /// Sets which events are left out.
    pub(super) fn with_filters(mut self, filters: Filters) -> Self {
        self.filters = filters;
        self
    }

    /// Runs until the subscription ends or the `signal` completes, and the drain after it.
    pub(super) async fn run(
        mut self,
        signal: impl Future<Output = ()>,
    ) -> Result<ConsumerReport, Error> {
        let mut signal = std::pin::pin!(signal);
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
            None => Ok(std::mem::take(&mut self.report)),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        for _ in 0..STEPS {
            let mut moved = self.poll_settling(cx);
            moved |= self.poll_attempts(cx);
            moved |= self.start_ready();
            moved |= self.poll_receive(cx);
            if moved {
                continue;
            }
            if self.is_over() {
                return Poll::Ready(Ok(()));
            }
            if self.poll_deadlines(cx).is_pending() {
                return Poll::Pending;
            }
        }
        // Others have their turn, and time limits begin to run.
        let now = self.read_clock();
        self.limit_running(now);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Receives one item, if there is room for another event.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.has_room() {
            return false;
        }
        let Some(subscriber) = &mut self.subscriber else {
            return false;
        };
        match subscriber.poll_incoming(cx) {
            Poll::Pending => false,
            Poll::Ready(Some(Ok(Incoming::Delivery(delivery)))) => {
                self.receive(delivery);
                true
            }
            // The subscriber has logged it.
            Poll::Ready(Some(Ok(Incoming::Notice(_)))) => true,
            Poll::Ready(Some(Err(error))) => {
                self.failed = Some(error);
                self.begin_drain();
                true
            }
            Poll::Ready(None) => {
                self.begin_drain();
                true
            }
        }
    }

    /// Takes an event.
    fn receive(&mut self, delivery: Delivery<Untyped>) {
        if !self.handlers.has(&delivery, &self.set) {
            self.refuse_unknown(delivery);
            return;
        }
        let key = (self.options.ordered)
            .then(|| keys::key_of(&delivery, &self.set))
            .flatten();
        let id = self.hold(delivery, key.clone());
        if self.is_left_out(id) {
            return;
        }
        let place = self.place(id);
        if key.is_none_or(|key| self.keys.admit(&key, place)) {
            self.ready.push_back(id);
        }
    }

    /// Holds an event until it is settled.
    fn hold(&mut self, delivery: Delivery<Untyped>, key: Option<Key>) -> usize {
        let held = Arc::new(Held::new(delivery, Arc::clone(&self.shared)));
        self.wake_by(self.now.saturating_add(self.keep_alive));
        self.arrivals += 1;
        let mut entry = Entry::new(held, key, self.arrivals, self.now);
        if let (Some(scope), Ok(head)) = (&self.breaker_by, entry.held.delivery().head()) {
            entry.scope = Text::from(scope(head));
        }
        self.held.insert(entry)
    }

    /// The place of a held event in the order of its key.
    fn place(&self, id: usize) -> Place {
        let arrival = self.held.get(id).map_or(0, |entry| entry.arrival);
        Place { arrival, id }
    }

    /// Settles an event for good, or gives it back; the engine forgets it when the transport has
    /// taken the settlement.
    fn settle(&mut self, id: usize, settlement: Settlement) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        entry.state = State::Settling;
        let Some(settler) = entry.held.delivery().settler() else {
            self.forget(id);
            return;
        };
        let end = crate::subscribe::End::of(&settlement);
        match settler.settle(settlement).try_into_ready() {
            Ok(answer) => self.settled(id, end, answer),
            Err(answer) => self.settling.push(id, end, answer),
        }
    }

    /// Removes an event, and makes the next ones of its key ready.
    fn forget(&mut self, id: usize) {
        let Some(entry) = self.held.try_remove(id) else {
            return;
        };
        self.leave_breaker(id, &entry);
        if let (true, Some(key)) = (entry.blocks_key, &entry.key) {
            self.release(key);
        }
    }

    /// Unblocks a key.
    fn release(&mut self, key: &Key) {
        let most = self.handlers.batch().map_or(1, |batch| batch.max);
        self.ready.extend(self.keys.release(key, most));
    }

    fn read_clock(&mut self) -> Duration {
        self.now = self.clock.monotonic();
        self.now
    }
}

/// How often held events are kept alive, and how many the consumer may hold.
fn limits(subscriber: &Subscriber<Untyped>) -> (Duration, usize) {
    let mut shortest = Duration::MAX;
    let mut pending = 0_usize;
    for (_, bound) in subscriber.bound() {
        let config = &bound.config;
        let waits = config.backoff.iter().copied().chain([config.ack_wait]);
        shortest = waits.fold(shortest, Duration::min);
        pending = pending.saturating_add(match config.max_ack_pending {
            Some(limit) => usize::try_from(limit.get()).unwrap_or(usize::MAX),
            None => UNLIMITED,
        });
    }
    // Also on a transport whose consumers are bound to nothing.
    (shortest / 3, pending.max(1))
}

/// How many events are held where the server sets no limit.
const UNLIMITED: usize = 10_000;

impl Drop for Engine {
    /// Whoever waits for the end of the consumer learns of it, also when the engine is dropped.
    fn drop(&mut self) {
        self.shared.end();
    }
}

/// A pinned future of the engine.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

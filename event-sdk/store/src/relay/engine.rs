//! `Engine`: the loop of a relay. It begins jobs on the store and publishes, and handles their
//! results.
//!
//! - `sending`: publishes rows, and decides what follows a failure;
//! - `reading`: reads new, late, scheduled and parked rows;
//! - `checking`: compares confirmed rows with what their streams have;
//! - `resending`: publishes confirmed rows again;
//! - `upkeep`: leases, cleaning, and a database that is unavailable.

mod checking;
mod reading;
mod resending;
mod sending;
mod upkeep;

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk::time::Clock;
use event_sdk::transport::Capability;
use event_sdk::{EventBus, RawBus};
use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;

use super::breaker::Breaker;
use super::check::{CheckFailed, Checked};
use super::confirmed::ConfirmedSequences;
use super::job::{Done, Job};
use super::lanes::{LaneId, Lanes};
use super::leases::Leases;
use super::marks::Marks;
use super::options::Options;
use super::pace::Pace;
use super::{RelayReport, before};
use crate::outbox::{OutboxStore, RelayId};
use crate::wake::Hints;
use crate::{StoreError, TRACING_TARGET, Wake};
use resending::{Resend, Resent};
use sending::Landed;
use upkeep::StoreTrouble;

/// The time between two looks whether the transport is connected again.
const RECONNECT_POLL: Duration = Duration::from_millis(50);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(super) struct Engine {
    store: Arc<dyn OutboxStore>,
    bus: EventBus,
    raw: RawBus,
    clock: Arc<dyn Clock>,
    /// Keeps the sender of `hints`.
    _wake: Wake,
    hints: watch::Receiver<Hints>,
    seen: Hints,
    options: Options,
    id: RelayId,
    /// Whether the transport recognizes duplicates.
    deduplicates: bool,

    lanes: Lanes,
    leases: Leases,
    pace: Pace,
    breaker: Breaker,
    marks: Marks,
    flights: FuturesUnordered<Boxed<Landed>>,
    jobs: FuturesUnordered<Boxed<(Job, Result<Done, StoreError>)>>,
    /// Jobs that failed and have to succeed.
    again: VecDeque<Job>,
    running: Running,
    trouble: StoreTrouble,
    resend: Option<Resend>,
    /// Rows in flight, or waiting for it, that were confirmed before.
    resent: HashMap<i64, Resent>,
    /// Comparisons of confirmed rows with their streams: at most one that still counts.
    checks: FuturesUnordered<Boxed<(u64, Result<Checked, CheckFailed>)>>,
    /// The number of the comparison that counts.
    check: u64,
    /// Whether streams can be read, as far as is known of this connection.
    reading: Reading,
    confirmed: ConfirmedSequences,
    /// Streams that confirmed a sequence below an earlier one.
    suspects: HashMap<Text, u64>,
    /// The highest lost sequence of the losses that were reported, by stream.
    reported: HashMap<Text, u64>,
    /// Connections of the transport that were seen.
    connections: u64,
    /// Whether the transport was connected when it was last looked at.
    connected: bool,
    /// Rows whose park is being written.
    parking: HashMap<i64, LaneId>,

    renew_at: Duration,
    look_at: Duration,
    /// When a row that an outage holds is read, so that there is one to try with.
    probe_at: Duration,
    clean_at: Duration,
    /// Until when the right to clean need not be renewed.
    cleaner_until: Duration,
    /// Raised when the positions are set back: the result of an older read is ignored.
    generation: u64,
    report: RelayReport,
    /// The error that ends the relay.
    fatal: Option<StoreError>,
    ending: bool,
}

/// Whether the streams of a connection can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As far as is known.
    Allowed,
    /// Not all of them, which was told.
    Denied,
    /// The transport cannot.
    Impossible,
}

/// The jobs of which one runs at a time.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a job of its own")]
struct Running {
    leases: bool,
    fetch: Option<u64>,
    refill: Option<u64>,
    due: bool,
    look: bool,
    resend: bool,
    clean: bool,
    /// Keys whose rows are being moved behind a parked one, with the lowest of these rows that was read.
    behind: HashMap<(u16, String), i64>,
    /// The ids and shards of parked entries that are being released.
    releases: HashMap<i64, u16>,
    giving_back: bool,
}

impl Engine {
    pub(super) fn new(
        store: Arc<dyn OutboxStore>,
        bus: EventBus,
        wake: &Wake,
        options: Options,
    ) -> Self {
        let clock = Arc::clone(bus.clock());
        let now = clock.monotonic();
        let capabilities = bus.transport().capabilities();
        Self {
            leases: Leases::new(store.shards(), options.lease),
            pace: Pace::new(options.idle_poll, now),
            raw: bus.raw().absolute(),
            deduplicates: capabilities.has(Capability::Deduplication),
            connections: bus.transport().connections(),
            connected: true,
            hints: wake.subscribe(),
            seen: Hints::default(),
            _wake: wake.clone(),
            id: RelayId::random(),
            lanes: Lanes::new(options.room_of_key()),
            breaker: Breaker::default(),
            marks: Marks::default(),
            flights: FuturesUnordered::new(),
            jobs: FuturesUnordered::new(),
            again: VecDeque::new(),
            running: Running::default(),
            trouble: StoreTrouble::default(),
            resend: None,
            resent: HashMap::new(),
            checks: FuturesUnordered::new(),
            check: 0,
            reading: Reading::Allowed,
            confirmed: ConfirmedSequences::default(),
            suspects: HashMap::new(),
            reported: HashMap::new(),
            parking: HashMap::new(),
            renew_at: now,
            look_at: now,
            probe_at: now,
            clean_at: now,
            cleaner_until: now,
            generation: 0,
            report: RelayReport::default(),
            fatal: None,
            ending: false,
            store,
            bus,
            clock,
            options,
        }
    }

    pub(super) async fn run_until(
        mut self,
        stop: impl Future<Output = ()>,
    ) -> Result<RelayReport, StoreError> {
        let mut stop = pin!(stop);
        if !self.check_schema(stop.as_mut()).await? {
            return Ok(self.report);
        }
        let mut end_at = Duration::MAX;
        loop {
            let now = self.now();
            self.begin(now);
            if self.ending && (self.is_idle() || now >= end_at) {
                break;
            }
            let timer = self.clock.sleep_until(self.wake_at(end_at));
            tokio::select! {
                biased;
                () = &mut stop, if !self.ending => {
                    self.end();
                    end_at = self.now().saturating_add(self.options.drain_within);
                }
                Some((job, result)) = self.jobs.next() => self.job_done(job, result),
                Some(landed) = self.flights.next() => self.all_landed(landed),
                Some((check, result)) = self.checks.next() => self.checked(check, result),
                changed = self.hints.changed(), if !self.ending => {
                    if changed.is_ok() {
                        self.hinted();
                    }
                }
                () = timer => {}
            }
            if self.fatal.is_some() && !self.ending {
                self.end();
                end_at = self.now().saturating_add(self.options.drain_within);
            }
        }
        self.leave(end_at).await;
        self.report.unmarked = u64::try_from(self.marks.unmarked()).unwrap_or(u64::MAX);
        match self.fatal {
            Some(error) => Err(error),
            None => Ok(self.report),
        }
    }

    /// Handles a publish that has ended, and the others that have: a connection gives many answers at
    /// once, and looking for what can begin takes longer than handling one.
    fn all_landed(&mut self, first: Landed) {
        let mut landed = Some(first);
        while let Some(one) = landed {
            self.landed(one);
            // Its waker is registered when all is waited for again.
            landed = self.flights.next().now_or_never().flatten();
        }
    }

    /// Begins whatever can begin.
    fn begin(&mut self, now: Duration) {
        self.begin_again(now);
        self.begin_upkeep(now);
        if !self.ending {
            self.notice_connection();
            self.begin_resending(now);
            self.begin_reading(now);
            self.send(now);
        }
        self.begin_marks(now);
    }

    /// Sends nothing more; what is in flight is confirmed and marked.
    fn end(&mut self) {
        self.ending = true;
        self.lanes.forget_unsent(None);
    }

    fn is_idle(&self) -> bool {
        self.flights.is_empty()
            && self.marks.unmarked() == 0
            && self.parking.is_empty()
            && self.again.is_empty()
            && self.jobs.is_empty()
    }

    fn hinted(&mut self) {
        let now = self.now();
        let hints = *self.hints.borrow_and_update();
        if hints.commits == self.seen.commits {
            self.pace.inserted(now);
        } else {
            self.pace.committed(now);
        }
        self.seen = hints;
    }

    /// When there is something to do that nothing else announces.
    fn wake_at(&self, end_at: Duration) -> Duration {
        let mut at = end_at;
        let mut earlier = |other: Option<Duration>| at = at.min(other.unwrap_or(at));
        earlier((!self.running.leases).then_some(self.renew_at));
        earlier(self.marks.wake_at());
        if !self.ending {
            earlier(self.lanes.next_retry());
            earlier(self.breaker.wake_at(self.now()));
            earlier(self.fetch_at());
            earlier(self.check_at());
            earlier((!self.connected).then(|| self.now() + RECONNECT_POLL));
            earlier((!self.running.look).then_some(self.look_at));
            earlier(self.lanes.holds().then_some(self.probe_at));
            earlier((!self.running.clean).then_some(self.clean_at));
        }
        if let Some(retry_at) = self.trouble.retry_at() {
            // Nothing begins before.
            at = at.max(retry_at).min(end_at);
        }
        at
    }

    fn start(&mut self, job: Job) {
        let store = Arc::clone(&self.store);
        let job = job.run(store, self.id, self.options.lease);
        self.jobs.push(Box::pin(job));
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// The time by which leases are measured: it also counts while the machine sleeps.
    fn lease_now(&self) -> Duration {
        self.clock.monotonic() + self.clock.suspended()
    }

    fn debug(&self, what: &str) {
        tracing::debug!(
            target: TRACING_TARGET,
            outbox = self.store.name(),
            relay = %self.id,
            "{what}"
        );
    }
}

//! `Health`: a report on connection, streams, consumers with their lag, stuck consumers, outboxes
//! and dead letters; and the readiness of the service.
//!
//! ```
//! use event_sdk::{Error, Event, EventBus};
//! use event_sdk_observe::health::{Health, Status};
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "orders")]
//! struct OrderPlaced { #[event(key)] order: u64 }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let bus = EventBus::memory();
//! let billing = bus
//!     .consumer::<OrderPlaced>("billing")
//!     .on(|_: OrderPlaced, _| async { Ok(()) });
//! let health = Health::builder(&bus).consumer(&billing).build();
//!
//! assert!(!health.is_ready()); // the consumer does not run yet
//! let report = health.check().await;
//! assert_eq!(report.status, Status::Degraded);
//! assert_eq!(report.problems[0].to_string(), "consumer billing does not receive events");
//! # Ok(())
//! # }
//! ```
//!
//! # States
//!
//! - `down`: the service cannot publish or cannot receive. There is no connection, the server does
//!   not answer, a stream or durable is missing, or an outbox cannot be read.
//! - `degraded`: the service works, but needs attention. A [threshold](Thresholds) is exceeded (for
//!   example, a certificate expires soon), a consumer is stuck or does not receive, or a consumer
//!   cannot take over from other instances, because the server denies it a lease, a heartbeat, or
//!   reading those of other instances.
//! - `ok`: otherwise.
//!
//! If the user has no permission to read a value, or the transport lacks the ability, the value is
//! not in the report. The part then has an `error`, and the status does not change.
//!
//! **Readiness** ([`Health::is_ready`]) says whether the service is connected and all its consumers
//! receive. The answer comes from memory, without a request. It does not depend on lag, dead
//! letters or failures, because these do not improve if an instance is taken out of service.
//!
//! **Liveness** has no check: a process that can answer is alive. A restart repairs neither a
//! server nor a database.
//!
//! # Cost
//!
//! [`Health::check`] returns the last report until this report is as old as the
//! [interval](HealthBuilder::interval), 5 s by default. A check runs in its own task. Calls that
//! arrive during a check wait for its report. A check requests the state of each stream and
//! durable, and the status of each outbox. For a durable with lag, it also reads one stored
//! message: the time of this message gives the lag in seconds. All requests run at once, and each
//! is given up after the [timeout](HealthBuilder::timeout), 2 s by default.
//!
//! # Modules
//!
//! - `thresholds`: limits beyond which a service is degraded;
//! - `report`: the report, as JSON;
//! - `progress`: since when a durable has made no progress;
//! - `parts`: the parts of a check;
//! - `checks`: one check;
//! - `line`: a line in the log every 10 minutes;
//! - `builder`: what is checked.

mod builder;
mod checks;
#[cfg(feature = "metrics")]
mod gauges;
mod line;
#[cfg(feature = "outbox")]
mod outbox;
mod parts;
mod progress;
mod report;
mod thresholds;

pub use builder::HealthBuilder;
pub use line::{HealthLine, PeriodicLine};
pub use parts::lag_time;
pub use report::{
    CertificateHealth, Configured, ConnectionHealth, ConsumerHealth, DeadLetterHealth,
    DurableHealth, HealthReport, LastDisconnect, OutboxHealth, Performance, Problem, Status,
    StreamHealth,
};
pub use thresholds::Thresholds;

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk::EventBus;
use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::runtime::Handle;

use self::checks::Checks;

/// The health of a service. Clones are cheap, and share the last report.
///
/// See the [module](self).
#[derive(Clone)]
pub struct Health {
    checks: Arc<Checks>,
    cache: Arc<Mutex<Cache>>,
    interval: Duration,
    /// After this time, a check that has not ended is begun anew.
    abandoned: Duration,
    /// When it was built, by the monotonic clock of the bus.
    built: Duration,
}

/// `None`: the check did not end, because the code of a transport or clock panicked or its runtime did.
type Running = Shared<Pin<Box<dyn Future<Output = Option<Arc<HealthReport>>> + Send>>>;

/// The last check and the one that runs; each with its start, by the monotonic clock of the bus.
#[derive(Default)]
struct Cache {
    last: Option<(Duration, Arc<HealthReport>)>,
    running: Option<(Duration, Running)>,
}

impl Health {
    /// Begins to declare what is checked: the connection of this bus, and the parts that you add.
    pub fn builder(bus: &EventBus) -> HealthBuilder {
        HealthBuilder::new(bus)
    }

    fn new(checks: Checks, interval: Duration) -> Self {
        Self {
            abandoned: interval.saturating_add(checks.timeout),
            built: checks.bus.clock().monotonic(),
            checks: Arc::new(checks),
            cache: Arc::default(),
            interval,
        }
    }

    /// Returns the report of the last check. If that report is as old as the interval, it makes a
    /// new check.
    ///
    /// The call returns within the timeout of a check, even if the server does not answer. This
    /// requires that the executor and the clock of the bus run.
    ///
    /// Cancel-safe: in a tokio runtime, a check runs in its own task, and completes even if no call
    /// waits for it. In another runtime, the next call continues the check.
    pub async fn check(&self) -> Arc<HealthReport> {
        let running = {
            let now = self.checks.bus.clock().monotonic();
            let mut cache = Self::locked(&self.cache);
            if let Some((begun, report)) = &cache.last
                && now.saturating_sub(*begun) < self.interval
            {
                return Arc::clone(report);
            }
            let running = cache.running.take();
            let running = running.filter(|(begun, _)| now.saturating_sub(*begun) < self.abandoned);
            let running = running.unwrap_or_else(|| (now, self.begin(now)));
            let (_, check) = cache.running.insert(running);
            check.clone()
        };
        match running.await {
            Some(report) => report,
            None => self.run(self.checks.bus.clock().monotonic()).await,
        }
    }

    /// Begins a check in a task of its own: a check that stops halfway could hold a connection of a
    /// database, and would find its deadline passed when it goes on.
    fn begin(&self, begun: Duration) -> Running {
        let check = self.run(begun);
        let check: Pin<Box<dyn Future<Output = _> + Send>> = match Handle::try_current() {
            Ok(runtime) => Box::pin(runtime.spawn(check).map(Result::ok)),
            Err(_) => Box::pin(AssertUnwindSafe(check).catch_unwind().map(Result::ok)),
        };
        check.shared()
    }

    /// Makes a check, and keeps its report if the health is still there.
    fn run(&self, begun: Duration) -> impl Future<Output = Arc<HealthReport>> + Send + use<> {
        let checks = Arc::clone(&self.checks);
        // The cache has the check that runs: it must not have the cache in turn.
        let cache = Arc::downgrade(&self.cache);
        async move {
            let report = Arc::new(checks.run().await);
            if let Some(cache) = cache.upgrade() {
                Self::locked(&cache).keep(begun, &report);
            }
            report
        }
    }

    /// Whether the service is connected and all consumers receive. For a readiness probe.
    ///
    /// The call makes no request.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.unready().is_empty()
    }

    /// Why the service is not [ready](Self::is_ready): a sentence for each reason.
    #[must_use]
    pub fn unready(&self) -> Vec<Problem> {
        let status = self.checks.bus.transport().connection_status();
        self.checks.unready(&status)
    }

    fn locked(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
        // No code under this lock panics.
        cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// Keeps the report of a check, unless that of a later one is there. Another check may run by now.
    fn keep(&mut self, begun: Duration, report: &Arc<HealthReport>) {
        if matches!(&self.running, Some((its, _)) if *its == begun) {
            self.running = None;
        }
        if self.last.as_ref().is_none_or(|(its, _)| *its <= begun) {
            self.last = Some((begun, Arc::clone(report)));
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("ready", &self.is_ready())
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

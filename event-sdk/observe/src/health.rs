//! `Health`: a report on connection, streams, consumers with their lag, stuck consumers, outboxes and
//! dead letters; readiness apart from it.
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
//! - `degraded`: it works, and somebody should look: a [threshold](Thresholds) is exceeded, a
//!   consumer is stuck, or a consumer does not receive.
//! - `ok`: otherwise.
//!
//! A value that the server refuses to show, because the user has no permission or the transport
//! lacks the ability, is left out of the report. The part then has an `error`, and the status does not
//! change.
//!
//! **Readiness** ([`Health::is_ready`]) says whether the service is connected and all its consumers
//! receive. It is asked for in memory, without a request, and does not depend on lag, dead letters or
//! failures: an instance that is taken out of service handles nothing any faster.
//!
//! **Liveness** has no check: a process that can answer is alive. To restart it repairs no server and
//! no database.
//!
//! # Cost
//!
//! [`Health::check`] returns the last report until it is as old as the
//! [interval](HealthBuilder::interval), 5 s by default, and calls that arrive while a check runs wait
//! for that check. A check requests the state of each stream and durable; for a durable with lag also
//! one stored message, whose time gives the lag in seconds; and the status of each outbox. All of them
//! run at once, and each is given up after the [timeout](HealthBuilder::timeout), 2 s by default.
//!
//! # Modules
//!
//! - `thresholds`: limits beyond which a service is degraded;
//! - `report`: the report, as JSON;
//! - `progress`: since when a durable stands still;
//! - `parts`: the parts of a check;
//! - `checks`: one check;
//! - `builder`: what is checked.

mod builder;
mod checks;
#[cfg(feature = "metrics")]
mod gauges;
#[cfg(feature = "outbox")]
mod outbox;
mod parts;
mod progress;
mod report;
mod thresholds;

pub use builder::HealthBuilder;
pub use report::{
    Configured, ConnectionHealth, ConsumerHealth, DeadLetterHealth, DurableHealth, HealthReport,
    LastDisconnect, OutboxHealth, Performance, Problem, Status, StreamHealth,
};
pub use thresholds::Thresholds;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk::EventBus;
use futures_util::FutureExt as _;
use futures_util::future::Shared;

use self::checks::Checks;

/// The health of a service. Clones are cheap, and share the last report.
///
/// See the [module](self).
#[derive(Clone)]
pub struct Health {
    checks: Arc<Checks>,
    cache: Arc<Mutex<Cache>>,
    interval: Duration,
    /// After this time, a check that nobody waits for is begun anew.
    abandoned: Duration,
}

type Running = Shared<Pin<Box<dyn Future<Output = Arc<HealthReport>> + Send>>>;

/// The last check and the one that runs; each with its start, by the monotonic clock of the bus.
#[derive(Default)]
struct Cache {
    last: Option<(Duration, Arc<HealthReport>)>,
    running: Option<(Duration, Running)>,
}

impl Health {
    /// Starts the declaration of what is checked: the connection of this bus, and what is added.
    pub fn builder(bus: &EventBus) -> HealthBuilder {
        HealthBuilder::new(bus)
    }

    fn new(checks: Checks, interval: Duration) -> Self {
        Self {
            abandoned: interval.saturating_add(checks.timeout),
            checks: Arc::new(checks),
            cache: Arc::default(),
            interval,
        }
    }

    /// Returns the report of the last check, or of a new one if that is as old as the interval.
    ///
    /// It returns within the timeout of a check, also if the server does not answer, as long as the
    /// executor and the clock of the bus run.
    ///
    /// Cancel-safe: the next call goes on with a check that was begun.
    pub async fn check(&self) -> Arc<HealthReport> {
        let (begun, running) = {
            let now = self.checks.bus.clock().monotonic();
            let mut cache = self.cache();
            if let Some((begun, report)) = &cache.last
                && now.saturating_sub(*begun) < self.interval
            {
                return Arc::clone(report);
            }
            let running = cache.running.take();
            let running = running.filter(|(begun, _)| now.saturating_sub(*begun) < self.abandoned);
            let running = running.unwrap_or_else(|| {
                let checks = Arc::clone(&self.checks);
                let check = async move { Arc::new(checks.run().await) };
                let check: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(check);
                (now, check.shared())
            });
            cache.running.insert(running).clone()
        };
        let report = running.await;
        let mut cache = self.cache();
        // Others that waited for the same check may be earlier, and another one may run by now.
        if matches!(&cache.running, Some((its, _)) if *its == begun) {
            cache.running = None;
        }
        if cache.last.as_ref().is_none_or(|(its, _)| *its <= begun) {
            cache.last = Some((begun, Arc::clone(&report)));
        }
        report
    }

    /// Whether the service is connected, and all consumers receive: for a readiness probe.
    ///
    /// It makes no request.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.checks.unready().is_empty()
    }

    /// Why the service is not [ready](Self::is_ready): a sentence for each reason.
    #[must_use]
    pub fn unready(&self) -> Vec<Problem> {
        self.checks.unready()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // No code under this lock panics.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
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

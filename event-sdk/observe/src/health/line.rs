//! `PeriodicLine`: logs a line on the health of the service at regular intervals.

use std::fmt;
use std::future::{Future, pending};
use std::time::Duration;

use event_sdk::transport::LinkState;
use futures_util::future::{Either, select};

use super::{Health, Status};

/// The values of the periodic line. `Display` prints the line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthLine {
    /// The status of the last check.
    pub status: Status,
    /// How many problems the last check found.
    pub problems: usize,
    /// The number of events that the consumers of this health have handled in this process so far.
    /// The events of a consumer that was removed are no longer counted.
    pub handled: u64,
    /// The number of events that have ended at these consumers, handled or not.
    pub ended: u64,
    /// Resident memory of the process in bytes; `None` if it is unknown, as on systems other than
    /// Linux.
    pub resident_bytes: Option<u64>,
    /// The time since the health was built.
    pub uptime: Duration,
}

impl fmt::Display for HealthLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            problems,
            handled,
            ended,
            ..
        } = self;
        write!(f, "health {status}, {problems} problems; ")?;
        write!(f, "{handled} events handled of {ended}; ")?;
        match self.resident_bytes {
            Some(bytes) => write!(f, "{} MB resident; ", bytes / 1_000_000)?,
            None => f.write_str("resident memory unknown; ")?,
        }
        let minutes = self.uptime.as_secs() / 60;
        write!(f, "up {} h {} min", minutes / 60, minutes % 60)
    }
}

/// Logs the health of a service at regular intervals. [`Health::periodic_line`] returns this value.
///
/// Each line is an event of `tracing` with the target `event_sdk::observe`: `INFO`, or `WARN` if
/// the resident memory is beyond the limit, which may be a leak. The values are also fields of the
/// event.
#[derive(Debug, Clone)]
#[must_use = "nothing is logged until it runs"]
pub struct PeriodicLine {
    health: Health,
    every: Duration,
    memory_limit: u64,
}

impl PeriodicLine {
    pub(super) const fn new(health: Health) -> Self {
        Self {
            health,
            every: Duration::from_secs(10 * 60),
            memory_limit: 1_000_000_000,
        }
    }

    /// Sets the time between two lines, at least a second. Default: 10 minutes.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every.max(Duration::from_secs(1));
        self
    }

    /// Sets the resident memory in bytes beyond which the line is a warning. Default: 1 GB.
    pub const fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Logs a line after each interval until the bus is closed.
    ///
    /// A task that runs this need not be stopped: when an interval is over and the bus is closed,
    /// the call logs nothing and returns. Cancel-safe.
    pub async fn run(self) {
        self.run_until(pending()).await;
    }

    /// Like [`run`](Self::run), but also returns as soon as `end` completes.
    ///
    /// Cancel-safe.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        let clock = self.health.checks.bus.clock();
        loop {
            let next = clock.monotonic().saturating_add(self.every);
            if let Either::Left(_) = select(&mut end, clock.sleep_until(next)).await {
                return;
            }
            let transport = self.health.checks.bus.transport();
            if transport.connection_status().state == LinkState::Closed {
                return;
            }
            let Either::Right((line, _)) = select(&mut end, Box::pin(self.health.line())).await
            else {
                return;
            };
            self.log(&line);
        }
    }

    fn log(&self, line: &HealthLine) {
        let resident = line.resident_bytes;
        let uptime = line.uptime.as_secs();
        if resident.is_some_and(|bytes| bytes > self.memory_limit) {
            tracing::warn!(
                target: "event_sdk::observe",
                status = %line.status, handled = line.handled, ended = line.ended, resident, uptime,
                "{line}; more memory than {} MB: look for what grows, such as a queue without a limit",
                self.memory_limit / 1_000_000
            );
        } else {
            tracing::info!(
                target: "event_sdk::observe",
                status = %line.status, handled = line.handled, ended = line.ended, resident, uptime,
                "{line}"
            );
        }
    }
}

impl Health {
    /// Returns a value that, once it runs, logs a line on status, events, memory and uptime every
    /// 10 minutes.
    ///
    /// ```no_run
    /// # use event_sdk_observe::health::Health;
    /// # fn example(health: Health) {
    /// tokio::spawn(health.periodic_line().run());
    /// # }
    /// ```
    pub fn periodic_line(&self) -> PeriodicLine {
        PeriodicLine::new(self.clone())
    }

    /// Returns what the periodic line says now. This makes a check, unless the last check is
    /// recent.
    ///
    /// Cancel-safe.
    pub async fn line(&self) -> HealthLine {
        let report = self.check().await;
        let monitors = self.checks.monitors();
        let count = |of: fn(&event_sdk::consumer::ConsumerMonitor) -> u64| {
            monitors.iter().map(of).fold(0, u64::saturating_add)
        };
        let now = self.checks.bus.clock().monotonic();
        HealthLine {
            status: report.status,
            problems: report.problems.len(),
            handled: count(event_sdk::consumer::ConsumerMonitor::handled),
            ended: count(event_sdk::consumer::ConsumerMonitor::ended),
            resident_bytes: resident(),
            uptime: now.saturating_sub(self.built),
        }
    }
}

/// The resident memory of this process, as Linux tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

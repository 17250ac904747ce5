//! `Checks`: one check of all parts at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{ConsumerMonitor, Consumers};
use event_sdk::text::Text;
use event_sdk::transport::{ConnectionStatus, LinkState};
use futures_util::future::{join, join_all};

use super::parts::{Outbox, Part, Scope};
use super::progress::Progress;
use super::report::Problem;
use super::{
    Configured, ConnectionHealth, ConsumerHealth, DurableHealth, HealthReport, LastDisconnect,
    Performance, Status, Thresholds,
};

/// What is checked.
pub(super) struct Checks {
    pub(super) bus: EventBus,
    pub(super) streams: Vec<Text>,
    pub(super) monitors: Vec<ConsumerMonitor>,
    pub(super) registries: Vec<Consumers>,
    pub(super) outboxes: Vec<Outbox>,
    pub(super) dead_letters: Vec<Text>,
    pub(super) features: BTreeMap<String, bool>,
    pub(super) version: Option<String>,
    pub(super) thresholds: Thresholds,
    pub(super) timeout: Duration,
    pub(super) progress: Progress,
}

impl Checks {
    /// Makes the report.
    pub(super) async fn run(&self) -> HealthReport {
        let clock = self.bus.clock();
        let (checked_at, begun) = (clock.now(), clock.monotonic());
        let transport = &**self.bus.transport();
        let connection = self.connection(&transport.connection_status());
        let connections = connection.connections;
        self.progress.connected(connection.connected, connections);
        let scope = Scope {
            clock,
            thresholds: &self.thresholds,
            progress: &self.progress,
            connected: connection.connected,
            deadline: begun.saturating_add(self.timeout),
            timeout: self.timeout,
        };
        let monitors = self.monitors();
        let streams = self.streams(&monitors);
        let streams = join_all(streams.iter().map(|name| scope.stream(transport, name)));
        let letters = self.dead_letters.iter();
        let letters = join_all(letters.map(|name| scope.dead_letters(transport, name)));
        let outboxes = join_all(self.outboxes.iter().map(|outbox| scope.outbox(outbox)));
        let consumers = join_all(monitors.iter().map(|it| consumer(&scope, it)));
        let of_transport = join(join(streams, letters), consumers);
        let ((of_streams, consumers), outboxes) = join(of_transport, outboxes).await;
        let (streams, letters) = of_streams;

        let mut problems = self.unready();
        let ready = problems.is_empty();
        let mut round_trip = None;
        let streams = collect(streams, &mut problems, &mut round_trip);
        let dead_letters = collect(letters, &mut problems, &mut round_trip);
        let outboxes = collect(outboxes, &mut problems, &mut round_trip);
        let consumers = consumers
            .into_iter()
            .map(|(mut health, durables)| {
                health.durables = collect(durables, &mut problems, &mut round_trip);
                health
            })
            .collect();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.status));
        let status = problems.first().map_or(Status::Ok, |worst| worst.status);
        let report = HealthReport {
            status,
            healthy: status != Status::Down,
            ready,
            problems,
            connection,
            streams,
            consumers,
            outboxes,
            dead_letters,
            performance: Performance {
                round_trip_ms: round_trip.map(milliseconds),
                check_duration_ms: milliseconds(clock.monotonic().saturating_sub(begun)),
            },
            config: Configured {
                source: self.bus.source().to_owned(),
                prefix: self.bus.prefix().to_owned(),
                features: self.features.clone(),
                discarded: self.bus.discarded(),
            },
            version: self.version.clone(),
            sdk_version: env!("CARGO_PKG_VERSION"),
            checked_at,
        };
        #[cfg(feature = "metrics")]
        super::gauges::set(&report);
        report
    }

    /// Why the service is not ready, without a request.
    pub(super) fn unready(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let status = self.bus.transport().connection_status();
        let reason = match status.state {
            LinkState::Connected => None,
            LinkState::Closed => Some("is closed and will not be made again".to_owned()),
            _ => Some(match &status.last_disconnect {
                Some(last) => format!("is lost since {}: {}", last.at, last.reason),
                None => "is lost".to_owned(),
            }),
        };
        if let Some(reason) = reason {
            let part = format!("connection to {}", self.bus.transport().name());
            problems.push(Problem::new(Status::Down, part, reason));
        }
        let monitors = self.monitors();
        for monitor in monitors.iter().filter(|monitor| !monitor.is_ready()) {
            let part = format!("consumer {}", monitor.name());
            let problem = "does not receive events";
            problems.push(Problem::new(Status::Degraded, part, problem));
        }
        if self
            .registries
            .iter()
            .any(|registry| registry.monitors().is_empty())
        {
            let problem = "has no consumer";
            problems.push(Problem::new(
                Status::Degraded,
                "registry".to_owned(),
                problem,
            ));
        }
        problems
    }

    /// The consumers that there are now.
    fn monitors(&self) -> Vec<ConsumerMonitor> {
        let registered = self.registries.iter().flat_map(Consumers::monitors);
        self.monitors.iter().cloned().chain(registered).collect()
    }

    /// The streams that were named, and those of the consumers.
    fn streams(&self, monitors: &[ConsumerMonitor]) -> BTreeSet<Text> {
        let of_consumers = monitors.iter().flat_map(ConsumerMonitor::durables);
        let of_consumers = of_consumers.map(|(stream, _)| stream);
        self.streams.iter().cloned().chain(of_consumers).collect()
    }

    fn connection(&self, status: &ConnectionStatus) -> ConnectionHealth {
        let transport = self.bus.transport();
        ConnectionHealth {
            transport: transport.name().to_owned(),
            state: match status.state {
                LinkState::Connected => "connected",
                LinkState::Closed => "closed",
                _ => "disconnected",
            },
            connected: status.state == LinkState::Connected,
            connections: transport.connections(),
            last_disconnect: status.last_disconnect.as_ref().map(|last| LastDisconnect {
                at: last.at,
                reason: last.reason.to_string(),
            }),
        }
    }
}

/// A consumer, and its durables.
async fn consumer(
    scope: &Scope<'_>,
    monitor: &ConsumerMonitor,
) -> (ConsumerHealth, Vec<Part<DurableHealth>>) {
    let durables = monitor.durables();
    let transport = &**monitor.bus().transport();
    let durables = durables.iter().map(|it| scope.durable(transport, it));
    let durables = join_all(durables).await;
    let health = ConsumerHealth {
        name: monitor.name().to_owned(),
        ready: monitor.is_ready(),
        durables: Vec::new(),
    };
    (health, durables)
}

/// The healths of `parts`. Adds their problems, and takes the shortest time of an answer.
fn collect<T>(
    parts: Vec<Part<T>>,
    problems: &mut Vec<Problem>,
    round_trip: &mut Option<Duration>,
) -> Vec<T> {
    let mut healths = Vec::new();
    for part in parts {
        problems.extend(part.problems);
        *round_trip = [*round_trip, part.answered_in].into_iter().flatten().min();
        healths.push(part.health);
    }
    healths
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

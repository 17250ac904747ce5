//! `Checks`: one check of all parts at once.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{ConsumerMonitor, Consumers};
use event_sdk::text::Text;
use event_sdk::time::Clock;
use event_sdk::transport::{Certificate, ConnectionStatus, LinkState, Transport};
use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use jiff::Timestamp;

#[cfg(feature = "metrics")]
use super::gauges::Gauges;
use super::parts::{Outbox, Part, Scope};
use super::progress::Progress;
use super::report::Problem;
use super::{
    CertificateHealth, Configured, ConnectionHealth, ConsumerHealth, DeadLetterHealth,
    DurableHealth, HealthReport, LastDisconnect, OutboxHealth, Performance, Status, StreamHealth,
    Thresholds,
};

/// The parts of a service that a check asks.
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
    #[cfg(feature = "metrics")]
    pub(super) gauges: Gauges,
}

/// The parts that were asked.
#[derive(Default)]
struct Asked {
    streams: Vec<Part<StreamHealth>>,
    dead_letters: Vec<Part<DeadLetterHealth>>,
    outboxes: Vec<Part<OutboxHealth>>,
    consumers: Vec<(ConsumerHealth, Vec<Part<DurableHealth>>)>,
}

impl Checks {
    /// Makes the report.
    pub(super) async fn run(&self) -> HealthReport {
        let clock = self.bus.clock();
        let (checked_at, begun) = (clock.now(), clock.monotonic());
        let link = self.bus.transport().connection_status();
        let connection = self.connection(&link);
        let asked = self.ask(clock, begun, connection.connected);
        let asked = AssertUnwindSafe(asked).catch_unwind().await;

        let mut problems = self.unready(&link);
        let ready = problems.is_empty();
        if asked.is_err() {
            let problem =
                "has panicked: the code of a store or transport has a fault, and no part is known";
            problems.push(Problem::new(Status::Down, "check".to_owned(), problem));
        }
        problems.extend(self.denied());
        problems.extend(self.expiring(&link, checked_at));
        let asked = asked.unwrap_or_default();
        let mut round_trip = None;
        let streams = collect(asked.streams, &mut problems, &mut round_trip);
        let dead_letters = collect(asked.dead_letters, &mut problems, &mut round_trip);
        let outboxes = collect(asked.outboxes, &mut problems, &mut round_trip);
        let consumers = asked
            .consumers
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
        self.gauges.set(&report);
        report
    }

    /// Asks for all parts at once.
    async fn ask(&self, clock: &Arc<dyn Clock>, begun: Duration, connected: bool) -> Asked {
        let transport = self.bus.transport();
        let scope = |transport: &Arc<dyn Transport>, connected| Scope {
            clock,
            thresholds: &self.thresholds,
            progress: &self.progress,
            transport: Arc::clone(transport),
            connected,
            deadline: begun.saturating_add(self.timeout),
            timeout: self.timeout,
        };
        let own = &scope(transport, connected);
        let monitors = self.monitors();
        let durables: Vec<_> = monitors.iter().map(ConsumerMonitor::durables).collect();
        let streams = self.streams(&monitors, &durables);
        let streams = join_all(streams.iter().map(|name| own.stream(name)));
        let letters = join_all(self.dead_letters.iter().map(|name| own.dead_letters(name)));
        let outboxes = join_all(self.outboxes.iter().map(|outbox| own.outbox(outbox)));
        let consumers = monitors
            .iter()
            .zip(&durables)
            .map(async |(monitor, durables)| {
                // A consumer of another bus may have another server.
                let theirs = monitor.bus().transport();
                let connected = if Arc::ptr_eq(theirs, transport) {
                    connected
                } else {
                    theirs.connection_status().state == LinkState::Connected
                };
                consumer(&scope(theirs, connected), monitor, durables).await
            });
        let of_transport = join(join(streams, letters), join_all(consumers));
        let (((streams, dead_letters), consumers), outboxes) = join(of_transport, outboxes).await;
        let all = monitors.iter().zip(&durables);
        self.progress.retain(all.flat_map(|(monitor, durables)| {
            durables
                .iter()
                .map(|durable| (monitor.bus().transport(), durable))
        }));
        Asked {
            streams,
            dead_letters,
            outboxes,
            consumers,
        }
    }

    /// Why the service is not ready, with this state of the connection and without a request.
    pub(super) fn unready(&self, status: &ConnectionStatus) -> Vec<Problem> {
        let mut problems = Vec::new();
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
            let problem = match monitor.denied() {
                Some(why) => format!("does not receive events: {why}"),
                None => "does not receive events".to_owned(),
            };
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

    /// The consumers that receive, and could not take over from other instances.
    fn denied(&self) -> Vec<Problem> {
        let monitors = self.monitors().into_iter();
        let denied = monitors
            .filter(ConsumerMonitor::is_ready)
            .filter_map(|monitor| {
                let why = monitor.denied()?;
                let part = format!("consumer {}", monitor.name());
                let problem = format!("cannot take over from other instances: {why}");
                Some(Problem::new(Status::Degraded, part, problem))
            });
        denied.collect()
    }

    /// The consumers that there are now.
    pub(super) fn monitors(&self) -> Vec<ConsumerMonitor> {
        let registered = self.registries.iter().flat_map(Consumers::monitors);
        self.monitors.iter().cloned().chain(registered).collect()
    }

    /// The streams that were named, and those of the consumers of this bus: another one may have
    /// another server.
    fn streams(
        &self,
        monitors: &[ConsumerMonitor],
        durables: &[Vec<(Text, Text)>],
    ) -> BTreeSet<Text> {
        let own = monitors
            .iter()
            .zip(durables)
            .filter(|(monitor, _)| Arc::ptr_eq(monitor.bus().transport(), self.bus.transport()));
        let of_consumers = own.flat_map(|(_, durables)| durables.iter().map(|(stream, _)| stream));
        self.streams.iter().chain(of_consumers).cloned().collect()
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
            connected_at: status.connected_at,
            certificates: status.certificates.iter().map(certificate).collect(),
        }
    }

    /// The certificates that have expired, or expire within the threshold. No request is made for them.
    fn expiring(&self, status: &ConnectionStatus, now: Timestamp) -> Vec<Problem> {
        let Some(lead) = self.thresholds.certificate_expiry else {
            return Vec::new();
        };
        let expiring = status.certificates.iter().filter_map(|certificate| {
            let at = *certificate.expires_at.as_ref().ok()?;
            let left = at.duration_since(now);
            let left = left.is_positive().then(|| Duration::try_from(left));
            let left = left.map(Result::unwrap_or_default);
            if left.is_some_and(|left| left > lead) {
                return None;
            }
            let when = match left {
                Some(left) => format!("expires at {at}, in {} days", left.as_secs() / (24 * 60 * 60)),
                None => format!("has expired at {at}"),
            };
            let then = match (certificate.shown_at, left) {
                (Some(shown), _) => format!(
                    "it was shown at the handshake of {shown}, and a server that was given a new one since shows it at the next connect"
                ),
                (None, Some(_)) => "no connection is made after that".to_owned(),
                (None, None) => "the next connection will be refused".to_owned(),
            };
            let part = format!("certificate of the {}", certificate.owner);
            Some(Problem::new(Status::Degraded, part, format!("{when}; {then}")))
        });
        expiring.collect()
    }
}

fn certificate(certificate: &Certificate) -> CertificateHealth {
    let expires_at = certificate.expires_at.as_ref();
    CertificateHealth {
        owner: certificate.owner.to_string(),
        expires_at: expires_at.ok().copied(),
        shown_at: certificate.shown_at,
        error: expires_at.err().map(ToString::to_string),
    }
}

/// A consumer, and its durables.
async fn consumer(
    scope: &Scope<'_>,
    monitor: &ConsumerMonitor,
    durables: &[(Text, Text)],
) -> (ConsumerHealth, Vec<Part<DurableHealth>>) {
    let durables = join_all(durables.iter().map(|it| scope.durable(it))).await;
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

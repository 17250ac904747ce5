//! `HealthReport`: the result of a check, as JSON.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// The result of a check. Values that are not known are left out of the JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// The worst status of all parts.
    pub status: Status,
    /// Whether the status is not `down`.
    pub healthy: bool,
    /// Whether the service is ready: see [`Health::is_ready`](super::Health::is_ready).
    pub ready: bool,
    /// The problems, each as a sentence; empty if the status is `ok`.
    pub problems: Vec<Problem>,
    /// The connection to the server.
    pub connection: ConnectionHealth,
    /// The streams that were named and the streams of the consumers of this bus, sorted by name.
    pub streams: Vec<StreamHealth>,
    /// The consumers of this process.
    pub consumers: Vec<ConsumerHealth>,
    /// The outboxes.
    pub outboxes: Vec<OutboxHealth>,
    /// The dead-letter streams.
    pub dead_letters: Vec<DeadLetterHealth>,
    /// The times that the check measured.
    pub performance: Performance,
    /// The bus, and what the service uses.
    pub config: Configured,
    /// The version of the service, if it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version of this crate.
    pub sdk_version: &'static str,
    /// When the check began, by the clock of the bus.
    pub checked_at: Timestamp,
}

/// The state of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing is wrong.
    Ok,
    /// The service works, but needs attention.
    Degraded,
    /// The service cannot publish, or cannot receive.
    Down,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        })
    }
}

/// A problem of one part. `Display` prints the part and the reason as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The status that the problem causes.
    pub status: Status,
    /// The part, with its name, such as `consumer billing`.
    pub part: String,
    /// What is wrong with the part, such as `does not receive events`.
    pub problem: String,
}

impl Problem {
    pub(super) fn new(status: Status, part: String, problem: impl Into<String>) -> Self {
        let problem = problem.into();
        Self {
            status,
            part,
            problem,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.part, self.problem)
    }
}

/// The connection to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectionHealth {
    /// The name of the transport, such as `nats`.
    pub transport: String,
    /// `connected`, `disconnected` (the client is reconnecting) or `closed` (permanently).
    pub state: &'static str,
    /// Whether the state is `connected`.
    pub connected: bool,
    /// How many connections for publishing have been made so far; zero on a transport without a
    /// server.
    pub connections: u64,
    /// When the connection was last lost, and the latest reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_disconnect: Option<LastDisconnect>,
    /// When the current connection was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// The certificates of server and client; empty without TLS.
    pub certificates: Vec<CertificateHealth>,
}

/// A certificate of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateHealth {
    /// The side that presents the certificate: `server` or `client`.
    pub owner: String,
    /// When the certificate expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When the server presented the certificate, in a handshake that succeeded. The server may
    /// have a new certificate since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_at: Option<Timestamp>,
    /// Why the expiry is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// When the connection was last lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastDisconnect {
    /// When the connection was lost.
    pub at: Timestamp,
    /// The latest known reason: why the connection was lost, or why the last attempt to reconnect
    /// failed.
    pub reason: String,
}

/// The state of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamHealth {
    /// The name of the stream.
    pub name: String,
    /// Whether the stream exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The subjects of the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    /// The number of messages in the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// The size of the messages in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The most bytes that the stream may have, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// The most messages that the stream may have, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u64>,
    /// What the stream does when it is full: it drops its `old` messages, or refuses `new`
    /// messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discard: Option<&'static str>,
    /// The number of messages that the stream stored but no longer has: a limit dropped them, they
    /// expired or were deleted, or they were settled in a stream that drops settled messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
    /// Why the values are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The state of a consumer of this process.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConsumerHealth {
    /// The name of the consumer.
    pub name: String,
    /// Whether the consumer receives events.
    pub ready: bool,
    /// The durables of the consumer. All instances share them, so the values are for all instances
    /// together.
    pub durables: Vec<DurableHealth>,
}

/// The state of a durable of a consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
#[non_exhaustive]
pub struct DurableHealth {
    /// The stream of the durable.
    pub stream: String,
    /// The name of the durable.
    pub durable: String,
    /// The number of events that are not settled: `pending` plus `ack_pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_events: Option<u64>,
    /// The age in seconds of the oldest event that is not settled, by the stored time of the server and
    /// the clock of this machine; zero without lag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// The number of events that were never delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
    /// The number of deliveries that are not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_pending: Option<u64>,
    /// The number of events that are not settled and were delivered more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redelivered: Option<u64>,
    /// The number of requests for events that wait at the server. If it is zero although there are
    /// events to deliver, no instance requests events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// How long, in seconds, the durable has made no progress: it had events to deliver, but no
    /// event was settled or delivered for the first time. The time is counted from the first check
    /// that saw this position, so it is a lower bound. Zero if there is nothing to deliver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub still_seconds: Option<f64>,
    /// Whether [`still_seconds`](Self::still_seconds) is more than
    /// [`stuck_after`](super::Thresholds::stuck_after).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck: Option<bool>,
    /// Why values are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The state of an outbox. Rows are counted only up to 100,000.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
#[non_exhaustive]
pub struct OutboxHealth {
    /// The name of the outbox.
    pub name: String,
    /// The number of rows that can be published now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u64>,
    /// The age in seconds of the oldest row that can be published; zero if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_age_seconds: Option<f64>,
    /// The number of rows that wait for their time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<u64>,
    /// The number of rows that are parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<u64>,
    /// The number of rows published per second in the last 10 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_per_second: Option<f64>,
    /// The number of relays that are alive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relays: Option<u32>,
    /// Why the values are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The state of a dead-letter stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeadLetterHealth {
    /// The name of the dead-letter stream.
    pub stream: String,
    /// The number of messages in the stream: letters, and events that wait behind letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Why the value is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Times that a check measured, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Performance {
    /// The time of the fastest request for the state of a stream or durable. It is missing if there
    /// is neither a stream nor a consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
    /// The time of the whole check.
    pub check_duration_ms: f64,
}

/// The bus, and what the service uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Configured {
    /// The name of the service: the source of its events.
    pub source: String,
    /// The prefix of the bus's subjects.
    pub prefix: String,
    /// What the service uses: `consumers`, `dead_letters` and `outbox` if they were added, and the
    /// features that were [set](super::HealthBuilder::feature).
    pub features: BTreeMap<String, bool>,
    /// The number of events that the bus has dropped so far
    /// ([`EventBus::discarded`](event_sdk::EventBus::discarded)).
    pub discarded: u64,
}

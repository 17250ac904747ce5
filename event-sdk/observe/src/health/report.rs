//! `HealthReport`: the result of a check, as JSON.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// The result of a check. Values that are not known are left out of the JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// The worst of all parts.
    pub status: Status,
    /// Whether the status is not `down`.
    pub healthy: bool,
    /// Whether the service is ready: see [`Health::is_ready`](super::Health::is_ready).
    pub ready: bool,
    /// What is wrong, a sentence for each; empty if the status is `ok`.
    pub problems: Vec<Problem>,
    /// The connection to the server.
    pub connection: ConnectionHealth,
    /// The streams that were named, and those of the consumers of this bus, by name.
    pub streams: Vec<StreamHealth>,
    /// The consumers of this process.
    pub consumers: Vec<ConsumerHealth>,
    /// The outboxes.
    pub outboxes: Vec<OutboxHealth>,
    /// The dead-letter streams.
    pub dead_letters: Vec<DeadLetterHealth>,
    /// Times that the check measured.
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
    /// The service works, and something should be looked at.
    Degraded,
    /// The service cannot publish or cannot receive.
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

/// Something that is wrong. `Display` gives the part and the reason as one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// How bad it is.
    pub status: Status,
    /// The part, with its name: `consumer billing`.
    pub part: String,
    /// What is wrong with it: `does not receive events`.
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
    /// `connected`, `disconnected` (it is being made again) or `closed` (for good).
    pub state: &'static str,
    /// Whether the state is `connected`.
    pub connected: bool,
    /// How many connections for publishing were made so far; zero on a transport without a server.
    pub connections: u64,
    /// When the connection was last lost, and the latest reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_disconnect: Option<LastDisconnect>,
    /// Since when the present connection exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// The certificates of both sides; empty without TLS.
    pub certificates: Vec<CertificateHealth>,
}

/// A certificate of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateHealth {
    /// The side that shows it: `server` or `client`.
    pub owner: String,
    /// When it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When the server showed it in a handshake that succeeded: it may have a new one since.
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
    /// When it was lost.
    pub at: Timestamp,
    /// The latest known reason: that of the loss, or of the last failed attempt to connect again.
    pub reason: String,
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StreamHealth {
    /// Its name.
    pub name: String,
    /// Whether it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Its subjects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    /// The number of messages in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// Their size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The most bytes that it may have, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// The most messages that it may have, if there is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u64>,
    /// What it does when it is full: it drops its `old` messages, or refuses `new` ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discard: Option<&'static str>,
    /// Messages that were stored and are there no longer: they were dropped by a limit, expired,
    /// settled in a stream that drops those, or deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
    /// Why the values are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A consumer of this process.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ConsumerHealth {
    /// Its name.
    pub name: String,
    /// Whether it receives events.
    pub ready: bool,
    /// Its durables. All instances share them, and all values count for all instances.
    pub durables: Vec<DurableHealth>,
}

/// A durable of a consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
#[non_exhaustive]
pub struct DurableHealth {
    /// Its stream.
    pub stream: String,
    /// Its name.
    pub durable: String,
    /// Events that are not settled: `pending` and `ack_pending` together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_events: Option<u64>,
    /// The age in seconds of the oldest event that is not settled, by the stored time of the server and
    /// the clock of this machine; zero without lag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// Events that were never delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
    /// Deliveries that are not settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack_pending: Option<u64>,
    /// Events that are not settled, and were delivered more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redelivered: Option<u64>,
    /// Requests for events that wait at the server. If there are events to deliver and this is zero, no
    /// instance asks for events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// For how many seconds, at least, events could be delivered, and none was delivered for the first
    /// time or settled. It is counted from the first check that saw the same position. Zero if there is
    /// nothing to deliver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub still_seconds: Option<f64>,
    /// Whether that is longer than [`stuck_after`](super::Thresholds::stuck_after).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck: Option<bool>,
    /// Why values are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An outbox. The numbers of rows are counted up to a limit, 100,000.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
#[non_exhaustive]
pub struct OutboxHealth {
    /// The name that was given to it.
    pub name: String,
    /// Rows that can be published now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u64>,
    /// The age in seconds of the oldest of them; zero if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_age_seconds: Option<f64>,
    /// Rows that wait for their time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<u64>,
    /// Rows that are parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<u64>,
    /// Rows published each second, lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_per_second: Option<f64>,
    /// Relays that are alive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relays: Option<u32>,
    /// Why the values are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A dead-letter stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeadLetterHealth {
    /// Its name.
    pub stream: String,
    /// The number of messages in it: letters, and events that wait behind them.
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
    /// The shortest time until a request for the state of a stream or durable was answered. Without a
    /// stream and a consumer, it is not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<f64>,
    /// The time of the whole check.
    pub check_duration_ms: f64,
}

/// The bus, and what the service uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Configured {
    /// The name of the service, as in its events.
    pub source: String,
    /// The prefix of its subjects.
    pub prefix: String,
    /// What the service uses: `consumers`, `dead_letters` and `outbox` if they were added, and what was
    /// [set](super::HealthBuilder::feature).
    pub features: BTreeMap<String, bool>,
    /// Events that a bus without a transport has dropped so far, as it is configured to.
    pub discarded: u64,
}

//! The gauges that a check sets; [`metrics`](crate::metrics) lists them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::{HealthReport, Status};

const CONSUMER: &str = "messaging.consumer.group.name";

/// The gauges of one health.
#[derive(Debug)]
pub(super) struct Gauges {
    name: Name,
    /// The gauges that the last check set. A recorder keeps a gauge as it was set last.
    last: Mutex<BTreeSet<Series>>,
}

/// The name of a gauge, and its labels besides that of the health.
type Series = (&'static str, Labels);

type Labels = Vec<(&'static str, String)>;

/// What a check knows.
type Values = BTreeMap<Series, f64>;

/// The label `health`: a name that no other health of this process has now.
#[derive(Debug)]
struct Name(String);

/// The names of the healths that there are.
static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

impl Name {
    fn claim(wanted: &str) -> Self {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = wanted.to_owned();
        let mut number = 1_u64;
        while !names.insert(name.clone()) {
            number = number.saturating_add(1);
            name = format!("{wanted}-{number}");
        }
        Self(name)
    }

    /// These labels, and the name of the health.
    fn with(&self, labels: &[(&'static str, String)]) -> Labels {
        let own = ("health", self.0.clone());
        std::iter::once(own).chain(labels.iter().cloned()).collect()
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(&self.0);
    }
}

impl Gauges {
    /// Describes them to the recorder, if one is installed by now.
    pub(super) fn new(name: &str) -> Self {
        describe();
        Self {
            name: Name::claim(name),
            last: Mutex::default(),
        }
    }

    /// Sets the gauges to the values of the report, and to `NaN` those of what is not known any more: it
    /// was removed, has another label, or could not be read.
    pub(super) fn set(&self, report: &HealthReport) {
        let values = values(report);
        // No code under this lock but that of the recorder can panic.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in last.iter().filter(|it| !values.contains_key(*it)) {
            self.gauge(gone, f64::NAN);
        }
        for (series, value) in &values {
            self.gauge(series, *value);
        }
        *last = values.into_keys().collect();
        drop(last);
        self.count(report);
    }

    fn gauge(&self, (name, labels): &Series, value: f64) {
        gauge!(*name, &self.name.with(labels)).set(value);
    }

    fn count(&self, report: &HealthReport) {
        let own = self.name.with(&[]);
        let status = self.name.with(&[("status", report.status.to_string())]);
        counter!("event_sdk.health.checks", &status).increment(1);
        let connections = report.connection.connections;
        counter!("event_sdk.connection.connections", &own).absolute(connections);
        counter!("event_sdk.bus.discarded", &own).absolute(report.config.discarded);
    }
}

/// A health that was dropped makes no further check.
impl Drop for Gauges {
    fn drop(&mut self) {
        let last = self.last.get_mut().unwrap_or_else(PoisonError::into_inner);
        for gone in std::mem::take(last) {
            self.gauge(&gone, f64::NAN);
        }
    }
}

/// The gauges that are known by the report.
fn values(report: &HealthReport) -> Values {
    let mut values = Values::new();
    let mut set = |name, labels: &[(&'static str, &str)], value: Option<f64>| {
        let labels = labels
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()));
        if let Some(value) = value {
            values.insert((name, labels.collect()), value);
        }
    };
    let status = match report.status {
        Status::Ok => 0.0,
        Status::Degraded => 1.0,
        Status::Down => 2.0,
    };
    set("event_sdk.health.status", &[], Some(status));
    let connected = flag(report.connection.connected);
    set("event_sdk.connection.connected", &[], Some(connected));
    for certificate in &report.connection.certificates {
        let expires = certificate
            .expires_at
            .map(|at| at.as_duration().as_secs_f64());
        let labels = [("owner", &*certificate.owner)];
        set("event_sdk.certificate.expiry.seconds", &labels, expires);
    }
    for stream in &report.streams {
        let label = ("stream", &*stream.name);
        set(
            "event_sdk.stream.messages",
            &[label],
            stream.messages.map(number),
        );
        set("event_sdk.stream.bytes", &[label], stream.bytes.map(number));
        set(
            "event_sdk.stream.removed",
            &[label],
            stream.removed.map(number),
        );
        if let Some(discard) = stream.discard {
            let labels = [label, ("discard", discard)];
            let (bytes, messages) = (stream.max_bytes, stream.max_messages);
            set("event_sdk.stream.max_bytes", &labels, bytes.map(number));
            set(
                "event_sdk.stream.max_messages",
                &labels,
                messages.map(number),
            );
        }
    }
    for consumer in &report.consumers {
        let label = (CONSUMER, &*consumer.name);
        set(
            "event_sdk.consumer.ready",
            &[label],
            Some(flag(consumer.ready)),
        );
        for durable in &consumer.durables {
            let labels = [
                ("stream", &*durable.stream),
                label,
                ("durable", &*durable.durable),
            ];
            set(
                "event_sdk.consumer.lag",
                &labels,
                durable.lag_events.map(number),
            );
            set(
                "event_sdk.consumer.lag.seconds",
                &labels,
                durable.lag_seconds,
            );
            set("event_sdk.consumer.stuck", &labels, durable.stuck.map(flag));
        }
    }
    for letters in &report.dead_letters {
        let label = [("stream", &*letters.stream)];
        set(
            "event_sdk.dead_letters",
            &label,
            letters.messages.map(number),
        );
    }
    for outbox in &report.outboxes {
        let label = [("outbox", &*outbox.name)];
        set("event_sdk.outbox.depth", &label, outbox.depth.map(number));
        let age = outbox.oldest_age_seconds;
        set("event_sdk.outbox.oldest_age.seconds", &label, age);
    }
    values
}

fn describe() {
    let count = Unit::Count;
    describe_gauge!("event_sdk.health.status", "0 ok, 1 degraded, 2 down");
    describe_counter!("event_sdk.health.checks", count, "Checks, by status");
    describe_gauge!(
        "event_sdk.connection.connected",
        "Whether there is a connection, 1 or 0"
    );
    describe_counter!(
        "event_sdk.connection.connections",
        count,
        "Connections made"
    );
    describe_counter!(
        "event_sdk.bus.discarded",
        count,
        "Events dropped without a transport"
    );
    describe_gauge!("event_sdk.stream.messages", count, "Messages of a stream");
    describe_gauge!("event_sdk.stream.bytes", Unit::Bytes, "Bytes of a stream");
    describe_gauge!(
        "event_sdk.stream.max_bytes",
        Unit::Bytes,
        "Most bytes of a stream"
    );
    describe_gauge!(
        "event_sdk.stream.max_messages",
        count,
        "Most messages of a stream"
    );
    describe_gauge!(
        "event_sdk.stream.removed",
        count,
        "Messages that are in the stream no longer"
    );
    describe_gauge!(
        "event_sdk.certificate.expiry.seconds",
        Unit::Seconds,
        "When a certificate expires, in seconds since 1970"
    );
    describe_gauge!(
        "event_sdk.consumer.ready",
        "Whether the consumer receives events, 1 or 0"
    );
    describe_gauge!(
        "event_sdk.consumer.lag",
        count,
        "Events that are not settled"
    );
    let oldest = "Age of the oldest event that is not settled";
    describe_gauge!("event_sdk.consumer.lag.seconds", Unit::Seconds, oldest);
    describe_gauge!(
        "event_sdk.consumer.stuck",
        "Whether events wait and none is handled, 1 or 0"
    );
    describe_gauge!(
        "event_sdk.dead_letters",
        count,
        "Messages of a dead-letter stream"
    );
    describe_gauge!(
        "event_sdk.outbox.depth",
        count,
        "Rows that can be published"
    );
    let oldest = "Age of the oldest row that can be published";
    describe_gauge!("event_sdk.outbox.oldest_age.seconds", Unit::Seconds, oldest);
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a double; counts beyond 2^53 lose their last digits"
)]
fn number(value: u64) -> f64 {
    value as f64
}

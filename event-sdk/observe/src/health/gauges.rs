//! The gauges that a check sets; [`metrics`](crate::metrics) lists them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::{HealthReport, Status, StreamHealth};

const CONSUMER: &str = "messaging.consumer.group.name";

/// The gauges of one health.
#[derive(Debug)]
pub(super) struct Gauges {
    name: Name,
    /// The streams, consumers and durables for which the last check set gauges. Each of them can be
    /// removed.
    last: Mutex<BTreeSet<About>>,
}

type Labels = Vec<(&'static str, String)>;

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
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(&self.0);
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Stream(String),
    Consumer(String),
    /// Stream, consumer and durable.
    Durable([String; 3]),
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

    /// Sets the gauges to the values of the report, and to zero those of what is no longer in it.
    pub(super) fn set(&self, report: &HealthReport) {
        let mut now = BTreeSet::new();
        for stream in &report.streams {
            now.insert(About::Stream(stream.name.clone()));
        }
        for consumer in &report.consumers {
            now.insert(About::Consumer(consumer.name.clone()));
            for durable in &consumer.durables {
                let (stream, name) = (durable.stream.clone(), durable.durable.clone());
                now.insert(About::Durable([stream, consumer.name.clone(), name]));
            }
        }
        // No code under this lock but that of the recorder can panic.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in last.difference(&now) {
            self.clear(gone);
        }
        *last = now;
        drop(last);
        self.set_all(report);
    }

    /// Sets the gauges of a removed stream, consumer or durable to zero.
    fn clear(&self, gone: &About) {
        match gone {
            About::Stream(name) => {
                let label = self.labels([("stream", name)]);
                gauge!("event_sdk.stream.messages", &label).set(0.0);
                gauge!("event_sdk.stream.bytes", &label).set(0.0);
            }
            About::Consumer(name) => {
                let label = self.labels([(CONSUMER, name)]);
                gauge!("event_sdk.consumer.ready", &label).set(0.0);
            }
            About::Durable([stream, consumer, durable]) => {
                let labels = self.of_durable(stream, consumer, durable);
                gauge!("event_sdk.consumer.lag", &labels).set(0.0);
                gauge!("event_sdk.consumer.lag.seconds", &labels).set(0.0);
                gauge!("event_sdk.consumer.stuck", &labels).set(0.0);
            }
        }
    }

    /// These labels, and the name of the health.
    fn labels<const N: usize>(&self, labels: [(&'static str, &str); N]) -> Labels {
        let labels = labels.map(|(key, value)| (key, value.to_owned()));
        let own = ("health", self.name.0.clone());
        std::iter::once(own).chain(labels).collect()
    }

    fn of_durable(&self, stream: &str, consumer: &str, durable: &str) -> Labels {
        self.labels([
            ("stream", stream),
            (CONSUMER, consumer),
            ("durable", durable),
        ])
    }

    /// Sets the gauges to the values of the report.
    fn set_all(&self, report: &HealthReport) {
        let own = self.labels([]);
        gauge!("event_sdk.health.status", &own).set(match report.status {
            Status::Ok => 0.0,
            Status::Degraded => 1.0,
            Status::Down => 2.0,
        });
        let status = self.labels([("status", &report.status.to_string())]);
        counter!("event_sdk.health.checks", &status).increment(1);
        let connection = &report.connection;
        gauge!("event_sdk.connection.connected", &own).set(flag(connection.connected));
        counter!("event_sdk.connection.connections", &own).absolute(connection.connections);
        counter!("event_sdk.bus.discarded", &own).absolute(report.config.discarded);
        for certificate in &connection.certificates {
            if let Some(at) = certificate.expires_at {
                let labels = self.labels([("owner", &certificate.owner)]);
                gauge!("event_sdk.certificate.expiry.seconds", &labels)
                    .set(at.as_duration().as_secs_f64());
            }
        }
        for stream in &report.streams {
            self.set_stream(stream);
        }
        for consumer in &report.consumers {
            let label = self.labels([(CONSUMER, &consumer.name)]);
            gauge!("event_sdk.consumer.ready", &label).set(flag(consumer.ready));
            for durable in &consumer.durables {
                let labels = self.of_durable(&durable.stream, &consumer.name, &durable.durable);
                if let Some(lag) = durable.lag_events {
                    gauge!("event_sdk.consumer.lag", &labels).set(number(lag));
                    // The last value would be that of another event.
                    let seconds = durable.lag_seconds.unwrap_or(f64::NAN);
                    gauge!("event_sdk.consumer.lag.seconds", &labels).set(seconds);
                }
                if let Some(stuck) = durable.stuck {
                    gauge!("event_sdk.consumer.stuck", &labels).set(flag(stuck));
                }
            }
        }
        for letters in &report.dead_letters {
            if let Some(messages) = letters.messages {
                let label = self.labels([("stream", &letters.stream)]);
                gauge!("event_sdk.dead_letters", &label).set(number(messages));
            }
        }
        for outbox in &report.outboxes {
            let label = self.labels([("outbox", &outbox.name)]);
            if let Some(depth) = outbox.depth {
                gauge!("event_sdk.outbox.depth", &label).set(number(depth));
            }
            if let Some(age) = outbox.oldest_age_seconds {
                gauge!("event_sdk.outbox.oldest_age.seconds", &label).set(age);
            }
        }
    }

    fn set_stream(&self, stream: &StreamHealth) {
        let label = self.labels([("stream", &stream.name)]);
        if let Some(messages) = stream.messages {
            gauge!("event_sdk.stream.messages", &label).set(number(messages));
        }
        if let Some(bytes) = stream.bytes {
            gauge!("event_sdk.stream.bytes", &label).set(number(bytes));
        }
        if let (Some(bytes), Some(discard)) = (stream.max_bytes, stream.discard) {
            let labels = self.labels([("stream", &stream.name), ("discard", discard)]);
            gauge!("event_sdk.stream.max_bytes", &labels).set(number(bytes));
        }
        if let Some(removed) = stream.removed {
            gauge!("event_sdk.stream.removed", &label).set(number(removed));
        }
    }
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

//! The gauges that a check sets; [`metrics`](crate::metrics) lists them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use super::{HealthReport, Status};

const CONSUMER: &str = "messaging.consumer.group.name";

/// The streams, consumers and durables for which the last check set gauges. Each of them can be removed.
#[derive(Debug)]
pub(super) struct Gauges(Mutex<BTreeSet<About>>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Stream(String),
    Consumer(String),
    /// Stream, consumer and durable.
    Durable([String; 3]),
}

impl Gauges {
    /// Describes them to the recorder, if one is installed by now.
    pub(super) fn new() -> Self {
        describe();
        Self(Mutex::default())
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
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in last.difference(&now) {
            clear(gone);
        }
        *last = now;
        drop(last);
        set(report);
    }
}

/// Sets the gauges of a removed stream, consumer or durable to zero.
fn clear(gone: &About) {
    match gone {
        About::Stream(name) => {
            let label = [("stream", name.clone())];
            gauge!("event_sdk.stream.messages", &label).set(0.0);
            gauge!("event_sdk.stream.bytes", &label).set(0.0);
        }
        About::Consumer(name) => {
            gauge!("event_sdk.consumer.ready", &[(CONSUMER, name.clone())]).set(0.0);
        }
        About::Durable([stream, consumer, durable]) => {
            let labels = of_durable(stream, consumer, durable);
            gauge!("event_sdk.consumer.lag", &labels).set(0.0);
            gauge!("event_sdk.consumer.lag.seconds", &labels).set(0.0);
            gauge!("event_sdk.consumer.stuck", &labels).set(0.0);
        }
    }
}

fn of_durable(stream: &str, consumer: &str, durable: &str) -> [(&'static str, String); 3] {
    [
        ("stream", stream.to_owned()),
        (CONSUMER, consumer.to_owned()),
        ("durable", durable.to_owned()),
    ]
}

/// Sets the gauges to the values of the report.
fn set(report: &HealthReport) {
    gauge!("event_sdk.health.status").set(match report.status {
        Status::Ok => 0.0,
        Status::Degraded => 1.0,
        Status::Down => 2.0,
    });
    counter!("event_sdk.health.checks", "status" => report.status.to_string()).increment(1);
    gauge!("event_sdk.connection.connected").set(flag(report.connection.connected));
    counter!("event_sdk.connection.connections").absolute(report.connection.connections);
    counter!("event_sdk.bus.discarded").absolute(report.config.discarded);
    for stream in &report.streams {
        let label = [("stream", stream.name.clone())];
        if let Some(messages) = stream.messages {
            gauge!("event_sdk.stream.messages", &label).set(number(messages));
        }
        if let Some(bytes) = stream.bytes {
            gauge!("event_sdk.stream.bytes", &label).set(number(bytes));
        }
    }
    for consumer in &report.consumers {
        let label = [(CONSUMER, consumer.name.clone())];
        gauge!("event_sdk.consumer.ready", &label).set(flag(consumer.ready));
        for durable in &consumer.durables {
            let labels = of_durable(&durable.stream, &consumer.name, &durable.durable);
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
            let label = [("stream", letters.stream.clone())];
            gauge!("event_sdk.dead_letters", &label).set(number(messages));
        }
    }
    for outbox in &report.outboxes {
        let label = [("outbox", outbox.name.clone())];
        if let Some(depth) = outbox.depth {
            gauge!("event_sdk.outbox.depth", &label).set(number(depth));
        }
        if let Some(age) = outbox.oldest_age_seconds {
            gauge!("event_sdk.outbox.oldest_age.seconds", &label).set(age);
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

//! The gauges that a check sets; [`metrics`](crate::metrics) lists them.

use metrics::{counter, gauge};

use super::{HealthReport, Status};

/// Sets the gauges to the values of the report.
pub(super) fn set(report: &HealthReport) {
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
        let label = [("messaging.consumer.group.name", consumer.name.clone())];
        gauge!("event_sdk.consumer.ready", &label).set(flag(consumer.ready));
        for durable in &consumer.durables {
            let labels = [
                ("stream", durable.stream.clone()),
                ("messaging.consumer.group.name", durable.durable.clone()),
            ];
            if let Some(lag) = durable.lag_events {
                gauge!("event_sdk.consumer.lag", &labels).set(number(lag));
            }
            if let Some(lag) = durable.lag_seconds {
                gauge!("event_sdk.consumer.lag.seconds", &labels).set(lag);
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

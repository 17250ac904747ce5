//! `Metrics`: counters and histograms of what a bus publishes and its consumers handle, for the `metrics`
//! facade.
//!
//! ```
//! use event_sdk::EventBus;
//! use event_sdk_observe::metrics::Metrics;
//!
//! # fn main() -> Result<(), event_sdk::Error> {
//! // An application installs a recorder, such as that of `metrics-exporter-prometheus`.
//! let bus = EventBus::builder().observer(Metrics::new()).memory()?;
//! # let _ = bus;
//! # Ok(())
//! # }
//! ```
//!
//! Where the OpenTelemetry conventions for messaging, 1.42, define a name or label, it is used
//! here. An exporter for Prometheus writes `_` for `.`, and may add the unit to a name.
//!
//! | metric | kind | labels | value |
//! |---|---|---|---|
//! | `messaging.client.sent.messages` | counter | type, error | publishes that were confirmed or have failed |
//! | `messaging.client.operation.duration` | histogram, s | type, error | time of a publish |
//! | `messaging.client.consumed.messages` | counter | consumer, type | events received |
//! | `messaging.process.duration` | histogram, s | consumer, type, error | time of an attempt of a handler; its count is the number of attempts |
//! | `event_sdk.consumer.redelivered` | counter | consumer, type | events received that were delivered before |
//! | `event_sdk.consumer.events` | counter | consumer, type, outcome | events that ended: `handled`, `done_before`, `filtered`, `dead_lettered`, `terminated`, `parked`, `delayed`, `given_back` |
//! | `event_sdk.consumer.failures` | counter | consumer, type, class | failed attempts: `retry`, `outage`, `reject`, `unreadable` |
//! | `event_sdk.consumer.retries` | counter | consumer, type | attempts after a failed one of the same delivery |
//!
//! Labels: `messaging.consumer.group.name` (consumer), `event.type` (type), `error.type` (error: the kind
//! of the error or the class of the failure, empty if there is none), `outcome`, `class`; publishes also
//! have `messaging.operation.name`, which is `publish`. Each label has few values: the type is the
//! type of a declared event, or `other` for every other message. Subjects, keys and texts are not
//! labels. `messaging.system` of the conventions is left out, since a process seldom has two
//! messaging systems: set it as a label of the exporter.
//!
//! # Gauges
//!
//! With the feature `health`, each [check](crate::health::Health::check) sets these metrics. They
//! keep their values until the next check, so something has to ask for the health regularly: a
//! probe of `/health`, or a task. A gauge becomes `NaN` (not known) when a check can no longer read
//! its value, when its stream, consumer or limit is gone, when one of its labels changes, and when
//! the health is dropped. All these metrics also have the label `health`, which is the
//! [name](crate::health::HealthBuilder::name) of the health, so that two healths of a process do
//! not overwrite each other's gauges.
//!
//! | metric | kind | labels | value |
//! |---|---|---|---|
//! | `event_sdk.health.status` | gauge | | 0 `ok`, 1 `degraded`, 2 `down` |
//! | `event_sdk.health.checks` | counter | status | checks |
//! | `event_sdk.connection.connected` | gauge | | 1 or 0 |
//! | `event_sdk.connection.connections` | counter | | connections made; each after the first follows a drop |
//! | `event_sdk.stream.messages`, `event_sdk.stream.bytes` | gauge | stream | messages and bytes of a stream |
//! | `event_sdk.stream.max_bytes`, `event_sdk.stream.max_messages` | gauge | stream, discard | most bytes and messages of a stream with such a limit; `discard` is `old` or `new`, what it drops or refuses when it is full |
//! | `event_sdk.stream.removed` | gauge | stream | messages that the stream stored but no longer has: dropped by a limit, expired, settled or deleted |
//! | `event_sdk.certificate.expiry.seconds` | gauge | owner | when the certificate of the `server` or `client` expires, in seconds since 1970; only with TLS |
//! | `event_sdk.consumer.ready` | gauge | consumer | 1 or 0 |
//! | `event_sdk.consumer.lag` | gauge | stream, consumer, durable | events that are not settled |
//! | `event_sdk.consumer.lag.seconds` | gauge | stream, consumer, durable | age of the oldest event that is not settled |
//! | `event_sdk.consumer.stuck` | gauge | stream, consumer, durable | 1 or 0 |
//! | `event_sdk.dead_letters` | gauge | stream | messages of a dead-letter stream |
//! | `event_sdk.outbox.depth` | gauge | outbox | rows that can be published |
//! | `event_sdk.outbox.oldest_age.seconds` | gauge | outbox | age of the oldest row that can be published |
//! | `event_sdk.bus.discarded` | counter | | events that a bus without a transport has dropped |
//!
//! `consumer` is the name of the consumer, as in the metrics above, and `durable` is the name of
//! its durable; a consumer with partitions has several durables.

use event_sdk::observer::{Observation, Observer};
use event_sdk::transport::Error;
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

/// The observer that counts for the `metrics` facade. See the [module](self).
///
/// Each count goes to the recorder that is installed at that moment.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Metrics {}

const SENT: &str = "messaging.client.sent.messages";
const SENDING: &str = "messaging.client.operation.duration";
const CONSUMED: &str = "messaging.client.consumed.messages";
const PROCESSING: &str = "messaging.process.duration";
const REDELIVERED: &str = "event_sdk.consumer.redelivered";
const EVENTS: &str = "event_sdk.consumer.events";
const FAILURES: &str = "event_sdk.consumer.failures";
const RETRIES: &str = "event_sdk.consumer.retries";

const CONSUMER: &str = "messaging.consumer.group.name";
const TYPE: &str = "event.type";
const ERROR: &str = "error.type";
const OPERATION: &str = "messaging.operation.name";

impl Metrics {
    /// Creates the observer, and describes the metrics to the recorder if one is already installed.
    #[must_use]
    pub fn new() -> Self {
        describe_counter!(SENT, Unit::Count, "Publishes that were confirmed or failed");
        describe_histogram!(SENDING, Unit::Seconds, "Time of a publish");
        describe_counter!(CONSUMED, Unit::Count, "Events that consumers received");
        describe_histogram!(PROCESSING, Unit::Seconds, "Time of an attempt of a handler");
        describe_counter!(
            REDELIVERED,
            Unit::Count,
            "Events received that were delivered before"
        );
        describe_counter!(EVENTS, Unit::Count, "Events that ended, by outcome");
        describe_counter!(FAILURES, Unit::Count, "Attempts that failed, by class");
        describe_counter!(RETRIES, Unit::Count, "Attempts after a failed one");
        Self {}
    }
}

impl Observer for Metrics {
    fn observe(&self, observation: &Observation<'_>) {
        match observation {
            Observation::Published {
                event_type,
                error,
                took,
                ..
            } => {
                let labels = [
                    (OPERATION, "publish".to_owned()),
                    (TYPE, known(*event_type).to_owned()),
                    (ERROR, error.map(kind_of).unwrap_or_default()),
                ];
                counter!(SENT, &labels).increment(1);
                histogram!(SENDING, &labels).record(took.as_secs_f64());
            }
            Observation::Received {
                consumer,
                event_type,
                redelivered,
                ..
            } => {
                let labels = of_consumer(consumer, *event_type);
                counter!(CONSUMED, &labels).increment(1);
                if *redelivered {
                    counter!(REDELIVERED, &labels).increment(1);
                }
            }
            Observation::Attempted {
                consumer,
                event_type,
                end,
                failed_before,
                took,
                ..
            } => {
                let [consumer, event_type] = of_consumer(consumer, *event_type);
                let class = end.failure().unwrap_or_default().to_owned();
                let labels = [consumer.clone(), event_type.clone(), (ERROR, class.clone())];
                histogram!(PROCESSING, &labels).record(took.as_secs_f64());
                let labels = [consumer, event_type];
                if *failed_before > 0 {
                    counter!(RETRIES, &labels).increment(1);
                }
                if !class.is_empty() {
                    let [consumer, event_type] = labels;
                    let labels = [consumer, event_type, ("class", class)];
                    counter!(FAILURES, &labels).increment(1);
                }
            }
            Observation::Ended {
                consumer,
                event_type,
                end,
                ..
            } => {
                let [consumer, event_type] = of_consumer(consumer, *event_type);
                let outcome = ("outcome", end.as_str().to_owned());
                let labels = [consumer, event_type, outcome];
                counter!(EVENTS, &labels).increment(1);
            }
            // A later version of event-sdk may say more.
            _ => {}
        }
    }
}

fn of_consumer(consumer: &str, event_type: Option<&'static str>) -> [(&'static str, String); 2] {
    let event_type = known(event_type).to_owned();
    [(CONSUMER, consumer.to_owned()), (TYPE, event_type)]
}

fn known(event_type: Option<&'static str>) -> &'static str {
    event_type.unwrap_or("other")
}

/// The name of the error's kind, without its fields.
fn kind_of(error: &Error) -> String {
    let mut name = format!("{:?}", error.kind());
    let end = name.find(|c: char| !c.is_alphanumeric());
    name.truncate(end.unwrap_or(name.len()));
    name
}

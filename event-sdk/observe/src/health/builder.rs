//! `HealthBuilder`: the parts that a check covers, its interval and its limits.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, ConsumerMonitor, Consumers};
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::text::Text;

use super::checks::Checks;
use super::parts::Outbox;
use super::progress::Progress;
use super::{Health, Thresholds};

/// Declares the parts of the health of a service. [`Health::builder`] returns this builder.
#[must_use = "nothing is checked until the health is built and asked for"]
pub struct HealthBuilder {
    bus: EventBus,
    streams: Vec<Text>,
    monitors: Vec<ConsumerMonitor>,
    registries: Vec<Consumers>,
    pub(super) outboxes: Vec<Outbox>,
    dead_letters: Vec<Text>,
    features: BTreeMap<String, bool>,
    #[cfg(feature = "metrics")]
    name: Option<String>,
    version: Option<String>,
    thresholds: Thresholds,
    interval: Duration,
    timeout: Duration,
}

impl HealthBuilder {
    pub(super) fn new(bus: &EventBus) -> Self {
        Self {
            bus: bus.clone(),
            streams: Vec::new(),
            monitors: Vec::new(),
            registries: Vec::new(),
            outboxes: Vec::new(),
            dead_letters: Vec::new(),
            features: BTreeMap::new(),
            #[cfg(feature = "metrics")]
            name: None,
            version: None,
            thresholds: Thresholds::default(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
        }
    }

    /// Adds a stream that the service needs. The streams of its consumers need not be named.
    pub fn stream(mut self, name: impl Into<Text>) -> Self {
        self.streams.push(name.into());
        self
    }

    /// Adds a consumer, before it is run. If the consumer belongs to a bus with another transport,
    /// its durables are read from that transport. The report then contains neither the streams of
    /// the consumer nor the connection of that transport.
    pub fn consumer<S>(self, consumer: &Consumer<S>) -> Self {
        self.monitor(consumer.monitor())
    }

    /// Adds a consumer by its monitor.
    pub fn monitor(mut self, monitor: ConsumerMonitor) -> Self {
        self.monitors.push(monitor);
        self
    }

    /// Adds all consumers that `consumers` contains at the time of a check. The service is ready
    /// only if there is at least one consumer.
    ///
    /// `Health` keeps a clone of `consumers`, so the consumers do not end when the caller drops its
    /// own clone. End them with [`run_until`](Consumers::run_until) or
    /// [`remove`](Consumers::remove).
    pub fn consumers(mut self, consumers: &Consumers) -> Self {
        self.registries.push(consumers.clone());
        self
    }

    /// Adds a dead-letter stream: a name, or a [`DeadLetterStream`].
    pub fn dead_letters(mut self, place: impl Into<DeadLetterStream>) -> Self {
        let place = place.into();
        self.dead_letters.push(Text::copy_of(place.name()));
        self
    }

    /// Sets whether the service uses a feature, such as an inbox. The report shows this; it has no
    /// other effect.
    pub fn feature(mut self, name: impl Into<String>, enabled: bool) -> Self {
        self.features.insert(name.into(), enabled);
        self
    }

    /// Sets the name of this `Health`: its gauges have the name as the label `health` (feature
    /// `metrics`). Default: the [source](EventBus::source) of the bus. If the process has another
    /// `Health` with this name, a number is added (`billing-2`), so the two do not overwrite each
    /// other's gauges.
    #[cfg(feature = "metrics")]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the version of the service, such as `env!("CARGO_PKG_VERSION")`, for the report.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the limits beyond which the service is degraded.
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// Sets the shortest time between the beginnings of two checks. Default: 5 s.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Sets the longest time of a check. Default: 2 s. A part that has not answered by then is
    /// `down`: the report has the reason instead of its values. With zero, the check only gets
    /// answers that are available at once.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the health. Nothing is requested before the first check.
    pub fn build(self) -> Health {
        let mut features = BTreeMap::from([
            (
                "consumers".to_owned(),
                !self.monitors.is_empty() || !self.registries.is_empty(),
            ),
            ("dead_letters".to_owned(), !self.dead_letters.is_empty()),
            ("outbox".to_owned(), !self.outboxes.is_empty()),
        ]);
        features.extend(self.features);
        #[cfg(feature = "metrics")]
        let gauges = super::gauges::Gauges::new(match &self.name {
            Some(name) => name,
            None => self.bus.source(),
        });
        let checks = Checks {
            bus: self.bus,
            streams: self.streams,
            monitors: self.monitors,
            registries: self.registries,
            outboxes: self.outboxes,
            dead_letters: self.dead_letters,
            features,
            version: self.version,
            thresholds: self.thresholds,
            timeout: self.timeout,
            progress: Progress::default(),
            #[cfg(feature = "metrics")]
            gauges,
        };
        Health::new(checks, self.interval)
    }
}

impl fmt::Debug for HealthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthBuilder")
            .field("streams", &self.streams)
            .field("consumers", &self.monitors)
            .field("dead_letters", &self.dead_letters)
            .field("thresholds", &self.thresholds)
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

//! `ConsumerMonitor`: what the health of a service knows of a consumer while it runs.

use std::fmt;
use std::sync::Arc;

use event_sdk_core::text::Text;

use super::Readiness;
use super::activity::Activity;
use crate::bus::EventBus;

/// Name, readiness and durables of a consumer, for the health of a service.
/// [`Consumer::monitor`](super::Consumer::monitor) makes it before the consumer is run, and
/// [`Consumers::monitors`](super::Consumers::monitors) returns the monitors of several consumers.
/// Clones belong to the same consumer.
#[derive(Clone)]
pub struct ConsumerMonitor {
    pub(super) name: Text,
    pub(super) bus: EventBus,
    pub(super) readiness: Readiness,
    pub(super) activity: Arc<Activity>,
}

impl ConsumerMonitor {
    /// The name of the consumer.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bus of the consumer.
    #[must_use]
    pub fn bus(&self) -> &EventBus {
        &self.bus
    }

    /// Whether the consumer receives events now: see [`Readiness`].
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    /// The durables from which the consumer receives, each as stream and durable, in the order in
    /// which it found them. There are several if its events are in several streams, with
    /// [partitions](super::Consumer::partitions), and with a retry stream. Empty until the consumer
    /// has subscribed, and on a transport without durables.
    #[must_use]
    pub fn durables(&self) -> Vec<(Text, Text)> {
        self.activity.durables()
    }

    /// The error of a request that the server denies to a running consumer with [one
    /// owner](super::Consumer::single_active) or [partitions](super::Consumer::partitions): a
    /// request to write its lease or heartbeat, or to read the leases or heartbeats of other
    /// instances. The consumer then cannot take over from these instances, even if it is
    /// [ready](Self::is_ready) because they receive all events. `None` if no denied request is
    /// known.
    #[must_use]
    pub fn denied(&self) -> Option<Text> {
        self.activity.denied()
    }

    /// How many events the consumer has handled in this process so far: successes of its handlers.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.activity.handled()
    }

    /// How many events have ended in this process so far, in whatever way: handled, given up, filtered,
    /// put off or given back.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.activity.ended()
    }
}

impl fmt::Debug for ConsumerMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerMonitor")
            .field("name", &self.name)
            .field("ready", &self.is_ready())
            .field("durables", &self.durables())
            .finish_non_exhaustive()
    }
}

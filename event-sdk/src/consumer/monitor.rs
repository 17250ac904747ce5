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

    /// The durables from which the consumer receives, as pairs of stream and durable, in the order
    /// in which the consumer found them. There are several durables if the events are in several
    /// streams, if the consumer has [partitions](super::Consumer::partitions), or if it has a retry
    /// stream. The list is empty before the consumer has subscribed, and on a transport without
    /// durables.
    #[must_use]
    pub fn durables(&self) -> Vec<(Text, Text)> {
        self.activity.durables()
    }

    /// The error of a denied request, if the server denies a request that the consumer needs to
    /// take over from other instances: to write its lease or heartbeat, or to read those of other
    /// instances. This concerns running consumers with [one owner](super::Consumer::single_active)
    /// or [partitions](super::Consumer::partitions). Such a consumer cannot take over, although it
    /// may be [ready](Self::is_ready) because the other instances receive all events. `None` if no
    /// denied request is known.
    #[must_use]
    pub fn denied(&self) -> Option<Text> {
        self.activity.denied()
    }

    /// How many events the handlers of the consumer have handled successfully in this process so
    /// far.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.activity.handled()
    }

    /// How many events have ended in this process so far: they were handled, given up, filtered,
    /// delayed or given back.
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

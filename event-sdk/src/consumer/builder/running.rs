//! What the surroundings of a consumer know of it: readiness, name, drain time.

use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::text::Text;

use super::Consumer;
use crate::bus::EventBus;
use crate::consumer::activity::Activity;
use crate::consumer::{ConsumerMonitor, Readiness};

/// Readiness.
impl<S> Consumer<S> {
    /// Tells whether the consumer receives events, for a readiness probe. Call it before the
    /// consumer is run.
    pub fn readiness(&self) -> Readiness {
        Readiness::of(&self.ready)
    }

    /// Shows name, readiness and durables of the consumer, for the health of a service. Call it
    /// before the consumer is run.
    pub fn monitor(&self) -> ConsumerMonitor {
        ConsumerMonitor {
            name: self.name.clone(),
            bus: self.bus.clone(),
            readiness: self.readiness(),
            activity: Arc::clone(&self.activity),
        }
    }
}

/// What a registry of consumers has to know.
impl<S> Consumer<S> {
    pub(in crate::consumer) fn name(&self) -> &Text {
        &self.name
    }

    pub(in crate::consumer) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    pub(in crate::consumer) fn bus(&self) -> &EventBus {
        &self.bus
    }

    pub(in crate::consumer) fn drain_time(&self) -> Duration {
        self.options.drain_within
    }

    pub(in crate::consumer) fn drain_at_most(mut self, limit: Duration) -> Self {
        self.options.drain_within = self.options.drain_within.min(limit);
        self
    }
}

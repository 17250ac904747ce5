//! `StoredConsumer`: what a snapshot keeps of a consumer, and the consumer made from it again.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Consumer;
use crate::filters::Filters;
use crate::log::Log;
use crate::position::{Position, StoredPosition};
use crate::reporter::Reporter;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::ConsumerConfig;

/// A consumer with its position.
#[derive(Debug)]
pub(crate) struct StoredConsumer {
    pub(crate) config: ConsumerConfig,
    pub(crate) position: StoredPosition,
    /// The unsettled deliveries: sequence, and how often it was delivered.
    pub(crate) unsettled: Vec<(u64, u32)>,
    /// Number of deliveries.
    pub(crate) deliveries: u64,
    /// The time at which its pause ends.
    pub(crate) paused_until: Option<Timestamp>,
}

impl Consumer {
    /// What a snapshot keeps of it.
    pub(crate) fn to_stored(&self) -> StoredConsumer {
        let pending = &self.pending;
        let unsettled = pending.sequences().filter_map(|sequence| {
            let delivery = pending.get(sequence)?;
            (!delivery.dropped).then_some((sequence, delivery.attempt))
        });
        StoredConsumer {
            config: self.config.clone(),
            position: self.position.to_stored(),
            unsettled: unsettled.collect(),
            deliveries: self.deliveries,
            paused_until: self.paused.map(|(until, _)| until),
        }
    }
}

impl StoredConsumer {
    /// The consumer, at this place among those of a stream that holds `log`, all of it under
    /// `stored`, at this time by both clocks. What was not settled is due at once.
    pub(crate) fn revive(
        self,
        place: usize,
        filters: &Filters,
        (stored, log): (&[Pattern], &Log),
        (now, ran): (Timestamp, Duration),
        owes: bool,
        reporter: Arc<Reporter>,
    ) -> Consumer {
        let position = Position::revive(place, filters, stored, self.position, log);
        let mut consumer = Consumer::new(self.config, position, None, owes, reporter);
        consumer.deliveries = self.deliveries;
        consumer.paused = self.paused_until.and_then(|until| {
            let left = Duration::try_from(until.duration_since(now)).ok()?;
            Some((until, ran.saturating_add(left)))
        });
        for (sequence, attempt) in self.unsettled {
            if log.get(sequence).is_some() {
                consumer.pending.revive(sequence, attempt);
            }
        }
        consumer
    }
}

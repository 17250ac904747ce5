//! The built-in handler `metrics`: counts events by type and region, with their latency.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use comfy_table::{Table, presets};
use event_sdk::consumer::{Consumer, Ctx, Retry};
use event_sdk::{EventBus, RawEvent};

use crate::events::Everything;
use crate::place::REGIONS;

/// What was counted. A clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Arc<Mutex<ByType>>);

/// The events by region, and the sum of their times from publish to handler.
type ByType = BTreeMap<String, ([u32; REGIONS.len()], Duration)>;

pub(crate) fn consumer(bus: &EventBus, metrics: Metrics) -> Consumer<Everything> {
    bus.consumer("metrics")
        .otherwise(move |_: RawEvent, ctx: Ctx| {
            metrics.count(&ctx);
            std::future::ready(Ok(()))
        })
        .retry(Retry::none())
}

impl Metrics {
    fn count(&self, ctx: &Ctx) {
        let head = ctx.envelope();
        let latency = ctx.bus().clock().now().duration_since(head.timestamp);
        let mut types = self.types();
        let (counts, sum) = types.entry(head.event_type.to_string()).or_default();
        let region = head.metadata.get("region");
        if let Some(at) = REGIONS.iter().position(|name| Some(*name) == region) {
            counts[at] += 1;
        }
        // Negative if the clock of the publisher is ahead.
        *sum += Duration::try_from(latency).unwrap_or_default();
    }

    /// How many events of a type were counted, by region.
    #[cfg(test)]
    pub(crate) fn of(&self, event_type: &str) -> [u32; REGIONS.len()] {
        self.types().get(event_type).copied().unwrap_or_default().0
    }

    /// How many events of each type were counted, by region.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> BTreeMap<String, [u32; REGIONS.len()]> {
        let types = self.types();
        let counts = types
            .iter()
            .map(|(name, (counts, _))| (name.clone(), *counts));
        counts.collect()
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["type"].iter().chain(&REGIONS).chain(&["mean latency"]));
        for (event_type, (counts, sum)) in &*self.types() {
            let mean = *sum / counts.iter().sum::<u32>().max(1);
            let counts = counts.iter().map(u32::to_string);
            let row = [event_type.clone()].into_iter().chain(counts);
            table.add_row(row.chain([format!("{mean:.1?}")]));
        }
        table
    }

    fn types(&self) -> MutexGuard<'_, ByType> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The streams, and the buses of the regions.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use event_sdk::config::{Config, ConfigLoader, TransportChoice};
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::{BusBuilder, EventBus};

pub(crate) const REGIONS: [&str; 3] = ["us", "eu", "ap"];
pub(crate) const PREFIX: &str = "ops";
pub(crate) const BUCKET: &str = "OPS";

/// The streams of the four families of events: name, subjects, hours that events are kept.
pub(crate) const FAMILIES: [(&str, &str, u64); 4] = [
    ("DEPLOYMENTS", "deployments.>", 720),
    ("HEALTH", "health.>", 168),
    ("DATABASES", "databases.>", 720),
    ("METRICS", "metrics.>", 168),
];

/// All streams, with those of dead letters.
pub(crate) fn streams() -> impl Iterator<Item = StreamSpec> {
    let letters = DeadLetterStream::new("DLQ");
    let families = FAMILIES.into_iter().map(|(name, subjects, hours)| {
        let age = Duration::from_secs(hours * 3600);
        StreamSpec::new(name).subject(subjects).max_age(age)
    });
    families.chain([letters.spec(), letters.retry_spec()])
}

/// The bus of a region. Each event that it publishes names the region in its metadata.
pub(crate) fn region(name: &str) -> BusBuilder {
    let bus = EventBus::builder()
        .source("deployments")
        .prefix(PREFIX)
        .metadata("region", name)
        .coordination(BUCKET);
    streams().fold(bus, BusBuilder::stream)
}

/// The configuration of the environment; without one, the streams are in this process.
pub(crate) fn config() -> ConfigLoader {
    Config::loader().defaults(|config| config.transport = Some(TransportChoice::Memory))
}

/// The buses of the regions, over one transport.
pub(crate) async fn open(config: &Config) -> anyhow::Result<[EventBus; 3]> {
    let [us, eu, ap] = REGIONS.map(region);
    let us = us.connect(config).await?;
    us.apply().await.context("the streams")?;
    let other = |region: BusBuilder| {
        let transport = Arc::clone(us.transport());
        anyhow::Ok(region.configure(config)?.transport(transport)?)
    };
    Ok([us.clone(), other(eu)?, other(ap)?])
}

//! The streams, and the buses of the regions.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use event_sdk::consumer::Consumers;
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::TransportExt;
use event_sdk::transport::nats::Nats;
use event_sdk::{BusBuilder, ErrorKind, EventBus};

pub(crate) const REGIONS: [&str; 3] = ["us", "eu", "ap"];
pub(crate) const PREFIX: &str = "ops";
pub(crate) const BUCKET: &str = "OPS";

/// The streams of the four families of events: name, subjects, hours that events are kept.
const FAMILIES: [(&str, &str, u64); 4] = [
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

/// The buses of the regions, over one connection to NATS or in this process.
pub(crate) async fn open(nats: Option<&str>) -> anyhow::Result<[EventBus; 3]> {
    let [us, eu, ap] = REGIONS.map(region);
    let us = match nats {
        None => us.memory()?,
        Some(urls) => {
            let nats = Nats::connect(Nats::options(urls)).await;
            let us = us.transport(nats.context("the NATS server")?)?;
            us.apply().await.context("the streams")?;
            us
        }
    };
    let eu = eu.transport(Arc::clone(us.transport()))?;
    let ap = ap.transport(Arc::clone(us.transport()))?;
    Ok([us, eu, ap])
}

/// Waits until all handlers have settled what was published. Those whose events others handle were
/// added first.
pub(crate) async fn handled(bus: &EventBus, handlers: &Consumers) -> anyhow::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    while !handlers.is_ready() {
        tokio::time::sleep(PAUSE).await;
    }
    for (_, name) in handlers.ids() {
        for (stream, ..) in FAMILIES {
            loop {
                match bus.transport().consumer_info(stream, &name).await {
                    Ok(info) if info.pending + info.ack_pending == 0 => break,
                    Ok(_) => tokio::time::sleep(PAUSE).await,
                    // No event of the handler is in this stream.
                    Err(error) if *error.kind() == ErrorKind::ConsumerNotFound => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(())
}

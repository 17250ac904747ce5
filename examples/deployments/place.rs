//! The topology with its users, and the buses of the regions.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::config::{Config, ConfigLoader, TransportChoice};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::BucketConfig;
use event_sdk::{BusBuilder, EventBus};
use event_sdk_topology::permissions::{Consumes, PermissionsBuilder, Service};
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology, covers};

use crate::events::{Alarms, DeploymentFailed, Everything};

pub(crate) const REGIONS: [&str; 3] = ["us", "eu", "ap"];
pub(crate) const PREFIX: &str = "ops";
pub(crate) const BUCKET: &str = "OPS";

/// The streams of the four families of events.
pub(crate) const FAMILIES: [StreamSpec; 4] = [
    family("DEPLOYMENTS", &["deployments.>"], 720),
    family("HEALTH", &["health.>"], 168),
    family("DATABASES", &["databases.>"], 720),
    family("METRICS", &["metrics.>"], 168),
];

const LETTERS: DeadLetterSpec = DeadLetterSpec::new("DLQ", "DLQ_RETRY");

/// The streams, durables and bucket that the program needs on a server. Handlers that are switched off have durables too.
pub(crate) const TOPOLOGY: Topology = Topology::new(const { &FAMILIES })
    .consumers(
        const {
            &[
                DurableSpec::of::<DeploymentFailed>("operator-us"),
                DurableSpec::of::<DeploymentFailed>("operator-eu"),
                DurableSpec::of::<DeploymentFailed>("operator-ap"),
                DurableSpec::of::<Alarms>("webhook"),
                DurableSpec::of::<Everything>("metrics"),
                DurableSpec::of::<Everything>("log"),
                DurableSpec::of::<Everything>("canaries"),
            ]
        },
    )
    .dead_letters(const { &[LETTERS] })
    .bucket(const { &BucketConfig::constant(BUCKET) });

covers!(TOPOLOGY, Everything);

/// A stream that keeps events for some hours.
const fn family(name: &'static str, subjects: &'static [&'static str], hours: u64) -> StreamSpec {
    StreamSpec::constant(name, subjects).max_age(Duration::from_secs(hours * 3600))
}

/// The streams of dead letters.
#[cfg(test)]
pub(crate) fn letters() -> [StreamSpec; 2] {
    let place = LETTERS.place();
    [place.spec(), place.retry_spec()]
}

/// The users: the program, which has one connection for all of its regions, and the step that deploys it.
pub(crate) fn users() -> PermissionsBuilder {
    let program = Service::new("deployments").publishes::<Everything>();
    let operators = REGIONS.map(|region| Consumes::durable(format!("operator-{region}")));
    let others = ["metrics", "log", "canaries"].map(Consumes::durable);
    let webhook = Consumes::durable("webhook").dead_letters("DLQ");
    let all = operators.into_iter().chain(others).chain([webhook]);
    TOPOLOGY
        .permissions(PREFIX)
        .account("OPS")
        .private_inboxes()
        .service(all.fold(program, Service::consumes))
        .deployment("deploy")
}

/// The bus of a region. Each event that it publishes names the region in its metadata.
pub(crate) fn region(name: &str) -> BusBuilder {
    let bus = EventBus::builder().source("deployments").prefix(PREFIX);
    TOPOLOGY.declare(bus.metadata("region", name))
}

/// The configuration of the environment; without one, the streams are in this process.
pub(crate) fn config() -> ConfigLoader {
    Config::loader().defaults(|config| config.transport = Some(TransportChoice::Memory))
}

/// The buses of the regions, over one transport.
pub(crate) async fn open(config: &Config) -> anyhow::Result<[EventBus; 3]> {
    let [us, eu, ap] = REGIONS.map(region);
    let us = us.connect(config).await?;
    let other = |region: BusBuilder| {
        let transport = Arc::clone(us.transport());
        anyhow::Ok(region.configure(config)?.transport(transport)?)
    };
    Ok([us.clone(), other(eu)?, other(ap)?])
}

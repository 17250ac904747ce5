//! The program by variables alone: in its process, and on a cluster of three with TLS and a user, whose password is
//! rotated meanwhile.

#[path = "../../testing/rotation.rs"]
mod rotation;

use std::time::Duration;

use clap::Parser as _;
use event_sdk::config::Config;
use event_sdk::{BusBuilder, ConsumerSpec, EventBus};
use rotation::Gate;

use crate::events::{Alarms, DeploymentFailed, Everything};
use crate::place::{self, BUCKET, FAMILIES, PREFIX, REGIONS};
use crate::run;
use crate::settings::Settings;

/// Six deployments in each region; the sixth of one has a migration that fails.
pub(super) fn settings(more: &[&str]) -> Settings {
    let arguments = ["deployments", "--deployments", "6"];
    Settings::parse_from(arguments.iter().chain(more))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_the_same_in_its_process_and_on_a_cluster_whose_password_is_rotated() {
    let variables = [("EVENT_SDK_TRANSPORT", "memory")];
    let memory = place::config().variables(variables).load().unwrap();
    let expected = run(settings(&[]), &memory).await.unwrap().counts();
    // The fifth deployment of each region is rolled back, and the sixth of one.
    assert_eq!(expected["deployment.measured"], [6; 3]);
    assert_eq!(expected["deployment.rolled_back"], [1, 1, 2]);

    let gate = Gate {
        stream: "DEPLOYMENTS",
        durable: "operator-ap",
        events: 12,
    };
    let (counted, stored) = rotation::run(
        "ops",
        place::config,
        gate,
        async |config| {
            let bus = EventBus::builder().prefix(PREFIX).coordination(BUCKET);
            let streams = FAMILIES.into_iter().chain(place::letters());
            let bus = streams.fold(bus, BusBuilder::stream);
            let bus = durables().fold(bus, BusBuilder::consumer);
            let bus = bus.connect(config).await.unwrap();
            bus.apply().await.unwrap();
            bus
        },
        async |config, _| {
            let counted = run(settings(&["run"]), &config).await?.counts();
            Ok((counted, stored(&config).await?))
        },
    )
    .await;
    assert_eq!(stored, expected.values().flatten().sum::<u32>());
    // An event whose acknowledgement was lost is counted again.
    for (event_type, expected) in &expected {
        let counted = counted[event_type];
        let mut both = counted.iter().zip(expected);
        let is_whole = both.all(|(counted, expected)| counted >= expected);
        assert!(is_whole, "{event_type}: {counted:?}, {expected:?}");
    }
}

/// The durables of the handlers. What is lost with a connection is soon delivered again.
fn durables() -> impl Iterator<Item = ConsumerSpec> {
    let operators = REGIONS.map(|region| format!("operator-{region}"));
    let operators = operators.map(ConsumerSpec::durable::<DeploymentFailed>);
    let [metrics, canaries] = ["metrics", "canaries"].map(ConsumerSpec::durable::<Everything>);
    let webhook = ConsumerSpec::durable::<Alarms>("webhook");
    let all = operators.into_iter().chain([metrics, canaries, webhook]);
    all.map(|durable| durable.ack_wait(Duration::from_secs(2)))
}

/// How many events the streams have.
async fn stored(config: &Config) -> anyhow::Result<u32> {
    let [bus, ..] = place::open(config).await?;
    let mut stored = 0;
    for stream in FAMILIES {
        stored += bus.stream_state(stream.name()).await?.messages;
    }
    Ok(u32::try_from(stored)?)
}

//! The program on a cluster of three with TLS and a user, by configuration alone.

use clap::Parser as _;
use event_sdk::transport::TransportExt as _;
use event_sdk_test_servers::Secured;

use crate::settings::Settings;
use crate::{place, run};

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_on_a_cluster_with_tls_and_a_user() {
    let secured = Secured::new("ops").unwrap();
    let cluster = secured.options().start_cluster(3).await.unwrap();
    let variables = secured.variables(&cluster.url());
    let config = place::config().variables(variables).load().unwrap();
    let settings = Settings::parse_from(["deployments", "--deployments", "4"]);
    run(settings, &config).await.unwrap();
    let [bus, ..] = place::open(&config).await.unwrap();
    let deployments = bus.transport().stream_state("DEPLOYMENTS").await.unwrap();
    // Each of three regions made four: requested, started, ended and measured, at least.
    assert!(
        deployments.messages >= 3 * 4 * 4,
        "{}",
        deployments.messages
    );
}

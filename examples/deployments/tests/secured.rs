//! The program on a cluster of three with TLS and a user, by configuration alone.

use clap::Parser as _;
use event_sdk::transport::TransportExt as _;
use event_sdk_test_servers::{Authority, Server, Tls, User};

use crate::settings::Settings;
use crate::{place, run};

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_on_a_cluster_with_tls_and_a_user() {
    let authority = Authority::new().unwrap();
    let cluster = Server::options()
        .tls(Tls::new(&authority))
        .users([User::password("ops", "sesame")]);
    let cluster = cluster.start_cluster(3).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "sesame\n").unwrap();
    let url = cluster.url();
    let variables = [
        ("EVENT_SDK_TRANSPORT", "nats"),
        ("EVENT_SDK_NATS__URL", &url),
        (
            "EVENT_SDK_NATS__CA_FILE",
            authority.certificate().to_str().unwrap(),
        ),
        ("EVENT_SDK_NATS__USER", "ops"),
        ("EVENT_SDK_NATS__PASSWORD_FILE", password.to_str().unwrap()),
    ];
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

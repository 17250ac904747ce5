//! The example `jobs` over memory, and over a real server that is restarted.

use std::time::Duration;

use clap::Parser;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::{Authority, Server, Tls, User};

use crate::args::Args;
use crate::{config, run};
use event_sdk::transport::TransportExt as _;

fn args(more: &[&str]) -> Args {
    Args::parse_from(["jobs"].iter().chain(more))
}

#[tokio::test(flavor = "multi_thread")]
async fn in_this_process_nothing_is_lost_or_repeated() {
    let args = args(&["--pipelines", "5"]);
    let in_process = config().variables([("EVENT_SDK_TRANSPORT", "memory")]);
    run(args, in_process.load().unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_loses_and_repeats_no_effect() {
    let authority = Authority::new().unwrap();
    let users = [User::password("jobs", "sesame")];
    let server = Server::options().tls(Tls::new(&authority)).users(users);
    let mut server = server.start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "sesame\n").unwrap();
    let (url, stream) = (server.url(), "JOBS");
    let variables = [
        ("EVENT_SDK_TRANSPORT", "nats"),
        ("EVENT_SDK_NATS__URL", &url),
        (
            "EVENT_SDK_NATS__CA_FILE",
            authority.certificate().to_str().unwrap(),
        ),
        ("EVENT_SDK_NATS__USER", "jobs"),
        ("EVENT_SDK_NATS__PASSWORD_FILE", password.to_str().unwrap()),
    ];
    let args = args(&["--stream", stream, "--pipelines", "10", "--work", "30"]);
    let running = tokio::spawn(run(args, config().variables(variables).load().unwrap()));
    // In the middle: jobs are planned, some are done, and some are at work.
    let watcher = Nats::options(&url).ca_file(authority.certificate());
    let nats = Nats::connect(watcher.user("jobs", "sesame")).await.unwrap();
    let begun = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            if let Ok(state) = nats.stream_state(stream).await
                && state.messages > 250
            {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), begun)
        .await
        .unwrap();
    assert!(!running.is_finished(), "the restart would come too late");
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    tokio::time::timeout(Duration::from_secs(50), running)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

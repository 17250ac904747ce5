//! Runs a program on a cluster of three servers with TLS and a user, whose password is rotated while it runs. The tests
//! of several examples include this file.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::config::{Config, ConfigLoader};
use event_sdk::transport::{ErrorKind, TransportExt as _};
use event_sdk_test_servers::{Cluster, Secured, Server};

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A durable from which nothing is delivered before the password is rotated, so that the program cannot end earlier.
pub(crate) struct Gate {
    pub(crate) stream: &'static str,
    pub(crate) durable: &'static str,
    /// How many events the stream has when the password is rotated.
    pub(crate) events: u64,
}

/// The variables of a program.
pub(crate) type Variables = [(&'static str, OsString); 6];

/// Runs the program by the variables of `user` alone, which it gets with their configuration. Before, `prepare` makes the streams and the durable of the gate,
/// and returns its bus.
pub(crate) async fn run<T>(
    user: &'static str,
    loader: fn() -> ConfigLoader,
    gate: Gate,
    prepare: impl AsyncFnOnce(&Config) -> EventBus,
    program: impl AsyncFnOnce(Config, Variables) -> anyhow::Result<T>,
) -> T {
    let secured = Secured::new(user).unwrap();
    let mut cluster = secured.options().start_cluster(3).await.unwrap();
    let variables = secured.variables(&cluster.url());
    let config = loader().variables(variables.clone()).load().unwrap();
    let bus = prepare(&config).await;
    let pause = async |bus: &EventBus, until| {
        let transport = bus.transport();
        let paused = transport.pause_consumer(gate.stream, gate.durable, until);
        paused.await.unwrap();
    };
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    pause(&bus, Some(later)).await;
    let again = config.clone();
    let story = async {
        let begun = Instant::now();
        let events = async || bus.stream_state(gate.stream).await.unwrap().messages;
        while events().await < gate.events {
            wait(begun, "the program publishes").await;
        }
        rotate(&secured, &mut cluster, loader).await;
        // Over a connection of its own: a request is not to be lost with the old one.
        pause(&EventBus::from_config(&again).await.unwrap(), None).await;
    };
    let both = async { tokio::join!(Box::pin(program(config, variables)), story) };
    let ended = tokio::time::timeout(PATIENCE, both).await;
    ended.expect("the program ends").0.unwrap()
}

/// Rotates the password: the servers close the connections that were open, and refuse the old password.
async fn rotate(secured: &Secured, cluster: &mut Cluster, loader: fn() -> ConfigLoader) {
    let mut before = Vec::new();
    for server in cluster.servers() {
        before.push(connections(server).await);
    }
    assert!(before.iter().any(|open| !open.is_empty()));
    secured.rotate(cluster).await.unwrap();
    for (server, before) in cluster.servers().iter().zip(before) {
        let begun = Instant::now();
        while connections(server)
            .await
            .iter()
            .any(|it| before.contains(it))
        {
            wait(begun, "the connections are closed").await;
        }
        let variables = secured.variables_with_old_password(&server.url()).unwrap();
        let old = loader().variables(variables).load().unwrap();
        let refused = EventBus::from_config(&old).await;
        let refused = refused.expect_err("the old password");
        assert_eq!(*refused.kind(), ErrorKind::Unauthenticated, "{refused}");
    }
}

/// The numbers of the open connections, which a server gives once.
async fn connections(server: &Server) -> Vec<u64> {
    let open = server.monitor("/connz?limit=1000").await.unwrap();
    let open = open["connections"].as_array().unwrap().iter();
    open.map(|it| it["cid"].as_u64().unwrap()).collect()
}

async fn wait(begun: Instant, what: &str) {
    assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
    tokio::time::sleep(Duration::from_millis(5)).await;
}

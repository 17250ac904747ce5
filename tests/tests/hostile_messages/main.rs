//! Another client writes malformed messages between good ones into a real stream: readers of
//! every kind get each good one, each malformed one is reported once, and unrelated
//! subscriptions on the same connection lose nothing.
//!
//! `cargo test -p event-sdk-tests --test hostile_messages -- --nocapture` shows the slowest poll
//! of each reader.

mod kinds;
mod readers;
mod wire;
mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use event_sdk_test_servers::{Cluster, Server};
use futures_util::future::join_all;

use self::kinds::Kind;
use self::world::World;

/// Kinds with which readers fail still, all for one reason: async-nats ends a connection that
/// brings what it cannot read. A kind that passes must leave this list.
const FAILING: fn(&Kind) -> bool = |kind| kind.ends_connections;

/// How long what fails is waited for.
const FAILS_WITHIN: Duration = Duration::from_secs(8);

fn readable() -> Vec<Kind> {
    let mut kinds = kinds::all();
    kinds.retain(|kind| !kind.ends_connections);
    kinds
}

#[test]
fn kinds_are_many_and_have_names_of_their_own() {
    let all = kinds::all();
    let distinct: BTreeSet<_> = all.iter().map(|kind| &kind.name).collect();
    assert_eq!(distinct.len(), all.len());
    assert!(all.len() >= 60, "{} kinds", all.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server() {
    let server = Server::start().await.expect("the server starts");
    let world = World::new(&server.url(), 1, "all").await;
    if let Err(problems) = world.play(&readable()).await {
        panic!("{problems}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_and_what_ends_connections() {
    let server = Server::start().await.expect("the server starts");
    let url = server.url();
    let kinds = kinds::all()
        .into_iter()
        .filter(|kind| kind.ends_connections);
    let runs = kinds.enumerate().map(async |(index, kind)| {
        let world = World::new(&url, 1, &format!("k{index}")).await;
        let world = world.patience(FAILS_WITHIN);
        let played = world.play(std::slice::from_ref(&kind)).await;
        match (played, FAILING(&kind)) {
            (Ok(()), false) | (Err(_), true) => None,
            (Ok(()), true) => Some(format!("{}: it passes now", kind.name)),
            (Err(problem), false) => Some(format!("{}: {problem}", kind.name)),
        }
    });
    let wrong: Vec<_> = join_all(runs).await.into_iter().flatten().collect();
    assert!(
        wrong.is_empty(),
        "{} kinds:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_client_on_a_cluster() {
    let cluster = Cluster::start(3).await.expect("the cluster starts");
    let world = World::new(&cluster.url(), 3, "all").await;
    if let Err(problems) = world.play(&readable()).await {
        panic!("{problems}");
    }
}

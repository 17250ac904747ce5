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

use event_sdk_test_servers::{Cluster, Server};

use self::world::World;

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
    if let Err(problems) = world.play(&kinds::all()).await {
        panic!("{problems}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_client_on_a_cluster() {
    let cluster = Cluster::start(3).await.expect("the cluster starts");
    let world = World::new(&cluster.url(), 3, "all").await;
    if let Err(problems) = world.play(&kinds::all()).await {
        panic!("{problems}");
    }
}

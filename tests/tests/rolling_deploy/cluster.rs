//! The same deploys on a cluster of three servers, with a stream of three replicas.

use event_sdk_test_servers::Cluster;

use crate::{replicas, rig, unknown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_gains_an_event_while_old_replicas_go_on() {
    let cluster = Cluster::start(3).await.unwrap();
    let handled = replicas::deploy(&cluster.url(), rig::orders().replicas(3)).await;
    // A cluster may deliver again what was acknowledged just now, and says so.
    for (number, attempts) in rig::repeated(&handled) {
        assert!(
            attempts.is_sorted_by(|a, b| a < b),
            "{number}: {attempts:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_unknown_events_hold_up_no_known_one() {
    let cluster = Cluster::start(3).await.unwrap();
    unknown::flood(&cluster.url(), rig::orders().replicas(3)).await;
}

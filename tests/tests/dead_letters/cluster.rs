//! Dead letters on a cluster of three servers, with streams of three replicas.

use event_sdk_test_servers::Cluster;

use crate::servers::workflow;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_workflow_with_three_replicas() {
    let cluster = Cluster::start(3).await.unwrap();
    workflow(&cluster.url(), 3).await;
}

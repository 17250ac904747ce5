//! Clusters of three: election, replication, loss of the leader.

use async_nats::ConnectOptions;
use event_sdk_test_servers::{Authority, Cluster, Error, Server, Tls, programs};

use crate::client::{connect, create_consumer, create_stream, open, round_trip, store, stored};

/// Publishes until it is confirmed: while there is no leader, nobody confirms.
async fn store_at_last(client: &async_nats::Client, subject: &str) {
    while store(client, subject).await.is_none() {}
}

#[tokio::test]
async fn it_survives_the_kill_of_a_streams_leader() {
    let mut cluster = Cluster::start(3).await.unwrap();
    assert_eq!(cluster.urls().len(), 3);
    let client = open(&cluster.url()).await;
    create_stream(&client, "s", 3).await;
    create_consumer(&client, "s", "c", 3).await;
    assert_eq!(store(&client, "s.a").await, Some(1));
    cluster.leader_of_consumer("s", "c").await.unwrap();

    let killed = cluster.leader_of_stream("s").await.unwrap();
    cluster.server(killed).kill().await.unwrap();
    let next = cluster.leader_of_stream("s").await.unwrap();
    assert_ne!(next, killed);
    store_at_last(&client, "s.b").await;

    cluster.restart_stopped().await.unwrap();
    assert!(cluster.server(killed).is_running());
    assert_eq!(
        stored(&open(&cluster.servers()[killed].url()).await, "s").await,
        2
    );
}

#[tokio::test]
async fn all_of_it_can_be_stopped_and_started() {
    let mut cluster = Cluster::start(3).await.unwrap();
    let url = cluster.url();
    create_stream(&open(&url).await, "s", 3).await;
    for index in 0..3 {
        cluster.server(index).stop().await.unwrap();
    }
    cluster.restart_stopped().await.unwrap();
    assert_eq!(cluster.url(), url);
    assert_eq!(stored(&open(&url).await, "s").await, 0);
}

#[tokio::test]
async fn without_a_paused_leader_another_one_leads() {
    let mut cluster = Cluster::start(3).await.unwrap();
    let paused = cluster.leader().await.unwrap();
    cluster.server(paused).pause().unwrap();
    assert_ne!(cluster.leader().await.unwrap(), paused);
    cluster.server(paused).resume().unwrap();
    cluster.settled().await.unwrap();
}

#[tokio::test]
async fn its_options_are_those_of_each_server() {
    let authority = Authority::new().unwrap();
    let cluster = Server::options()
        .tls(Tls::new(&authority))
        .token("s3cret")
        .start_cluster(3)
        .await
        .unwrap();
    for url in cluster.urls() {
        let options = ConnectOptions::with_token("s3cret".to_owned())
            .add_root_certificates(authority.certificate().to_path_buf());
        round_trip(&connect(options, &url).await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_cluster_of_the_oldest_server_does_the_same() {
    let program = programs::nats::oldest().unwrap();
    let cluster = Server::options().program(program).start_cluster(3).await;
    let mut cluster = cluster.unwrap();
    create_stream(&open(&cluster.url()).await, "s", 3).await;
    cluster.leader_of_stream("s").await.unwrap();
}

#[tokio::test]
async fn none_is_no_cluster() {
    assert!(matches!(Cluster::start(0).await, Err(Error::Empty)));
}

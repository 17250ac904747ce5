//! Publishing and reading in a cluster whose replicas lag.

use std::time::Duration;

use event_sdk::transport::nats::Nats;
use event_sdk::transport::{HistoryRequest, Order, Outcome, StreamChange};
use event_sdk_test_servers::Cluster;
use futures_util::TryStreamExt;
use futures_util::future::{join_all, try_join_all};

use crate::support::{draft, pattern, publish, state, stream, within};
use event_sdk::transport::TransportExt as _;

#[tokio::test]
async fn what_was_just_created_is_there_for_everybody() {
    let cluster = Cluster::start(3).await.unwrap();
    let connected = cluster.urls().into_iter().map(|url| {
        let options = Nats::options(url).only_given_servers();
        async move { Nats::connect(options).await.unwrap() }
    });
    let connections = join_all(connected).await;
    for round in 0..5_u64 {
        let subject = format!("s{round}.>");
        let config = stream(&format!("S{round}"), &subject, |stream| stream.replicas(3));
        let applied = connections.iter().map(|nats| nats.apply_stream(&config));
        let changes = within(try_join_all(applied)).await.unwrap();
        assert!(changes.contains(&StreamChange::Created), "{changes:?}");
        // At once, over each of the servers.
        let published = connections.iter().map(|nats| async {
            for number in 0..10 {
                let message = draft(&format!("s{round}.a")).body(number.to_string());
                publish(nats, message).await.unwrap();
            }
        });
        within(join_all(published)).await;
        for nats in &connections {
            assert_eq!(state(nats, &config.name).await.messages, 30);
            let found: Vec<_> = within(async {
                let request = {
                    let mut request =
                        HistoryRequest::new(config.name.clone(), vec![pattern(&subject)]);
                    request.order = Order::NewestFirst;
                    request
                };
                nats.read_history(request)
                    .await
                    .unwrap()
                    .try_collect()
                    .await
                    .unwrap()
            })
            .await;
            assert_eq!(found.len(), 30, "a copy that is behind was believed");
        }
    }
}

#[tokio::test]
async fn publishing_goes_on_when_the_leader_is_killed() {
    let mut cluster = Cluster::start(3).await.unwrap();
    let options = Nats::options(cluster.url()).ack_timeout(Duration::from_secs(2));
    let nats = within(Nats::connect(options)).await.unwrap();
    let config = stream("S", "s.>", |stream| stream.replicas(3));
    within(nats.apply_stream(&config)).await.unwrap();
    publish(&nats, draft("s.a").id("0")).await.unwrap();
    let leader = cluster.leader_of_stream("S").await.unwrap();
    cluster.server(leader).kill().await.unwrap();
    // Whatever was lost on the way is published again, as the same.
    for number in 1..50 {
        let message = || {
            draft("s.a")
                .id(&number.to_string())
                .body(number.to_string())
        };
        within(async {
            while let Err(error) = publish(&nats, message()).await {
                assert!(error.is_transient(), "{error}");
            }
        })
        .await;
    }
    assert_eq!(state(&nats, "S").await.messages, 50);
}

#[tokio::test]
async fn a_stream_whose_only_server_is_gone_is_missed_for_a_while_and_not_unknown() {
    let mut cluster = Cluster::start(3).await.unwrap();
    let nats = within(Nats::connect(Nats::options(cluster.url())))
        .await
        .unwrap();
    let config = stream("S", "s.>", |stream| stream.replicas(1));
    within(nats.apply_stream(&config)).await.unwrap();
    publish(&nats, draft("s.a")).await.unwrap();
    let leader = cluster.leader_of_stream("S").await.unwrap();
    cluster.server(leader).kill().await.unwrap();
    // At once, when there may be no leader of the cluster to ask, and later. What
    // was sent over a connection that is lost meanwhile gets no answer at all.
    for round in 0..4 {
        let publishes = (0..50).map(|_| publish(&nats, draft("s.a")));
        for result in join_all(publishes).await {
            let error = result.unwrap_err();
            assert!(error.is_transient(), "{round}: {error}");
        }
    }
    let error = publish(&nats, draft("s.a")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotDone, "{error}");
    assert!(error.to_string().contains("leader"), "{error}");
    cluster.server(leader).restart().await.unwrap();
    within(async {
        while let Err(error) = publish(&nats, draft("s.a")).await {
            assert!(error.is_transient(), "{error}");
        }
    })
    .await;
}

//! Publishing and reading in a cluster whose replicas lag, and gaps where a leader is killed.

use std::time::Duration;

use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk::transport::{
    Gap, HistoryRequest, Incoming, LostCount, Order, Outcome, RestoreRequest, Settlement, Snapshot,
    SnapshotRequest, StreamChange,
};
use event_sdk_test_servers::{Cluster, Server, User};
use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt as _, TryStreamExt};

use crate::consumer_support::{PATIENCE, Reader, STREAM, durable, settle, subscribe};
use crate::support::{draft, pattern, publish, state, stream, within};
use event_sdk::transport::{Transport as _, TransportExt as _};

/// A cluster on a busy machine takes its time.
fn options(url: impl AsRef<str>) -> NatsOptions {
    Nats::options(url).request_timeout(PATIENCE / 2)
}

#[tokio::test]
async fn what_was_just_created_is_there_for_everybody() {
    let cluster = Cluster::start(3).await.unwrap();
    let connected = cluster.urls().into_iter().map(|url| {
        let options = options(url).only_given_servers().ack_timeout(PATIENCE);
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

/// A cluster makes the consumers of a restored stream after it has answered the restore.
#[tokio::test]
async fn the_durables_of_a_restored_stream_are_there_for_everybody() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for replicas in [3, 1] {
        // A new cluster each time: where a stream is created again soon after it was deleted, a server
        // may give it the consumers of the old one.
        let cluster = Cluster::start(3).await.unwrap();
        let connected = cluster.urls().into_iter().map(|url| {
            let options = options(url).only_given_servers();
            async move { Nats::connect(options).await.unwrap() }
        });
        let connections = join_all(connected).await;
        let nats = &connections[0];
        let client = async_nats::connect(&*cluster.urls()[0]).await.unwrap();
        let config = stream(STREAM, "events.>", |stream| stream.replicas(replicas));
        within(nats.apply_stream(&config)).await.unwrap();
        publish_up_to(nats, 1..=9).await;
        for name in names {
            let mut reader = subscribe(nats, &durable(name), 1).await;
            assert_eq!(read_up_to(&mut reader, 3).await.0, [1, 2, 3]);
        }
        let snapshot = within(nats.snapshot_stream(SnapshotRequest::new(STREAM))).await;
        let Snapshot { info, content, .. } = snapshot.unwrap();
        let pieces: Vec<_> = within(content.collect()).await;
        let delete = || client.request(format!("$JS.API.STREAM.DELETE.{STREAM}"), "".into());
        within(delete()).await.unwrap();

        let pieces = Box::pin(futures_util::stream::iter(pieces));
        let request = RestoreRequest::new(STREAM, info.kind, info.description, pieces);
        let restored = within(nats.restore_stream(request)).await.unwrap();
        assert_eq!((restored.messages, restored.consumers), (9, names.len()));
        for nats in &connections {
            for name in names {
                let info = within(nats.consumer_info(STREAM, name)).await;
                let info = info.unwrap_or_else(|error| panic!("{replicas} replicas: {error}"));
                assert_eq!(info.acknowledged, 3, "{replicas} replicas: {info:?}");
            }
        }
    }
}

#[tokio::test]
async fn publishing_goes_on_when_the_leader_is_killed() {
    let mut cluster = Cluster::start(3).await.unwrap();
    let options = options(cluster.url()).ack_timeout(Duration::from_secs(2));
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
    let nats = within(Nats::connect(options(cluster.url()))).await.unwrap();
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

/// Stores messages up to this sequence, also while there is no leader.
async fn publish_up_to(nats: &Nats, sequences: std::ops::RangeInclusive<u64>) {
    for sequence in sequences {
        let message = || draft("events.a").id(&sequence.to_string());
        let stored = within(async {
            loop {
                match publish(nats, message()).await {
                    Ok(stored) => break stored,
                    Err(error) => assert!(error.is_transient(), "{error}"),
                }
            }
        })
        .await;
        assert_eq!(stored.sequence, Some(sequence));
    }
}

/// Reads and acknowledges up to this sequence; what came, and the gaps.
async fn read_up_to(reader: &mut Reader, last: u64) -> (Vec<u64>, Vec<Gap>) {
    let (mut sequences, mut gaps) = (Vec::new(), Vec::new());
    while sequences.last() != Some(&last) {
        match reader.item().await {
            Some(Ok(Incoming::Message(received))) => {
                sequences.extend(received.info.sequence);
                settle(&received, Settlement::AckConfirmed).await.unwrap();
            }
            Some(Ok(Incoming::Notice(notice))) => gaps.extend(notice.gap()),
            other => panic!("{other:?} came"),
        }
    }
    (sequences, gaps)
}

/// A cluster with a stream of ten messages, and a connection to all its servers.
async fn ten_messages() -> (Cluster, Nats) {
    let cluster = Cluster::start(3).await.unwrap();
    let options = options(cluster.url()).ack_timeout(Duration::from_secs(2));
    let nats = within(Nats::connect(options)).await.unwrap();
    let config = stream(STREAM, "events.>", |stream| {
        stream.replicas(3).max_messages(10)
    });
    within(nats.apply_stream(&config)).await.unwrap();
    (cluster, nats)
}

#[tokio::test]
async fn what_is_dropped_while_nobody_reads_and_a_leader_is_killed_is_a_gap() {
    let (mut cluster, nats) = ten_messages().await;
    let mut reader = subscribe(&nats, &durable("d"), 1).await;
    publish_up_to(&nats, 1..=3).await;
    assert_eq!(read_up_to(&mut reader, 3).await, (vec![1, 2, 3], vec![]));
    drop(reader);
    let leader = cluster.leader_of_consumer(STREAM, "d").await.unwrap();
    cluster.server(leader).kill().await.unwrap();
    publish_up_to(&nats, 4..=40).await;
    cluster.leader_of_consumer(STREAM, "d").await.unwrap();
    let mut reader = subscribe(&nats, &durable("d"), 1).await;
    let (sequences, gaps) = read_up_to(&mut reader, 40).await;
    assert_eq!(sequences, (31..=40).collect::<Vec<_>>());
    let lost = LostCount::Exactly(27);
    let (from, to) = (4, 30);
    assert_eq!(gaps, [Gap { from, to, lost }]);
}

#[tokio::test]
async fn what_a_running_subscription_misses_of_a_killed_leader_is_a_gap() {
    let (mut cluster, nats) = ten_messages().await;
    let mut reader = subscribe(&nats, &durable("d"), 1).await;
    publish_up_to(&nats, 1..=3).await;
    assert_eq!(read_up_to(&mut reader, 3).await.1, []);
    let leader = cluster.leader_of_consumer(STREAM, "d").await.unwrap();
    cluster.server(leader).kill().await.unwrap();
    // It is not polled meanwhile.
    publish_up_to(&nats, 4..=60).await;
    let (sequences, gaps) = read_up_to(&mut reader, 60).await;
    let told = |sequence: &u64| {
        let inside = |gap: &Gap| (gap.from..=gap.to).contains(sequence);
        sequences.contains(sequence) || gaps.iter().any(inside)
    };
    let silent: Vec<u64> = (4..=60).filter(|sequence| !told(sequence)).collect();
    assert!(
        silent.is_empty(),
        "{silent:?} were lost: {sequences:?}, {gaps:?}"
    );
    let dropped = 57
        - (4..=60)
            .filter(|sequence| sequences.contains(sequence))
            .count() as u64;
    let told: u64 = gaps.iter().map(|gap| count(gap.lost)).sum();
    assert!(told >= dropped, "{told} of {dropped}: {gaps:?}");
    let exactly = |gap: &Gap| matches!(gap.lost, LostCount::Exactly(_));
    if gaps.iter().all(exactly) {
        assert_eq!(told, dropped, "{gaps:?}");
    }
}

fn count(lost: LostCount) -> u64 {
    match lost {
        LostCount::Exactly(many) | LostCount::AtMost(many) => many,
    }
}

#[tokio::test]
async fn a_consumer_that_begins_where_a_copy_is_behind_has_lost_nothing() {
    let (_cluster, nats) = ten_messages().await;
    let mut last = 0;
    for round in ["a", "b", "c", "d", "e"] {
        publish_up_to(&nats, last + 1..=last + 30).await;
        last += 30;
        let mut reader = subscribe(&nats, &durable(round), 1).await;
        let (sequences, gaps) = read_up_to(&mut reader, last).await;
        assert_eq!((sequences.len(), gaps), (10, vec![]));
    }
}

#[tokio::test]
async fn a_pause_is_applied_when_it_is_answered() {
    let cluster = Cluster::start(3).await.unwrap();
    let nats = within(Nats::connect(options(cluster.url()))).await.unwrap();
    let config = stream(STREAM, "events.>", |stream| stream.replicas(3));
    within(nats.apply_stream(&config)).await.unwrap();
    let reader = within(subscribe(&nats, &durable("d"), 1)).await;
    drop(reader);
    let until = jiff::Timestamp::now() + Duration::from_secs(600);
    for _ in 0..10 {
        within(nats.pause_consumer(STREAM, "d", Some(until)))
            .await
            .unwrap();
        let info = within(nats.consumer_info(STREAM, "d")).await.unwrap();
        assert_eq!(info.paused_until, Some(until));
        within(nats.pause_consumer(STREAM, "d", None))
            .await
            .unwrap();
        let info = within(nats.consumer_info(STREAM, "d")).await.unwrap();
        assert_eq!(info.paused_until, None);
    }
    let error = within(nats.list_consumers("nothing")).await.unwrap_err();
    assert_eq!(
        *error.kind(),
        event_sdk::transport::ErrorKind::StreamNotFound
    );
}

#[tokio::test]
async fn each_server_of_a_cluster_knows_the_user() {
    let users = [User::password("billing", "sesame")];
    let cluster = Server::options()
        .users(users)
        .start_cluster(3)
        .await
        .unwrap();
    for url in cluster.urls() {
        let options = Nats::options(url).user("billing", "sesame");
        let nats = within(Nats::connect(options)).await.unwrap();
        let user = within(nats.user()).await.unwrap().unwrap();
        assert_eq!(user.name.as_deref(), Some("billing"), "{user:?}");
    }
}

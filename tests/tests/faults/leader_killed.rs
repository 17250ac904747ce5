//! Fault: the leader of a replicated stream is killed (`kill -9`) in a cluster of three.

use std::time::Duration;

use event_sdk::Subscriber;
use event_sdk_test_servers::Cluster;

use crate::events::Counted;
use crate::ledger::{Ledger, Sign};
use crate::rig::{STREAM, Service, all_settled, connect_with, stream};
use crate::work::{
    Traffic, acknowledge, next_delivery, number, patiently, publish_all, read_stored,
    receive_until, within,
};

const ACK_WAIT: Duration = Duration::from_secs(2);

async fn subscribe(service: &Service) -> Subscriber<Counted> {
    patiently("a subscription", async || {
        let subscription = service.bus.subscribe::<Counted>();
        let subscription = subscription.durable("worker").ack_wait(ACK_WAIT);
        subscription.prefetch(20).await
    })
    .await
}

/// Kills whoever leads the stream; the server is back when another leads it, and
/// the consumer.
async fn kill_leader(cluster: &mut Cluster, ledger: &Ledger) {
    let leader = cluster.leader_of_stream(STREAM).await.expect("one leads");
    ledger.server_is_down();
    let killed = cluster.server(leader);
    killed.kill().await.expect("it is killed");
    let other = cluster.leader_of_stream(STREAM).await.expect("one leads");
    assert_ne!(other, leader);
    let consumer = cluster.leader_of_consumer(STREAM, "worker").await;
    consumer.expect("one leads");
    ledger.server_is_back();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_leads_and_nothing_is_lost() {
    let ledger = Ledger::new("leader of three killed");
    let mut cluster = Cluster::start(3).await.expect("the cluster starts");
    let declared = || stream().replicas(3);
    let consuming = connect_with(cluster.url(), declared(), |options| options).await;
    consuming.apply().await;
    let mut subscriber = subscribe(&consuming).await;
    // Connected to the one that is to be killed, and told of no other.
    let leader = cluster.leader_of_stream(STREAM).await.expect("one leads");
    let publishing = connect_with(cluster.urls()[leader].as_str(), declared(), |options| {
        options
    })
    .await;

    let (traffic, idle) = (Traffic::new(), Traffic::new());
    let working = async {
        let faults = async {
            kill_leader(&mut cluster, &ledger).await;
            ledger
                .goes_on(&[Sign::Confirmed, Sign::Received], 100)
                .await;
            // The killed one comes back and follows; nobody is to notice.
            cluster.restart_stopped().await.expect("it starts again");
            ledger
                .goes_on(&[Sign::Confirmed, Sign::Received], 200)
                .await;
            traffic.end();
        };
        tokio::join!(
            traffic.publish(&publishing.bus, &ledger),
            traffic.publish(&publishing.bus, &ledger),
            traffic.publish_batches(&publishing.bus, &ledger, 10),
            faults,
        );
        let leader = cluster.leader_of_consumer(STREAM, "worker").await;
        let leader = leader.expect("one leads");
        all_settled(&cluster.servers()[leader], "worker").await;
        idle.end();
    };
    let received = receive_until(&mut subscriber, &ledger, idle.ended());
    within(
        "all to be received",
        Box::pin(async { tokio::join!(received, working) }),
    )
    .await;

    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
    let stored = Ledger::new("what is stored in the end");
    read_stored(&publishing.bus, &stored).await;
    let found = stored.totals();
    assert_eq!((found.received, found.repeated), (totals.published, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_leads_and_knows_what_was_acknowledged() {
    let ledger = Ledger::new("leader of a consumer killed");
    let mut cluster = Cluster::start(3).await.expect("the cluster starts");
    let service = connect_with(cluster.url(), stream().replicas(3), |options| options).await;
    service.apply().await;
    let mut subscriber = subscribe(&service).await;
    publish_all(&service.bus, &ledger, 0..200).await;
    for wanted in 0..100 {
        let delivery = next_delivery(&mut subscriber, &ledger).await;
        assert_eq!(number(&delivery), wanted);
        acknowledge(&delivery, &ledger).await;
    }
    let leader = cluster.leader_of_consumer(STREAM, "worker").await;
    let leader = leader.expect("one leads");
    ledger.server_is_down();
    let killed = cluster.server(leader).kill().await;
    killed.expect("it is killed");
    let other = cluster.leader_of_consumer(STREAM, "worker").await;
    assert_ne!(other.expect("one leads"), leader);
    ledger.server_is_back();
    while ledger.totals().received < 200 {
        let delivery = next_delivery(&mut subscriber, &ledger).await;
        assert!(number(&delivery) >= 100, "{delivery:?} was acknowledged");
        acknowledge(&delivery, &ledger).await;
    }
    ledger.goes_on(&[Sign::Received], 50).await;
    ledger.close();
}

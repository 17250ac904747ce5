//! The ready-made topology on a cluster of three.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::Cluster;
use event_sdk_topology::{Finding, RetentionTier, deltran};

use crate::stories::is_all_new;
use crate::support::{bus, by_hand};

#[tokio::test]
async fn deltrans_streams_are_made_and_their_drift_is_named() {
    let cluster = Cluster::start(3).await.unwrap();
    let [first, second, _] = cluster.servers() else {
        panic!("three servers");
    };
    let options = |url| Nats::options(url).request_timeout(Duration::from_secs(30));
    let one = bus(Nats::connect(options(first.url())).await.unwrap());
    let other = bus(Nats::connect(options(second.url())).await.unwrap());
    let topology = deltran::CLUSTERED;
    let plan = topology.plan(&one).await.unwrap();
    assert!(is_all_new(&plan) && plan.is_possible(), "{plan}");
    // Two deployments at once.
    let (applied, beside) = tokio::join!(topology.apply(&one), topology.apply(&other));
    applied.unwrap();
    beside.unwrap();
    for bus in [&one, &other] {
        let again = topology.apply(bus).await.unwrap();
        assert!(again.is_unchanged(), "{again}");
        let found = topology.verify(bus).await.unwrap();
        assert!(found.is_clean(), "{found}");
    }
    let state = one.stream_state("AUDIT").await.unwrap();
    assert_eq!(state.config.replicas, 3);

    let age = RetentionTier::Extended.max_age();
    let audit = StreamSpec::new("AUDIT").subject("audit.>").max_age(age);
    let audit = audit.max_message_size(1024 * 1024).max_messages(10);
    by_hand(&other, audit.replicas(1)).await;
    let found = topology.verify(&one).await.unwrap();
    let [Finding::Drift { item, differences }] = &found.findings[..] else {
        panic!("{found}");
    };
    let fields: Vec<_> = differences.iter().map(|one| one.field).collect();
    assert_eq!(item.to_string(), "stream AUDIT");
    assert_eq!(fields, ["max messages", "replicas"]);
    topology.apply(&one).await.unwrap();
    let found = topology.verify(&one).await.unwrap();
    assert!(found.is_clean(), "{found}");
}

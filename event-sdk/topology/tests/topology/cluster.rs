//! A cluster of three: the ready-made topology, and placement.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::{Placement, Storage, StreamSpec};
use event_sdk::transport::ErrorKind;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::{Cluster, Server};
use event_sdk_topology::{ApplyError, Finding, RetentionTier, Topology, deltran};

use crate::permissions;
use crate::stories::is_all_new;
use crate::support::{bus, by_hand};

/// A stream of DelTran, which cannot be moved to memory.
const IN_MEMORY: Topology = Topology::new(
    const {
        &[StreamSpec::constant("AUDIT", &["audit.>"])
            .replicas(3)
            .storage(Storage::Memory)]
    },
);

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
    overlapped(&one, &other).await;
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

    let refused = IN_MEMORY.apply(&other).await.unwrap_err();
    let ApplyError::Refused(plan) = &refused else {
        panic!("{refused}");
    };
    let refusals: Vec<_> = plan.refusals().collect();
    let [(_, refusal)] = refusals[..] else {
        panic!("{plan}");
    };
    assert!(
        refusal.reason.contains("no server moves a stream"),
        "{plan}"
    );
    assert_eq!(refusal.steps.len(), 7, "{plan}");
    let found = topology.verify(&one).await.unwrap();
    assert!(found.is_clean(), "{found}");
}

/// A stream of others over all events is found through each server, and nothing is applied.
async fn overlapped(one: &EventBus, other: &EventBus) {
    by_hand(other, StreamSpec::new("EVERYTHING").absolute("events.>")).await;
    let found = deltran::CLUSTERED.verify(one).await.unwrap();
    let overlaps = found.findings.iter().filter_map(|finding| match finding {
        Finding::Overlap { other, .. } => Some(other.to_string()),
        _ => None,
    });
    let overlaps: Vec<_> = overlaps.collect();
    assert_eq!(overlaps, ["stream EVERYTHING (events.>)"; 8], "{found}");
    let refused = deltran::CLUSTERED.apply(one).await.unwrap_err();
    assert!(matches!(refused, ApplyError::Refused(_)), "{refused}");
    by_hand(other, StreamSpec::new("EVERYTHING").absolute("other.>")).await;
}

#[tokio::test]
async fn each_missing_permission_is_named() {
    let cluster = Server::options().users(permissions::users());
    let cluster = cluster.start_cluster(3).await.unwrap();
    permissions::each_is_named(&cluster.urls()[1]).await;
}

#[tokio::test]
async fn a_stream_is_placed_by_tags_and_where_no_server_is_that_is_said() {
    const EU: Topology = Topology::new(
        const {
            &[StreamSpec::constant("ORDERS", &["orders.>"])
                .replicas(3)
                .placement(Placement::tagged(&["region:eu", "disk:ssd"]))]
        },
    );
    const US: Topology = Topology::new(
        const {
            &[StreamSpec::constant("ORDERS", &["orders.>"])
                .replicas(3)
                .placement(Placement::tagged(&["region:us"]))]
        },
    );
    const ANYWHERE: Topology = Topology::new(
        const {
            &[StreamSpec::constant("ORDERS", &["orders.>"])
                .replicas(3)
                .placement(Placement::ANYWHERE)]
        },
    );
    const UNSAID: Topology =
        Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"]).replicas(3)] });
    let tags = r#"server_tags: ["region:eu", "disk:ssd"]"#;
    let cluster = Server::options()
        .config(tags)
        .start_cluster(3)
        .await
        .unwrap();
    let options = Nats::options(cluster.urls().remove(0)).request_timeout(Duration::from_secs(30));
    let bus = bus(Nats::connect(options).await.unwrap());
    let refused = |error: ApplyError| {
        let ApplyError::Failed(error) = error else {
            panic!("{error}");
        };
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        assert_eq!(error.stream(), Some("ORDERS"));
        let shown = error.to_string();
        assert!(
            shown.contains("its placement is tags region:us, with 3 replicas"),
            "{shown}"
        );
    };
    refused(US.apply(&bus).await.unwrap_err());
    EU.apply(&bus).await.unwrap();
    assert!(EU.plan(&bus).await.unwrap().is_empty());
    // A placement that is not declared stays.
    let found = UNSAID.verify(&bus).await.unwrap();
    assert!(found.is_clean(), "{found}");
    let found = US.verify(&bus).await.unwrap();
    let [Finding::Drift { differences, .. }] = &found.findings[..] else {
        panic!("{found}");
    };
    assert_eq!(differences[0].field, "placement tags");
    refused(US.apply(&bus).await.unwrap_err());
    let plan = ANYWHERE.plan(&bus).await.unwrap();
    assert!(
        plan.to_string()
            .contains(r#"placement tags is ["disk:ssd", "region:eu"], wanted []"#),
        "{plan}"
    );
    ANYWHERE.apply(&bus).await.unwrap();
    assert!(ANYWHERE.verify(&bus).await.unwrap().is_clean());
    let state = bus.stream_state("ORDERS").await.unwrap();
    assert_eq!((state.config.placement, state.foreign.len()), (None, 0));
}

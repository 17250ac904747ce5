//! What a topology reserves, beside the limits of an account.

use event_sdk::stream::{Retention, Storage, StreamSpec};
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{BucketConfig, ErrorKind};
use event_sdk_test_servers::{Operator, Options, Server, programs};
use event_sdk_topology::{ApplyError, DurableSpec, Topology};
use serde_json::json;

use crate::support::{OrderPlaced, Place, bus, by_hand, everywhere};

everywhere! {
    what_streams_reserve_is_told
    streams_without_a_limit_reserve_nothing
}

const SIZED: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("DISK", &["disk.>"]).max_bytes(600_000),
            StreamSpec::constant("MEMORY", &["memory.>"])
                .max_bytes(50_000)
                .storage(Storage::Memory),
            StreamSpec::constant("ENDLESS", &["endless.>"]),
        ]
    },
);

async fn what_streams_reserve_is_told(place: &Place) {
    let bus = &place.bus;
    by_hand(
        bus,
        StreamSpec::new("DISK").subject("disk.>").max_bytes(100_000),
    )
    .await;
    by_hand(
        bus,
        StreamSpec::new("OTHER")
            .subject("other.>")
            .max_bytes(200_000),
    )
    .await;
    let plan = SIZED.plan(bus).await.unwrap();
    let reservations = &plan.reservations;
    assert_eq!(
        (reservations.file.before, reservations.file.after),
        (300_000, 800_000),
        "{plan}"
    );
    assert_eq!(
        (reservations.memory.before, reservations.memory.after),
        (0, 50_000),
        "{plan}"
    );
    assert_eq!(
        (reservations.streams.before, reservations.streams.after),
        (2, 4),
        "{plan}"
    );
    assert_eq!(reservations.unlimited, ["ENDLESS"], "{plan}");
    SIZED.apply(bus).await.unwrap();
    let after = SIZED.plan(bus).await.unwrap().reservations;
    assert_eq!(after.file.before, after.file.after);
    // Server 2.10 takes one byte off for the stream without a limit.
    assert!((799_999..=800_000).contains(&after.file.before), "{after}");
    assert_eq!((after.memory.before, after.streams.before), (50_000, 4));
}

async fn streams_without_a_limit_reserve_nothing(place: &Place) {
    const ENDLESS: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("A", &["a.>"]),
                StreamSpec::constant("B", &["b.>"]),
            ]
        },
    );
    ENDLESS.apply(&place.bus).await.unwrap();
    let plan = ENDLESS.plan(&place.bus).await.unwrap();
    assert_eq!(plan.reservations.file.before, 0, "{plan}");
    assert_eq!(plan.reservations.unlimited, ["A", "B"], "{plan}");
}

async fn limited(options: Options) {
    let account = r#"accounts: { APP: {
        jetstream: { max_file: 1000000, max_mem: 40000, max_streams: 2 }
        users: [{ user: "app", password: "secret" }]
    } }"#;
    let server: Server = options.config(account).start().await.unwrap();
    let options = Nats::options(server.url()).user("app", "secret");
    let bus = bus(Nats::connect(options).await.unwrap());
    let plan = SIZED.plan(&bus).await.unwrap();
    let exceeded = plan.reservations.exceeded();
    let exceeded: Vec<_> = exceeded.iter().map(|(name, _)| &**name).collect();
    assert_eq!(exceeded, ["bytes in memory", "streams"], "{plan}");
    assert!(
        plan.to_string()
            .contains("600000 bytes on disk (before 0) of 1000000"),
        "{plan}"
    );
    let refused = SIZED.apply(&bus).await.unwrap_err();
    assert!(matches!(refused, ApplyError::Refused(_)), "{refused}");
    assert!(
        refused
            .to_string()
            .contains("3 streams are more than the 2"),
        "{refused}"
    );
    let missing = bus.stream_state("DISK").await.unwrap_err();
    assert_eq!(*missing.kind(), ErrorKind::StreamNotFound);
}

#[tokio::test]
async fn more_than_an_account_may_have_is_refused_current() {
    limited(Server::options()).await;
}

#[tokio::test]
async fn more_than_an_account_may_have_is_refused_oldest() {
    limited(Server::options().program(programs::nats::oldest().unwrap())).await;
}

const LARGE: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("LARGE", &["large.>"]).max_bytes(9_000),
            StreamSpec::constant("ENDLESS", &["endless.>"]),
            StreamSpec::constant("ORDERS", &["orders.>"]).max_bytes(4_000),
        ]
    },
)
.consumers(
    const {
        &[
            DurableSpec::of::<OrderPlaced>("many").max_ack_pending(200),
            DurableSpec::of::<OrderPlaced>("few").max_ack_pending(50),
            DurableSpec::of::<OrderPlaced>("any").max_ack_pending(0),
        ]
    },
)
.bucket(const { &BucketConfig::constant("SHOP") });

async fn limits_of_each(options: Options) {
    let account = r#"accounts: { APP: {
        jetstream: {
            max_file: 1000000, max_mem: 40000, disk_max_stream_bytes: 5000
            max_bytes_required: true, max_ack_pending: 100
        }
        users: [{ user: "app", password: "secret" }]
    } }"#;
    let server: Server = options.config(account).start().await.unwrap();
    let options = Nats::options(server.url()).user("app", "secret");
    let bus = bus(Nats::connect(options).await.unwrap());
    let plan = LARGE.plan(&bus).await.unwrap();
    let refused: Vec<_> = plan
        .refusals()
        .map(|(item, refusal)| format!("{item}: {}", refusal.reason))
        .collect();
    assert_eq!(
        refused,
        [
            "stream LARGE: its maximum of 9000 bytes is more than the 5000 that a stream of the account may have",
            "stream ENDLESS: the account takes only streams with a maximum of bytes, and this one declares none",
            "bucket SHOP: the account takes only streams with a maximum of bytes, and a bucket has none",
            "consumer many of ORDERS: its maximum of 200 unsettled deliveries is more than the 100 that a consumer of the account may have",
        ],
        "{plan}"
    );
    // The server says the same of each.
    let transport = bus.transport();
    let streams = transport.stream_admin().unwrap();
    let large = StreamSpec::new("LARGE").subject("large.>").max_bytes(9_000);
    for spec in [large, StreamSpec::new("ENDLESS").subject("endless.>")] {
        let config = spec.config("events").unwrap();
        let error = streams.apply(&config).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    }
}

#[tokio::test]
async fn limits_of_each_stream_are_compared_current() {
    limits_of_each(Server::options()).await;
}

#[tokio::test]
async fn limits_of_each_stream_are_compared_oldest() {
    limits_of_each(Server::options().program(programs::nats::oldest().unwrap())).await;
}

const TIERED: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("SMALL", &["small.>"]).max_bytes(600),
            StreamSpec::constant("BIG", &["big.>"]).max_bytes(500),
            StreamSpec::constant("THREE", &["three.>"])
                .max_bytes(500)
                .replicas(3),
            StreamSpec::constant("FIVE", &["five.>"])
                .max_bytes(1)
                .replicas(5),
        ]
    },
);

/// An account whose limits depend on the number of replicas.
async fn tiers(options: Options) {
    let limits = |disk: u64| {
        json!({ "mem_storage": 0, "disk_storage": disk, "streams": 5, "consumer": -1,
            "max_ack_pending": -1, "mem_max_stream_bytes": -1, "disk_max_stream_bytes": 550 })
    };
    let tiers = json!({ "R1": limits(1_000), "R3": limits(9_000) });
    let operator = Operator::tiered(&tiers).unwrap();
    let server: Server = options.operator(&operator).start().await.unwrap();
    let credentials = operator.credentials("app").text().unwrap();
    let options = Nats::options(server.url()).credentials(credentials);
    let bus = bus(Nats::connect(options).await.unwrap());
    by_hand(
        &bus,
        StreamSpec::new("OTHER").subject("other.>").max_bytes(400),
    )
    .await;
    let plan = TIERED.plan(&bus).await.unwrap();
    let refused: Vec<_> = plan
        .refusals()
        .map(|(item, refusal)| format!("{item}: {}", refusal.reason))
        .collect();
    assert_eq!(
        refused,
        [
            "stream SMALL: its maximum of 600 bytes is more than the 550 that a stream of the account may have",
            "stream FIVE: the account has no tier for streams with 5 replicas; it has R1, R3",
        ],
        "{plan}"
    );
    let found: Vec<_> = plan
        .reservations
        .tiers
        .iter()
        .map(|tier| {
            (
                tier.replicas,
                tier.file.before,
                tier.file.after,
                tier.streams.after,
            )
        })
        .collect();
    assert_eq!(found, [(1, 400, 900, 2), (3, 0, 500, 1)], "{plan}");
    assert!(plan.reservations.exceeded().is_empty(), "{plan}");
    assert!(
        plan.to_string()
            .contains("900 bytes on disk of the tier R1 (before 400) of 1000"),
        "{plan}"
    );
    const MORE: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("BIG", &["big.>"]).max_bytes(500),
                StreamSpec::constant("MORE", &["more.>"]).max_bytes(101),
            ]
        },
    );
    let plan = MORE.plan(&bus).await.unwrap();
    let exceeded = plan.reservations.exceeded();
    let [(name, one)] = &exceeded[..] else {
        panic!("{plan}");
    };
    assert_eq!(
        (&**name, one.after, one.limit),
        ("bytes on disk of the tier R1", 1_001, Some(1_000))
    );
    assert!(!plan.is_possible());
}

#[tokio::test]
async fn the_limits_of_tiers_are_compared_current() {
    tiers(Server::options()).await;
}

#[tokio::test]
async fn the_limits_of_tiers_are_compared_oldest() {
    tiers(Server::options().program(programs::nats::oldest().unwrap())).await;
}

#[tokio::test]
async fn a_transport_that_changes_no_retention_is_asked_for_none() {
    const INTEREST: Topology = Topology::new(
        const { &[StreamSpec::constant("A", &["a.>"]).retention(Retention::Interest)] },
    );
    let memory = Place::memory();
    by_hand(&memory.bus, StreamSpec::new("A").subject("a.>")).await;
    let plan = INTEREST.plan(&memory.bus).await.unwrap();
    let refusals: Vec<_> = plan.refusals().collect();
    let [(_, refusal)] = refusals[..] else {
        panic!("{plan}");
    };
    assert!(
        refusal.reason.contains("this transport does not change"),
        "{plan}"
    );
    let server = Place::current().await;
    by_hand(&server.bus, StreamSpec::new("A").subject("a.>")).await;
    INTEREST.apply(&server.bus).await.unwrap();
}

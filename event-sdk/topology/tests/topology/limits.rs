//! What a topology reserves, beside the limits of an account.

use event_sdk::stream::{Storage, StreamSpec};
use event_sdk::transport::ErrorKind;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::{Options, Server, programs};
use event_sdk_topology::{ApplyError, Topology};

use crate::support::{Place, bus, by_hand, everywhere};

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
    let exceeded: Vec<_> = plan
        .reservations
        .exceeded()
        .iter()
        .map(|(name, _)| *name)
        .collect();
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

//! Mirrors and sources in one account: what is missing, what goes round, files, and transports without.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::{CopyFrom, Placement, StreamSpec, Upstream};
use event_sdk::transport::nats::{Nats, config_file};
use event_sdk::transport::{Capability, ErrorKind, StreamChange};
use event_sdk_test_servers::{Server, programs};
use event_sdk_topology::permissions::{Consumes, Service};
use event_sdk_topology::{Action, ApplyError, DurableSpec, Topology, covers};

use crate::support::{OrderPlaced, Place, bus, by_hand};

#[tokio::test]
async fn an_original_that_is_missing_is_named() {
    const COPY: Topology = Topology::new(
        const { &[StreamSpec::constant("COPY", &[]).mirror(Upstream::of("ORDRES"))] },
    );
    let place = Place::current().await;
    let plan = COPY.plan(&place.bus).await.unwrap();
    assert!(plan.is_possible(), "{plan}");
    let [warning] = &plan.warnings[..] else {
        panic!("{plan}");
    };
    assert!(
        warning.starts_with("stream COPY copies ORDRES, which does not exist"),
        "{warning}"
    );
    // A server waits for it.
    COPY.apply(&place.bus).await.unwrap();
    by_hand(&place.bus, StreamSpec::new("ORDRES").subject("orders.>")).await;
    let plan = COPY.plan(&place.bus).await.unwrap();
    assert!(plan.warnings.is_empty() && plan.is_empty(), "{plan}");
}

/// `A` is to copy from `B`, which somebody has made a copy of `A`.
async fn round(a: Topology, b: StreamSpec) -> (Place, Option<String>) {
    let place = Place::current().await;
    by_hand(&place.bus, b).await;
    let plan = a.plan(&place.bus).await.unwrap();
    let mut refusals = plan.refusals();
    let reason = refusals.next().map(|(_, refusal)| refusal.reason.clone());
    drop(refusals);
    (place, reason)
}

/// Each has the own events of the other.
const EXCHANGE: Topology =
    Topology::new(
        const {
            &[StreamSpec::constant("A", &["a.>"])
                .sources(const { &[Upstream::of("B").filter("b.>")] })]
        },
    );

/// What comes back under another prefix goes no further.
const MOVED: Topology = Topology::new(
    const {
        &[StreamSpec::constant("A", &["a.>"])
            .sources(const { &[Upstream::of("B").moved_to("copied")] })]
    },
);

#[tokio::test]
async fn messages_that_would_come_back_are_refused() {
    const A: Topology = Topology::new(
        const { &[StreamSpec::constant("A", &["a.>"]).sources(const { &[Upstream::of("B")] })] },
    );
    let b = StreamSpec::new("B").subject("b.>");
    let (_, reason) = round(A, b.sources(const { &[Upstream::of("A")] })).await;
    let reason = reason.unwrap();
    assert!(reason.ends_with("an end: A → B → A"), "{reason}");
    let b = StreamSpec::new("B").subject("b.>");
    let b = b.sources(const { &[Upstream::of("A").filter("a.>")] });
    let (place, reason) = round(EXCHANGE, b).await;
    assert_eq!(reason, None);
    EXCHANGE.apply(&place.bus).await.unwrap();
    assert!(EXCHANGE.plan(&place.bus).await.unwrap().is_empty());
    let b = StreamSpec::new("B").subject("b.>");
    let b = b.sources(const { &[Upstream::of("A").filter("a.>")] });
    let (_, reason) = round(MOVED, b).await;
    assert_eq!(reason, None);
}

#[tokio::test]
async fn memory_has_neither_copies_nor_placement() {
    const COPY: Topology = Topology::new(
        const { &[StreamSpec::constant("COPY", &[]).mirror(Upstream::of("ORDERS").domain("eu"))] },
    );
    const PLACED: Topology = Topology::new(
        const { &[StreamSpec::constant("A", &["a.>"]).placement(Placement::tagged(&["ssd"]))] },
    );
    for (topology, capability) in [(COPY, Capability::Copies), (PLACED, Capability::Placement)] {
        let error = topology.declare(EventBus::builder()).memory().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Unsupported(capability), "{error}");
        let shown = error.to_string();
        assert!(shown.contains("a topology of its own"), "{shown}");
        let place = Place::memory();
        let error = topology.apply(&place.bus).await.unwrap_err();
        let ApplyError::Refused(plan) = &error else {
            panic!("{error}");
        };
        let Action::Refuse(refusal) = &plan.parts[0].action else {
            panic!("{plan}");
        };
        assert!(refusal.reason.contains(&capability.to_string()), "{plan}");
    }
}

const FILES: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("MIRROR", &[]).mirror(
                Upstream::of("ORDERS")
                    .start(CopyFrom::Sequence(7))
                    .filter("orders.>"),
            ),
            StreamSpec::constant("SOURCES", &["own.>"]).sources(
                const {
                    &[
                        Upstream::of("ORDERS").domain("eu").moved_to("eu.events"),
                        Upstream::of("CARTS")
                            .api_prefix("js.carts")
                            .deliver_prefix("sync.carts"),
                    ]
                },
            ),
            StreamSpec::constant("ORDERS", &["orders.>"]),
        ]
    },
)
.consumers(const { &[DurableSpec::of::<OrderPlaced>("billing").stream("MIRROR")] });
covers!(FILES, OrderPlaced);

/// What the files of the command line make is what is declared, and comes back.
async fn files(server: Server) {
    let client = async_nats::connect(server.url()).await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let bus = bus(nats);
    let applied = FILES.apply(&bus).await.unwrap();
    for (name, _) in &applied.streams {
        let state = bus.stream_state(name).await.unwrap();
        assert_eq!(state.foreign, [], "{name}");
        let file = config_file::export_stream(&state.config);
        let imported = config_file::import_stream(&file.json).unwrap();
        assert_eq!(imported.left_out, []);
        // A server bounds the window by time alone.
        let bounded = usize::from(!state.config.subjects.is_empty());
        let differences = state.config.differences(&imported.config);
        assert_eq!(differences.len(), bounded, "{differences:?}");
        let delete = format!("$JS.API.STREAM.DELETE.{name}");
        client.request(delete, "".into()).await.unwrap();
        let create = format!("$JS.API.STREAM.CREATE.{name}");
        let answer = client.request(create, file.json.into()).await.unwrap();
        let answer = String::from_utf8_lossy(&answer.payload).into_owned();
        assert!(!answer.contains(r#""error""#), "{name}: {answer}");
    }
    FILES.apply(&bus).await.unwrap();
    let found = FILES.verify(&bus).await.unwrap();
    assert!(found.is_clean(), "{found}");
}

#[tokio::test]
async fn copies_come_out_of_files_and_in() {
    files(Server::start().await.unwrap()).await;
    let oldest = Server::options().program(programs::nats::oldest().unwrap());
    files(oldest.start().await.unwrap()).await;
}

#[test]
fn a_deployment_may_look_at_originals_and_a_service_reads_its_copy() {
    const COPIES: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("MIRROR", &[]).mirror(Upstream::of("ORDERS")),
                StreamSpec::constant("MIRROR_EU", &[])
                    .mirror(Upstream::of("ORDERS_EU").domain("eu")),
            ]
        },
    )
    .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing").stream("MIRROR")] });
    let billing = Service::new("billing").consumes(Consumes::durable("billing").by_subscription());
    let permissions = COPIES.permissions("events").service(billing);
    let permissions = permissions.deployment("deploy").build().unwrap();
    let published = |user| {
        let user = permissions.of(user).unwrap().users.remove(0);
        user.publish.iter().map(|one| one.subject.clone()).collect()
    };
    let deploy: Vec<String> = published("deploy");
    assert!(
        deploy.iter().any(|it| it == "$JS.API.STREAM.INFO.ORDERS"),
        "{deploy:?}"
    );
    assert!(
        !deploy
            .iter()
            .any(|it| it == "$JS.API.STREAM.INFO.ORDERS_EU"),
        "{deploy:?}"
    );
    let billing: Vec<String> = published("billing");
    assert!(
        billing
            .iter()
            .any(|it| it == "$JS.API.CONSUMER.MSG.NEXT.MIRROR.billing"),
        "{billing:?}"
    );
}

/// Copies that somebody has made are compared as a server understands them.
async fn by_hand_on(place: Place) {
    const COPIES: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("MIRROR", &[]).mirror(Upstream::of("bestellungen@eu")),
                StreamSpec::constant("ALL", &[]).sources(
                    const {
                        &[Upstream::of("ORDERS")
                            .filter("orders.*.placed")
                            .moved_to("eu.events")]
                    },
                ),
            ]
        },
    );
    let original = r#"{"name":"bestellungen@eu","subjects":["foreign"]}"#;
    let all = r#"{"name":"ALL","duplicate_window":3600000000000,"sources":[{"name":"ORDERS",
        "subject_transforms":[{"src":"events.orders.*.placed","dest":"eu.events.orders.{{Wildcard(1)}}.placed"}]}]}"#;
    place.create(original).await;
    by_hand(&place.bus, StreamSpec::new("ORDERS").subject("orders.>")).await;
    let mirror = StreamSpec::new("MIRROR").mirror(Upstream::of("bestellungen@eu"));
    by_hand(&place.bus, mirror.duplicate_window(Duration::from_secs(9))).await;
    place.create(all).await;
    let plan = COPIES.plan(&place.bus).await.unwrap();
    assert_eq!(
        (&plan.warnings[..], &plan.unchecked[..]),
        (&[][..], &[][..])
    );
    let found = COPIES.verify(&place.bus).await.unwrap();
    assert_eq!(
        found.to_string(),
        "stream MIRROR differs: duplicate window is 9s, wanted 100ms\n\
         stream ALL differs: duplicate window is 3600s, wanted 100ms"
    );
    COPIES.apply(&place.bus).await.unwrap();
    let found = COPIES.verify(&place.bus).await.unwrap();
    assert!(found.is_clean(), "{found}");
    assert!(COPIES.plan(&place.bus).await.unwrap().is_empty());
    // Sources that stay are not written anew: the server would copy them again.
    let state = place.json("ALL").await;
    assert!(state.contains("{{Wildcard(1)}}"), "{state}");
}

#[tokio::test]
async fn copies_made_by_hand_are_compared_as_a_server_understands_them() {
    by_hand_on(Place::current().await).await;
    by_hand_on(Place::oldest().await).await;
}

/// A transform without a destination selects subjects, and leaves them as they are.
async fn without_destination(place: Place) {
    let json = r#"{"name":"COPY","duplicate_window":100000000,"sources":[{"name":"ORDERS","subject_transforms":[
        {"src":"events.orders.*","dest":""},{"src":"events.carts.>","dest":"carts.>"}]}]}"#;
    by_hand(&place.bus, StreamSpec::new("ORDERS").subject(">")).await;
    let imported = config_file::import_stream(json).unwrap().config;
    assert_eq!(
        imported.sources[0].to_string(),
        "ORDERS events.carts.> as carts.> events.orders.* as events.orders.{{wildcard(1)}}"
    );
    place.create(json).await;
    let streams = place.bus.transport().stream_admin().unwrap();
    let change = streams.apply(&imported).await.unwrap();
    assert_eq!(change, StreamChange::Unchanged);
    let events = ["orders.placed", "orders.a.b", "carts.filled"];
    assert_eq!(
        place.copied("COPY", &events, "carts.filled").await,
        ["events.orders.placed", "carts.filled"]
    );
    // What is written for it does the same.
    place.delete(&["COPY"]).await;
    streams.apply(&imported).await.unwrap();
    assert_eq!(
        place.copied("COPY", &[], "carts.filled").await,
        ["events.orders.placed", "carts.filled"]
    );
}

#[tokio::test]
async fn a_transform_without_a_destination_keeps_subjects() {
    without_destination(Place::current().await).await;
    without_destination(Place::oldest().await).await;
}

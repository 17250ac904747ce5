//! Streams of another region: mirrors and sources over JetStream domains that a leaf node connects.

use std::time::Duration;

use event_sdk::stream::{StreamSpec, Upstream};
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::nats::Nats;
use event_sdk::{ErrorKind, EventBus};
use event_sdk_test_servers::{Options, Server, programs};
use event_sdk_topology::{Action, ApplyError, DurableSpec, Finding, Topology, covers};

use crate::support::OrderPlaced;

/// The region `eu` has the orders.
const EU: Topology = Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"])] });
covers!(EU, OrderPlaced);

const MIRROR: Upstream = Upstream::of("ORDERS").domain("eu");

/// The region `us` reads them.
const US: Topology =
    Topology::new(const { &[StreamSpec::constant("ORDERS_EU", &[]).mirror(MIRROR)] })
        .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing").stream("ORDERS_EU")] });
covers!(US);

/// The same after the region `eu` was lost.
const PROMOTED: Topology =
    Topology::new(const { &[StreamSpec::constant("ORDERS_EU", &["orders.>"])] })
        .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing").stream("ORDERS_EU")] });
covers!(PROMOTED, OrderPlaced);

/// A mirror that becomes a stream with its original as a source would have each event twice.
const SOURCED: Topology =
    Topology::new(const { &[StreamSpec::constant("ORDERS_EU", &[]).sources(const { &[MIRROR] })] });

/// Two regions. The subjects of events stay in each.
struct Regions {
    eu: Server,
    us: Server,
}

async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), found).await;
    found.unwrap_or_else(|_| panic!("{what} was not there in time"))
}

impl Regions {
    async fn start(options: impl Fn() -> Options) -> Self {
        let eu = options()
            .domain("eu")
            .config("leafnodes { listen: \"127.0.0.1:-1\" }")
            .start();
        let eu = eu.await.unwrap();
        let listening = "Listening for leafnode connections on ";
        let address = eventually("the port of leaf nodes", async || {
            let log = eu.log();
            let address = log.split(listening).nth(1)?.split_once('\n')?.0;
            Some(address.to_owned())
        });
        let address = address.await;
        let us = options().domain("us").config(&format!(
            r#"leafnodes {{ remotes: [ {{
                url: "nats-leaf://{address}"
                deny_imports: "events.>"
                deny_exports: "events.>"
            }} ] }}"#
        ));
        let us = us.start().await.unwrap();
        eventually("the leaf node", async || {
            let leafs = eu.monitor("/leafz").await.unwrap();
            (leafs["leafnodes"] == 1).then_some(())
        })
        .await;
        Self { eu, us }
    }

    async fn eu(&self, topology: &Topology) -> EventBus {
        bus(&self.eu, topology, "events").await
    }

    async fn us(&self, topology: &Topology) -> EventBus {
        bus(&self.us, topology, "events").await
    }
}

async fn bus(server: &Server, topology: &Topology, prefix: &'static str) -> EventBus {
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let builder = EventBus::builder().prefix(prefix);
    topology.declare(builder).transport(nats).unwrap()
}

fn oldest() -> Options {
    Server::options().program(programs::nats::oldest().unwrap())
}

async fn holds(bus: &EventBus, stream: &str, messages: u64) {
    eventually("the messages of the other region", async || {
        let state = bus.stream_state(stream).await.unwrap();
        (state.messages == messages).then_some(())
    })
    .await;
}

async fn publish(bus: &EventBus, id: u64) {
    let publisher = bus.publisher();
    publisher.publish(OrderPlaced { id }).await.unwrap();
}

const FILTERED: Topology = Topology::new(
    const { &[StreamSpec::constant("ORDERS_EU", &[]).mirror(MIRROR.filter("orders.>"))] },
);

/// A mirror is planned, applied, read with the lag of its consumers, and cannot be changed.
async fn a_mirror_of_another_region(regions: &Regions) -> EventBus {
    let (eu, us) = (regions.eu(&EU).await, regions.us(&US).await);
    EU.apply(&eu).await.unwrap();
    let plan = US.plan(&us).await.unwrap();
    assert!(
        plan.is_possible() && plan.warnings.is_empty() && plan.parts.len() == 2,
        "{plan}"
    );
    assert_eq!(
        plan.unchecked,
        [
            "whether ORDERS exists, and whether messages of ORDERS_EU come back through it: a plan asks the account and the domain of its bus alone, and not $JS.eu.API"
        ]
    );
    assert!(
        plan.to_string()
            .ends_with(&format!("\nunchecked {}", plan.unchecked[0])),
        "{plan}"
    );
    US.apply(&us).await.unwrap();
    assert!(US.plan(&us).await.unwrap().is_empty());
    let found = US.verify(&us).await.unwrap();
    assert!(found.is_clean(), "{found}");
    let state = us.stream_state("ORDERS_EU").await.unwrap();
    assert_eq!(state.foreign, []);

    publish(&eu, 1).await;
    publish(&eu, 2).await;
    holds(&us, "ORDERS_EU", 2).await;
    eventually("both events", async || {
        let info = us.transport().consumer_info("ORDERS_EU", "billing");
        (info.await.unwrap().pending == 2).then_some(())
    })
    .await;
    let orders = us.subscribe::<OrderPlaced>().durable("billing");
    let mut orders = orders.stream("ORDERS_EU").must_exist().await.unwrap();
    let first = orders.next().await.unwrap().unwrap();
    assert_eq!(first.decode().unwrap().id, 1);
    assert_eq!(first.sequence(), Some(1));
    first.ack_confirmed().await.unwrap();
    drop(orders);

    let plan = FILTERED.plan(&us).await.unwrap();
    let Action::Refuse(refusal) = &plan.parts[0].action else {
        panic!("{plan}");
    };
    assert!(refusal.reason.contains("no server changes"), "{plan}");
    assert!(
        refusal.steps[2].contains("nats stream rm ORDERS_EU"),
        "{plan}"
    );
    let found = FILTERED.verify(&us).await.unwrap();
    let [Finding::Drift { differences, .. }] = &found.findings[..] else {
        panic!("{found}");
    };
    let [difference] = &differences[..] else {
        panic!("{found}");
    };
    assert_eq!(
        difference.to_string(),
        "mirror filter is all messages, wanted events.orders.>"
    );
    // The transport refuses it too, whoever asks.
    let filtered = FILTERED.declare(EventBus::builder());
    let nats = Nats::connect(Nats::options(regions.us.url()))
        .await
        .unwrap();
    let filtered = filtered.transport(nats).unwrap();
    let error = filtered.apply_planned().await.unwrap_err();
    assert!(error.to_string().contains("no server changes"), "{error}");
    let error = filtered.apply().await.unwrap_err();
    assert!(error.to_string().contains("copies ORDERS"), "{error}");
    us
}

#[tokio::test]
async fn a_mirror_is_read_in_another_region_and_takes_over() {
    let mut regions = Regions::start(Server::options).await;
    let us = a_mirror_of_another_region(&regions).await;
    regions.eu.kill().await.unwrap();
    let plan = SOURCED.plan(&us).await.unwrap();
    assert!(
        !plan.is_possible() && plan.to_string().contains("would be stored twice"),
        "{plan}"
    );
    let plan = PROMOTED.plan(&us).await.unwrap();
    assert!(plan.is_possible(), "{plan}");
    let [warning] = &plan.warnings[..] else {
        panic!("{plan}");
    };
    assert!(
        warning.contains("stops copying ORDERS at $JS.eu.API"),
        "{plan}"
    );
    assert!(
        plan.to_string()
            .ends_with(&format!("\nwarning   {warning}")),
        "{plan}"
    );
    // A service that knows nothing of the mirror does not end it.
    let service = EventBus::builder().stream(StreamSpec::new("ORDERS_EU").subject("orders.>"));
    let service = service.transport(us.transport().clone()).unwrap();
    for error in [
        service.apply().await.unwrap_err(),
        service.apply_streams().await.unwrap_err(),
    ] {
        assert_eq!(*error.kind(), ErrorKind::InvalidOption);
        let text = error.to_string();
        assert!(text.contains("copies ORDERS at $JS.eu.API"), "{text}");
    }
    PROMOTED.apply(&us).await.unwrap();
    let found = PROMOTED.verify(&us).await.unwrap();
    assert!(found.is_clean(), "{found}");
    publish(&us, 3).await;
    let orders = us.subscribe::<OrderPlaced>().durable("billing");
    let mut orders = orders.stream("ORDERS_EU").must_exist().await.unwrap();
    for id in [2, 3] {
        let order = orders.next().await.unwrap().unwrap();
        assert_eq!(order.decode().unwrap().id, id);
        assert_eq!(order.sequence(), Some(id));
        order.ack().await.unwrap();
    }
}

#[tokio::test]
async fn a_mirror_is_read_in_another_region_on_the_oldest_server() {
    let regions = Regions::start(oldest).await;
    let us = a_mirror_of_another_region(&regions).await;
    let error = PROMOTED.apply(&us).await.unwrap_err();
    let ApplyError::Refused(plan) = &error else {
        panic!("{error}");
    };
    let shown = plan.to_string();
    assert!(
        shown.contains("before 2.12") && shown.contains("upgrade the servers"),
        "{shown}"
    );
    assert!(plan.warnings.is_empty(), "{shown}");
}

/// The events of both regions in one stream, those of the other under its own prefix.
const ALL: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("ORDERS", &["orders.>"]),
            StreamSpec::constant("ALL", &[]).sources(
                const {
                    &[
                        Upstream::of("ORDERS"),
                        MIRROR.filter("orders.>").moved_to("eu.events"),
                    ]
                },
            ),
        ]
    },
)
.consumers(const { &[DurableSpec::of::<OrderPlaced>("report").stream("ALL")] });
covers!(ALL, OrderPlaced);

const NOTHING: Topology = Topology::new(&[]);

/// Another source is an ordinary change.
const MORE: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("ORDERS", &["orders.>"]),
            StreamSpec::constant("ALL", &[])
                .sources(const { &[MIRROR.filter("orders.>").moved_to("eu.events")] }),
        ]
    },
);

const FILTERED_ALL: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("ORDERS", &["orders.>"]),
            StreamSpec::constant("ALL", &[]).sources(
                const {
                    &[
                        Upstream::of("ORDERS").filter("orders.order.>"),
                        MIRROR.filter("orders.>").moved_to("eu.events"),
                    ]
                },
            ),
        ]
    },
);

async fn both_regions_in_one_stream(options: fn() -> Options) {
    let regions = Regions::start(options).await;
    let (eu, us) = (regions.eu(&EU).await, regions.us(&ALL).await);
    EU.apply(&eu).await.unwrap();
    ALL.apply(&us).await.unwrap();
    assert!(ALL.plan(&us).await.unwrap().is_empty());
    publish(&eu, 1).await;
    publish(&us, 2).await;
    holds(&us, "ALL", 2).await;
    for (bus, id) in [
        (&us, 2),
        (&bus(&regions.us, &NOTHING, "eu.events").await, 1),
    ] {
        let all = bus.history::<OrderPlaced>().stream("ALL");
        let mut all = all.await.unwrap();
        let event = all.next().await.unwrap().unwrap();
        assert_eq!(event.decode().unwrap().id, id);
        assert!(all.next().await.is_none());
    }
    eventually("the event", async || {
        let report = us.transport().consumer_info("ALL", "report").await.unwrap();
        (report.pending == 1).then_some(())
    })
    .await;
    // A source with another filter would be copied from its start.
    let plan = FILTERED_ALL.plan(&us).await.unwrap();
    assert!(
        !plan.is_possible() && plan.to_string().contains("would be stored twice"),
        "{plan}"
    );
    let plan = MORE.plan(&us).await.unwrap();
    let Action::Change(differences) = &plan.parts[1].action else {
        panic!("{plan}");
    };
    assert_eq!(
        differences[0].to_string(),
        "sources is ORDERS; ORDERS at $JS.eu.API events.orders.> as eu.events.orders.>, \
         wanted ORDERS at $JS.eu.API events.orders.> as eu.events.orders.>"
    );
    let [warning] = &plan.warnings[..] else {
        panic!("{plan}");
    };
    assert!(
        warning.starts_with("stream ALL stops copying ORDERS:"),
        "{warning}"
    );
    MORE.apply(&us).await.unwrap();
    assert!(MORE.verify(&us).await.unwrap().is_clean());
}

#[tokio::test]
async fn two_regions_are_in_one_stream_current() {
    both_regions_in_one_stream(Server::options).await;
}

#[tokio::test]
async fn two_regions_are_in_one_stream_oldest() {
    both_regions_in_one_stream(oldest).await;
}

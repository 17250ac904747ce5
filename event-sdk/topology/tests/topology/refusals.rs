//! Changes that would lose or double events are refused, and those that delete them are marked.

use std::time::Duration;

use event_sdk::stream::{Retention, StreamSpec};
use event_sdk::transport::{BucketConfig, Capability, ErrorKind, TransportExt as _};
use event_sdk::{EventBus, RawEvent};
use event_sdk_topology::{ApplyError, DeadLetterSpec, DurableSpec, Topology};

use crate::support::{HOUR, OrderPlaced, OrderShipped, Place, by_hand, everywhere};

everywhere! {
    a_consumer_keeps_its_partitions
    a_filter_is_kept_until_its_events_are_handled
    a_subject_is_kept_until_its_events_are_handled
    what_deletes_events_is_marked
    what_is_denied_goes_on_to_be_denied
    a_roll_up_that_is_left_open_is_in_the_way_of_denying_purges
    a_backoff_is_no_difference_for_ever
    a_consumer_of_several_new_streams_is_planned
}

const ORDERS_STREAM: StreamSpec = StreamSpec::constant("ORDERS", &["orders.>"]);
const ORDERS: &[StreamSpec] = &[ORDERS_STREAM];

const fn with(consumers: &'static [DurableSpec]) -> Topology {
    Topology::new(ORDERS).consumers(consumers)
}

/// The only reason why it is refused, after which nothing has changed.
async fn refused(topology: Topology, bus: &EventBus) -> String {
    let plan = topology.plan(bus).await.unwrap();
    let refusals: Vec<_> = plan.refusals().collect();
    let [(item, refusal)] = refusals[..] else {
        panic!("{plan}");
    };
    assert!(!refusal.steps.is_empty(), "{plan}");
    let error = topology.apply(bus).await.unwrap_err();
    assert!(matches!(error, ApplyError::Refused(_)), "{error}");
    assert_eq!(topology.plan(bus).await.unwrap(), plan);
    format!("{item}: {}", refusal.reason)
}

const fn orders(stream: &'static [StreamSpec]) -> Topology {
    Topology::new(stream)
}

async fn what_is_denied_goes_on_to_be_denied(place: &Place) {
    const DENYING: StreamSpec = ORDERS_STREAM.deny_delete(true).deny_purge(true);
    const OPEN: StreamSpec = ORDERS_STREAM.deny_delete(false).deny_purge(false);
    let bus = &place.bus;
    orders(ORDERS).apply(bus).await.unwrap();
    let denying = orders(const { &[DENYING] });
    let drift = denying.verify(bus).await.unwrap().to_string();
    assert!(
        drift.contains("deny delete is false, wanted true")
            && drift.contains("deny purge is false, wanted true"),
        "{drift}"
    );
    denying.apply(bus).await.unwrap();
    assert!(denying.verify(bus).await.unwrap().is_clean());
    // What is not declared stays, and is no drift.
    assert!(orders(ORDERS).plan(bus).await.unwrap().is_empty());
    let reason = refused(orders(const { &[OPEN] }), bus).await;
    assert!(reason.contains("no server takes back"), "{reason}");
    let reason = refused(orders(const { &[ORDERS_STREAM.allow_rollup(true)] }), bus).await;
    assert!(reason.contains("roll-ups"), "{reason}");
    assert!(denying.verify(bus).await.unwrap().is_clean());
}

async fn a_roll_up_that_is_left_open_is_in_the_way_of_denying_purges(place: &Place) {
    const ROLLING: StreamSpec = ORDERS_STREAM.allow_rollup(true);
    const DENYING: StreamSpec = ORDERS_STREAM.deny_purge(true);
    let bus = &place.bus;
    let rolling = orders(const { &[ROLLING] });
    rolling.apply(bus).await.unwrap();
    assert!(orders(ORDERS).plan(bus).await.unwrap().is_empty());
    let reason = refused(orders(const { &[DENYING] }), bus).await;
    assert!(reason.contains("allow_rollup(false)"), "{reason}");
    let none = orders(const { &[DENYING.allow_rollup(false)] });
    none.apply(bus).await.unwrap();
    assert!(none.verify(bus).await.unwrap().is_clean());
}

async fn a_consumer_keeps_its_partitions(place: &Place) {
    const WHOLE: Topology = with(const { &[DurableSpec::of::<OrderShipped>("s")] });
    const ONE: Topology = with(const { &[DurableSpec::of::<OrderShipped>("s").partitions(1)] });
    const TWO: Topology = with(const { &[DurableSpec::of::<OrderShipped>("s").partitions(2)] });
    const THREE: Topology = with(const { &[DurableSpec::of::<OrderShipped>("s").partitions(3)] });
    let bus = &place.bus;
    TWO.apply(bus).await.unwrap();
    for (other, why) in [
        (
            WHOLE,
            "consumer s of ORDERS: partitions is with s-p0, wanted none",
        ),
        (
            ONE,
            "consumer s-p0 of ORDERS: partitions is with s-p1, wanted 1",
        ),
        (
            THREE,
            "consumer s-p0 of ORDERS: partitions is without s-p2, wanted 3",
        ),
    ] {
        let reason = refused(other, bus).await;
        assert!(reason.starts_with(why), "{reason}");
        let found = other.verify(bus).await.unwrap();
        assert!(!found.is_clean(), "{found}");
    }
    assert!(TWO.plan(bus).await.unwrap().is_empty());
    let consumers = bus.transport().consumer_admin().unwrap();
    for durable in ["s-p0", "s-p1"] {
        consumers.delete("ORDERS", durable).await.unwrap();
    }
    WHOLE.apply(bus).await.unwrap();
    let reason = refused(TWO, bus).await;
    let why = "consumer s-p0 of ORDERS: partitions is none, wanted 2";
    assert!(reason.starts_with(why), "{reason}");
}

/// Handles the next event of a durable.
async fn handle_one(bus: &EventBus, durable: &'static str) {
    let orders = bus.subscribe::<OrderPlaced>().durable(durable).must_exist();
    let mut orders = orders.await.unwrap();
    orders.next().await.unwrap().unwrap().ack().await.unwrap();
}

/// Applies as soon as the acknowledgement has arrived.
async fn is_possible_soon(topology: Topology, bus: &EventBus) {
    let possible = async {
        while !topology.plan(bus).await.unwrap().is_possible() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, possible).await.unwrap();
    topology.apply(bus).await.unwrap();
    assert!(topology.plan(bus).await.unwrap().is_empty());
}

async fn a_filter_is_kept_until_its_events_are_handled(place: &Place) {
    const WIDE: Topology = with(const { &[DurableSpec::matching("reader", "ORDERS", "orders.>")] });
    const NARROW: Topology = with(
        const {
            &[DurableSpec::matching(
                "reader",
                "ORDERS",
                "orders.order.shipped.>",
            )]
        },
    );
    let bus = &place.bus;
    WIDE.apply(bus).await.unwrap();
    bus.publisher()
        .publish(OrderPlaced { id: 1 })
        .await
        .unwrap();
    let reason = refused(NARROW, bus).await;
    let why = "consumer reader of ORDERS: the consumer reader of ORDERS has 1 events to handle, and those of events.orders.>";
    assert!(reason.starts_with(why), "{reason}");
    handle_one(bus, "reader").await;
    is_possible_soon(NARROW, bus).await;
    bus.publisher()
        .publish(OrderShipped { id: 1 })
        .await
        .unwrap();
    // More filters lose nothing.
    WIDE.apply(bus).await.unwrap();
}

async fn a_subject_is_kept_until_its_events_are_handled(place: &Place) {
    const BILLING: &[DurableSpec] = &[DurableSpec::of::<OrderPlaced>("billing")];
    const MOVED: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("ORDERS", &["orders.order.shipped.>"]),
                StreamSpec::constant("PLACED", &["orders.order.placed"]),
            ]
        },
    )
    .consumers(BILLING);
    let bus = &place.bus;
    with(BILLING).apply(bus).await.unwrap();
    bus.publisher()
        .publish(OrderPlaced { id: 1 })
        .await
        .unwrap();
    let reason = refused(MOVED, bus).await;
    let why = "stream ORDERS: the consumer billing of ORDERS has 1 events to handle";
    assert!(reason.starts_with(why), "{reason}");
    handle_one(bus, "billing").await;
    is_possible_soon(MOVED, bus).await;
}

async fn what_deletes_events_is_marked(place: &Place) {
    const LESS: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("A", &["a.>"])
                    .max_messages(5)
                    .max_age(HOUR),
                StreamSpec::constant("B", &["b.>"])
                    .max_messages_per_subject(1)
                    .max_bytes(5_000),
                StreamSpec::constant("C", &["c.>"]).retention(Retention::Interest),
                StreamSpec::constant("D", &["d.>"]).max_messages(5),
            ]
        },
    );
    let bus = &place.bus;
    let a = StreamSpec::new("A").subject("a.>").max_messages(6);
    by_hand(bus, a.max_age(HOUR / 2)).await;
    let b = StreamSpec::new("B").subject("b.>");
    by_hand(bus, b.max_bytes(6_000).duplicate_window(HOUR)).await;
    by_hand(bus, StreamSpec::new("C").subject("c.>")).await;
    by_hand(bus, StreamSpec::new("D").subject("d.>").max_messages(4)).await;
    let plan = LESS.plan(bus).await.unwrap();
    let losses = plan
        .losses()
        .map(|(item, loss)| format!("{item}: {}", loss.field));
    let mut expected = vec![
        "stream A: max messages",
        "stream B: max messages per subject",
        "stream B: max bytes",
    ];
    // A transport that does not change a retention refuses that.
    let changes = bus.transport().supports(Capability::ChangeRetention);
    expected.extend(changes.then_some("stream C: retention"));
    assert_eq!(losses.collect::<Vec<_>>(), expected);
    let shown = plan.to_string();
    let mark = "\n    can delete stored events as soon as it is applied: max messages\n";
    assert!(shown.contains(mark), "{plan}");
    let marked = 2 + usize::from(changes);
    assert_eq!(shown.matches("can delete").count(), marked, "{plan}");
}

async fn a_backoff_is_no_difference_for_ever(place: &Place) {
    const BACKOFF: Topology = with(
        const {
            &[DurableSpec::of::<OrderPlaced>("billing")
                .max_deliver(3)
                .server_backoff(const { &[Duration::from_secs(5), Duration::from_secs(9)] })]
        },
    );
    BACKOFF.apply(&place.bus).await.unwrap();
    let plan = BACKOFF.plan(&place.bus).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
}

async fn a_consumer_of_several_new_streams_is_planned(place: &Place) {
    const ALL: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("A", &["a.>"]),
                StreamSpec::constant("B", &["b.>", "c.>"]),
            ]
        },
    )
    .consumers(const { &[DurableSpec::of::<RawEvent>("all")] });
    let bus = &place.bus;
    by_hand(bus, StreamSpec::new("OTHER").subject("other.>")).await;
    let plan = ALL.plan(bus).await.unwrap();
    let shown = plan.to_string();
    let creates = "create    stream A\ncreate    stream B\ncreate    consumer all of A\n\
                   create    consumer all of B\ncreate    consumer all of OTHER\n";
    assert!(shown.starts_with(creates), "{plan}");
    ALL.apply(bus).await.unwrap();
    let plan = ALL.plan(bus).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
}

#[tokio::test]
async fn declared_streams_are_compared_with_each_other() {
    const NAMES: Topology = Topology::new(const { &[StreamSpec::constant("DLQ", &["d.>"])] })
        .dead_letters(const { &[DeadLetterSpec::new("DLQ", "RETRY")] });
    const SUBJECTS: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("CRM", &["crm.*.*"]),
                StreamSpec::constant("ALL", &["crm.a.>"]),
            ]
        },
    );
    const LETTERS: Topology = Topology::new(&[]).dead_letters(
        const {
            &[
                DeadLetterSpec::new("D", "R"),
                DeadLetterSpec::new("DLQ", "RETRY"),
            ]
        },
    );
    let place = Place::memory();
    for (topology, names) in [
        (NAMES, ["DLQ", "twice"]),
        (SUBJECTS, ["stream CRM overlaps", "stream ALL"]),
        (LETTERS, ["stream D overlaps", "stream DLQ"]),
    ] {
        let error = topology.plan(&place.bus).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        let shown = error.to_string();
        assert!(names.iter().all(|name| shown.contains(name)), "{shown}");
    }
}

#[tokio::test]
async fn a_duplicate_window_beyond_the_age_is_refused() {
    const LONGER: Topology = Topology::new(
        const {
            &[StreamSpec::constant("A", &["a.>"])
                .max_age(Duration::from_secs(60))
                .duplicate_window(Duration::from_secs(90))]
        },
    );
    let error = LONGER.plan(&Place::memory().bus).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
    assert!(error.to_string().contains("90s is longer than"), "{error}");
}

#[tokio::test]
async fn replicas_of_existing_streams_count_before() {
    const REPLICATED: Topology = Topology::new(
        const {
            &[StreamSpec::constant("DISK", &["disk.>"])
                .max_bytes(600)
                .replicas(3)]
        },
    );
    let place = Place::memory();
    let disk = StreamSpec::new("DISK").subject("disk.>").max_bytes(500);
    by_hand(&place.bus, disk.replicas(3)).await;
    let file = REPLICATED.plan(&place.bus).await.unwrap().reservations.file;
    assert_eq!((file.before, file.after), (1_500, 1_800));
}

#[tokio::test]
async fn a_stream_of_others_with_the_name_of_the_bucket_is_kept() {
    const BUCKET: Topology = Topology::new(&[]).bucket(const { &BucketConfig::constant("SHOP") });
    let place = Place::current().await;
    by_hand(&place.other, StreamSpec::new("KV_SHOP").subject("shop.>")).await;
    let reason = refused(BUCKET, &place.bus).await;
    assert!(
        reason.contains("KV_SHOP exists and is no bucket"),
        "{reason}"
    );
}

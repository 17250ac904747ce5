//! A topology is made, drifts, overlaps others, and cannot become what it is to be.

use std::time::Duration;

use event_sdk::stream::{Retention, Storage, StreamSpec};
use event_sdk::transport::{BucketConfig, ErrorKind};
use event_sdk::{ConsumerSpec, EventBus};
use event_sdk_topology::{Action, ApplyError, DurableSpec, Finding, Item, Plan, Topology, deltran};

use crate::support::{HOUR, OrderPlaced, Place, SHOP, by_hand, everywhere};

everywhere! {
    it_is_made_once
    drift_by_hand_is_named
    a_stream_of_others_that_overlaps_is_found
    what_no_server_changes_is_refused_with_steps
    a_bucket_that_cannot_move_is_refused_with_steps
    a_consumer_that_cannot_be_changed_is_refused_with_steps
    subjects_move_to_a_stream_behind
    two_at_once_end_well
    a_stream_of_another_prefix_is_not_taken_over
}

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn is_all_new(plan: &Plan) -> bool {
    let mut parts = plan.parts.iter();
    parts.all(|part| part.action == Action::Create)
}

async fn is_applied(topology: &Topology, bus: &EventBus) {
    let plan = topology.plan(bus).await.unwrap();
    assert!(plan.is_empty() && plan.is_possible(), "{plan}");
    let found = topology.verify(bus).await.unwrap();
    assert!(found.is_clean(), "{found}");
    let again = topology.apply(bus).await.unwrap();
    assert!(again.is_unchanged(), "{again}");
}

async fn it_is_made_once(place: &Place) {
    let bus = &place.bus;
    let found = SHOP.verify(bus).await.unwrap();
    assert_eq!(found.findings.len(), 8, "{found}");
    assert!(
        found
            .to_string()
            .starts_with("stream ORDERS does not exist\n"),
        "{found}"
    );
    let plan = SHOP.plan(bus).await.unwrap();
    assert!(is_all_new(&plan) && plan.is_possible(), "{plan}");
    assert_eq!(plan.reservations.streams.before, 0, "{plan}");
    assert_eq!(plan.reservations.streams.after, 5, "{plan}");
    // Planning changes nothing.
    assert_eq!(SHOP.plan(bus).await.unwrap(), plan);
    let applied = SHOP.apply(bus).await.unwrap();
    assert_eq!(
        applied.to_string(),
        "stream ORDERS created\nstream CRM created\nstream DLQ created\nstream DLQ_RETRY created\n\
         bucket SHOP created\nconsumer billing of ORDERS created\n\
         consumer shipping-p1 of ORDERS created\nconsumer shipping-p0 of ORDERS created"
    );
    is_applied(&SHOP, bus).await;
    // The service declares the same, and finds it.
    let service = SHOP.declare(EventBus::builder());
    let service = service.transport(bus.transport().clone()).unwrap();
    service
        .publisher()
        .publish(OrderPlaced { id: 1 })
        .await
        .unwrap();
    let billing = service.subscribe::<OrderPlaced>();
    let billing = billing.durable("billing").must_exist().await.unwrap();
    assert_eq!(billing.differences().count(), 0);
}

async fn drift_by_hand_is_named(place: &Place) {
    let (bus, person) = (&place.bus, &place.other);
    SHOP.apply(bus).await.unwrap();
    let orders = StreamSpec::new("ORDERS").subject("orders.>");
    by_hand(person, orders.max_messages(7).max_age(DAY)).await;
    let crm = StreamSpec::new("CRM").subject("crm.*.*");
    by_hand(person, crm).await;
    let durable = EventBus::builder()
        .stream(
            StreamSpec::new("ORDERS")
                .subject("orders.>")
                .max_messages(7)
                .max_age(DAY),
        )
        .consumer(ConsumerSpec::durable::<OrderPlaced>("billing").max_ack_pending(5))
        .coordination(BucketConfig::new("SHOP").max_age(DAY))
        .transport(person.transport().clone())
        .unwrap();
    durable.apply().await.unwrap();
    let consumers = person.transport().consumer_admin().unwrap();
    for durable in ["shipping-p1", "shipping-p0"] {
        consumers.delete("ORDERS", durable).await.unwrap();
    }

    let found = SHOP.verify(bus).await.unwrap();
    let fields = found.findings.iter().map(|finding| match finding {
        Finding::Drift { item, differences } => {
            let fields = differences.iter().map(|one| one.field);
            (item.to_string(), fields.collect::<Vec<_>>())
        }
        Finding::Missing(item) => (item.to_string(), vec!["missing"]),
        other => panic!("{other}"),
    });
    let fields: Vec<_> = fields.collect();
    let wanted = [
        ("stream ORDERS", vec!["max messages", "max age"]),
        ("stream CRM", vec!["subjects"]),
        ("bucket SHOP", vec!["max age"]),
        (
            "consumer billing of ORDERS",
            vec!["ack wait", "max ack pending"],
        ),
        ("consumer shipping-p1 of ORDERS", vec!["missing"]),
        ("consumer shipping-p0 of ORDERS", vec!["missing"]),
    ];
    let wanted = wanted.map(|(item, fields)| (item.to_owned(), fields));
    assert_eq!(fields, wanted, "{found}");
    assert!(
        found
            .to_string()
            .contains("max messages is 7, wanted no limit"),
        "{found}"
    );
    // What was changed by hand is put right.
    SHOP.apply(bus).await.unwrap();
    is_applied(&SHOP, bus).await;
}

async fn a_stream_of_others_that_overlaps_is_found(place: &Place) {
    let (bus, others) = (&place.bus, &place.other);
    by_hand(others, StreamSpec::new("EVERYTHING").absolute("events.>")).await;
    let found = deltran::TOPOLOGY.verify(bus).await.unwrap();
    let mut overlaps = found.findings.iter().filter_map(|finding| match finding {
        Finding::Overlap { item, other } => Some((item.to_string(), other.to_string())),
        _ => None,
    });
    assert_eq!(
        overlaps.next(),
        Some((
            "stream TRANSACTIONS".to_owned(),
            "stream EVERYTHING (events.>)".to_owned()
        ))
    );
    assert_eq!(overlaps.count(), 7, "{found}");
    let refused = deltran::TOPOLOGY.apply(bus).await.unwrap_err();
    let shown = refused.to_string();
    assert!(matches!(refused, ApplyError::Refused(_)), "{shown}");
    assert!(
        shown.contains("EVERYTHING (events.>)") && shown.contains("1. find out"),
        "{shown}"
    );
    // Nothing was made, not even what could have been.
    let streams = bus.transport().stream_admin().unwrap();
    let all = streams
        .find(&event_sdk::Pattern::everything())
        .await
        .unwrap();
    assert_eq!(all, ["EVERYTHING"]);
    by_hand(others, StreamSpec::new("EVERYTHING").absolute("other.>")).await;
    deltran::TOPOLOGY.apply(bus).await.unwrap();
    is_applied(&deltran::TOPOLOGY, bus).await;
}

async fn what_no_server_changes_is_refused_with_steps(place: &Place) {
    const QUEUE: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("NEW", &["new.>"]),
                StreamSpec::constant("JOBS", &["jobs.>"]).retention(Retention::WorkQueue),
                StreamSpec::constant("LOGS", &["logs.>"]).max_messages(5),
            ]
        },
    );
    let bus = &place.bus;
    by_hand(bus, StreamSpec::new("JOBS").subject("jobs.>")).await;
    let logs = StreamSpec::new("LOGS").subject("logs.>");
    by_hand(bus, logs.storage(Storage::Memory)).await;
    let plan = QUEUE.plan(bus).await.unwrap();
    assert_eq!(plan.parts[0].action, Action::Create, "{plan}");
    let refusals: Vec<_> = plan.refusals().collect();
    let [(jobs, queue), (logs, storage)] = refusals[..] else {
        panic!("{plan}");
    };
    assert_eq!(
        (jobs.to_string(), logs.to_string()),
        ("stream JOBS".into(), "stream LOGS".into())
    );
    assert!(queue.reason.contains("work queue"), "{plan}");
    assert!(storage.reason.contains("storage is Memory"), "{plan}");
    // All that differs is told, not only what is refused.
    let fields: Vec<_> = storage.differences.iter().map(|one| one.field).collect();
    assert_eq!(fields, ["max messages", "storage"]);
    assert_eq!(queue.steps.len(), 7, "{plan}");
    assert!(
        plan.to_string()
            .contains("4. delete it, with its consumers: `nats stream rm JOBS`")
    );
    let refused = QUEUE.apply(bus).await.unwrap_err();
    assert!(matches!(refused, ApplyError::Refused(_)), "{refused}");
    let state = bus.stream_state("NEW").await.unwrap_err();
    assert_eq!(*state.kind(), ErrorKind::StreamNotFound);
    // It is refused by the transport itself, so the steps are needed.
    let config = StreamSpec::new("JOBS")
        .subject("jobs.>")
        .retention(Retention::WorkQueue);
    let config = config.config("events").unwrap();
    let streams = bus.transport().stream_admin().unwrap();
    let error = streams.apply(&config).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
}

async fn a_bucket_that_cannot_move_is_refused_with_steps(place: &Place) {
    const IN_MEMORY: Topology = Topology::new(&[])
        .bucket(const { &BucketConfig::constant("SHOP").storage(Storage::Memory) });
    let bus = &place.bus;
    SHOP.apply(bus).await.unwrap();
    let plan = IN_MEMORY.plan(bus).await.unwrap();
    let (item, refusal) = plan.refusals().next().expect("a refusal");
    assert_eq!(*item, Item::Bucket("SHOP".into()));
    assert!(
        refusal.reason.contains("storage") && refusal.steps.len() == 3,
        "{plan}"
    );
    assert!(IN_MEMORY.apply(bus).await.is_err());
    is_applied(&SHOP, bus).await;
}

async fn a_consumer_that_cannot_be_changed_is_refused_with_steps(place: &Place) {
    use event_sdk::transport::AckPolicy;
    let bus = &place.bus;
    let other = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>").max_age(HOUR))
        .consumer(ConsumerSpec::durable::<OrderPlaced>("billing").ack_policy(AckPolicy::All))
        .transport(place.other.transport().clone())
        .unwrap();
    other.apply().await.unwrap();
    let plan = SHOP.plan(bus).await.unwrap();
    let (item, refusal) = plan.refusals().next().expect("a refusal");
    assert_eq!(item.to_string(), "consumer billing of ORDERS");
    assert!(refusal.reason.contains("ack policy"), "{plan}");
    assert!(!refusal.reason.contains("ack wait"), "{plan}");
    // All that differs is told, not only what is refused.
    let fields: Vec<_> = refusal.differences.iter().map(|one| one.field).collect();
    assert_eq!(fields, ["ack policy", "ack wait"]);
    assert!(
        refusal
            .steps
            .iter()
            .any(|step| step.contains("ByStartSequence")),
        "{plan}"
    );
    assert!(SHOP.apply(bus).await.is_err());
}

async fn subjects_move_to_a_stream_behind(place: &Place) {
    const ONE: Topology = Topology::new(const { &[StreamSpec::constant("A", &["a.>", "b.>"])] });
    const TWO: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("A", &["a.>"]),
                StreamSpec::constant("B", &["b.>"]),
            ]
        },
    );
    const TURNED: Topology = Topology::new(
        const {
            &[
                StreamSpec::constant("B", &["b.>"]),
                StreamSpec::constant("A", &["a.>"]),
            ]
        },
    );
    let bus = &place.bus;
    ONE.apply(bus).await.unwrap();
    let plan = TURNED.plan(bus).await.unwrap();
    let (_, refusal) = plan.refusals().next().expect("a refusal");
    assert!(refusal.overlaps[0].is_declared, "{plan}");
    assert!(refusal.steps[0].contains("declare B behind A"), "{plan}");
    assert!(TURNED.apply(bus).await.is_err());
    TWO.apply(bus).await.unwrap();
    is_applied(&TWO, bus).await;
}

async fn two_at_once_end_well(place: &Place) {
    let one = SHOP.apply(&place.bus);
    let (one, other) = tokio::join!(one, SHOP.apply(&place.other));
    one.unwrap();
    other.unwrap();
    is_applied(&SHOP, &place.bus).await;
}

async fn a_stream_of_another_prefix_is_not_taken_over(place: &Place) {
    const ONE: Topology = Topology::new(const { &[StreamSpec::constant("A", &["a.>"])] })
        .consumers(const { &[DurableSpec::matching("reader", "A", "a.b.>")] });
    let staging = place.bus.with_prefix("staging").unwrap();
    ONE.apply(&staging).await.unwrap();
    is_applied(&ONE, &staging).await;
    let found = ONE.verify(&place.bus).await.unwrap();
    let shown = found.to_string();
    assert!(
        shown.starts_with("stream A differs: subjects is ["),
        "{found}"
    );
    assert!(
        shown.contains("staging.a.>") && shown.contains("events.a.>"),
        "{found}"
    );
    assert_eq!(
        found.findings.len(),
        2,
        "the consumer has another filter: {found}"
    );
    let refused = ONE.apply(&place.bus).await.unwrap_err();
    assert!(
        refused.to_string().contains("belongs to another prefix"),
        "{refused}"
    );
    is_applied(&ONE, &staging).await;
}

//! Consumers with types of their own (`#[derive(Readable)]`) are held to what is published.

use event_schemas::compat::{Finding, Severity};
use event_schemas::lock::{Lock, Options};
use event_schemas::report::Report;
use event_schemas::{Catalogue, Consumer, Service};
use event_sdk::{Event, EventSet, Readable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::world::{World, errors, told};

/// An order was placed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders", version = "1.3")]
struct OrderPlaced {
    id: u64,
    #[event(key, in_subject)]
    item: String,
}

/// Types of consumers, each of which is a set by itself.
macro_rules! view {
    ($module:ident, #[event($($event:tt)*)] { $($(#[$meta:meta])* $field:ident: $type:ty,)* }) => {
        mod $module {
            use super::*;

            #[derive(Readable, Deserialize, JsonSchema)]
            #[event(domain = "orders", entity = "order", action = "placed", $($event)*)]
            #[expect(dead_code, reason = "only its schema is made")]
            pub(super) struct OrderPlaced { $($(#[$meta])* $field: $type,)* }

            #[derive(EventSet)]
            pub(super) enum Set { Placed(OrderPlaced) }
        }
    };
}

view!(fitting, #[event(type = "order.placed")] { id: u64, #[event(key, in_subject)] item: String, });
view!(other_view, #[event(version = "1.1")] {
    #[event(key, in_subject)] item: String, #[serde(default)] note: Option<String>,
});
view!(requiring, #[event(version = "1.0")] { id: u64, discount: u32, #[event(key, in_subject)] item: String, });
view!(other_type, #[event(type = "order.made")] { id: u64, #[event(key, in_subject)] item: String, });
view!(without_key, #[event(version = "1.0")] { id: u64, });
view!(alias, #[event(version = "1.0")] {
    #[serde(alias = "id")] number: u64, #[event(key, in_subject)] item: String,
});

fn shop() -> Service {
    Service::new("shop").publishes::<OrderPlaced>()
}

fn takes<S: EventSet + event_sdk::Visit<event_schemas::Collect>>(name: &str) -> Service {
    Service::new(name).consumes(Consumer::of::<S>(name))
}

fn orders(services: impl IntoIterator<Item = Service>) -> Catalogue {
    let catalogue = Catalogue::new("orders");
    services.into_iter().fold(catalogue, Catalogue::service)
}

fn of_rule<'a>(findings: &'a [Finding], rule: &str) -> Vec<&'a Finding> {
    let findings = findings.iter();
    findings
        .filter(|finding| finding.rule.id() == rule && finding.severity == Severity::Error)
        .collect()
}

/// The report on a consumer that requires what nobody writes.
pub(crate) fn refusing() -> Report {
    let catalogue = || orders([shop(), takes::<requiring::Set>("billing")]);
    World::released(&catalogue()).check(&catalogue())
}

#[test]
fn a_field_that_a_consumer_requires_and_nobody_writes_is_told_with_its_name() {
    let world = World::released(&orders([shop()]));
    let report = world.check(&orders([
        shop(),
        takes::<requiring::Set>("billing"),
        takes::<fitting::Set>("mail"),
    ]));
    let [found] = of_rule(&report.findings, "receiver-differs")[..] else {
        panic!("{:?}", report.findings);
    };
    assert_eq!(found.path.as_deref(), Some("discount"));
    assert_eq!(found.consumers, ["billing"]);
    assert!(found.why.contains("billing"), "{}", found.why);
    assert!(found.why.contains("1.3"), "{}", found.why);
}

#[test]
fn another_type_and_another_key_in_the_subject_are_told() {
    let world = World::released(&orders([shop()]));
    let report = world.check(&orders([shop(), takes::<other_type::Set>("billing")]));
    let [found] = of_rule(&report.findings, "receiver-differs")[..] else {
        panic!("{:?}", report.findings);
    };
    assert!(found.why.contains("order.made"), "{}", found.why);
    assert_eq!(found.consumers, ["billing"]);

    let report = world.check(&orders([takes::<without_key::Set>("billing"), shop()]));
    let [found] = of_rule(&report.findings, "receiver-differs")[..] else {
        panic!("{:?}", report.findings);
    };
    assert!(found.why.contains("key"), "{}", found.why);
}

#[test]
fn views_that_fit_stand_beside_one_another_and_change_no_file() {
    let alone = orders([shop()]);
    let all = || {
        orders([
            takes::<other_view::Set>("mail"),
            shop(),
            takes::<fitting::Set>("billing"),
        ])
    };
    assert!(all().faults().is_empty(), "{:?}", all().faults());
    let [entry] = all().events().to_vec().try_into().unwrap();
    assert_eq!(entry.spec().version().to_string(), "1.3");
    assert_eq!(all().consumers_of(entry.spec()).count(), 2);
    let world = World::released(&alone);
    world.generate(&all(), &Options::default());
    let lock = Lock::read(world.folder()).unwrap();
    assert_eq!(lock.events()[0].versions().len(), 1);
    assert_eq!(lock.events()[0].versions()[0].writer(), entry.writer());
    assert_eq!(world.check(&all()).findings, []);
}

#[test]
fn a_name_that_only_the_type_knows_is_no_error() {
    let world = World::released(&orders([shop()]));
    let catalogue = || orders([shop(), takes::<alias::Set>("billing")]);
    world.generate(&catalogue(), &Options::default());
    let report = world.check(&catalogue());
    assert_eq!(errors(&report), [] as [String; 0], "{:?}", report.findings);
    assert_eq!(told(&report, Severity::Note), ["receiver-differs: number"]);
}

#[test]
fn of_an_event_that_nobody_publishes_nothing_is_locked() {
    let world = World::empty();
    let catalogue = orders([
        takes::<fitting::Set>("billing"),
        takes::<other_view::Set>("mail"),
    ]);
    world.generate(&catalogue, &Options::default());
    assert!(Lock::read(world.folder()).unwrap().events().is_empty());
    assert_eq!(world.check(&catalogue).findings, []);
}

#[test]
fn without_a_publisher_the_committed_versions_are_what_is_read() {
    // The contracts are those of another team's catalogue.
    let world = World::released(&orders([shop()]));
    let before = world.files();
    let report = world.check_against(&orders([takes::<other_view::Set>("mail")]), "released");
    let told_of: Vec<_> = report
        .findings
        .iter()
        .map(|found| found.rule.id())
        .collect();
    // That nobody publishes it any more is a warning; the index is another one.
    assert_eq!(told_of, ["files-differ", "event-unpublished"]);

    let report = world.check(&orders([takes::<requiring::Set>("mail")]));
    let [found] = of_rule(&report.findings, "receiver-differs")[..] else {
        panic!("{:?}", report.findings);
    };
    assert_eq!(found.path.as_deref(), Some("discount"));
    assert_eq!(world.files(), before);

    // Neither is the event gone, nor is its committed version another one.
    world.generate(
        &orders([takes::<requiring::Set>("mail")]),
        &Options::default(),
    );
    let lock = Lock::read(world.folder()).unwrap();
    assert!(!lock.events()[0].is_retired());
    assert_eq!(lock.events()[0].versions().len(), 1);
}

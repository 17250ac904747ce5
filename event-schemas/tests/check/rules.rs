//! One minimal trigger for each rule about events.

use event_schemas::check::{Request, check};
use event_schemas::compat::{EventRule, Finding, Rule, Severity};
use event_schemas::lock::Options;
use event_schemas::report::Report;
use event_schemas::{Catalogue, Service};
use event_sdk::Event;
use event_sdk::stream::StreamSpec;
use jiff::civil::date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::{World, told};

/// The event as it was released.
mod first {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        pub(super) id: u64,
        pub(super) email: event_sdk::Pii<String>,
        pub(super) total: u32,
    }
}

/// The same contract under another subject.
mod moved {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", action = "made", type = "order.placed")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        email: event_sdk::Pii<String>,
        total: u32,
    }
}

/// The same data with another type in the envelope.
mod retyped {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", type = "order.made")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        email: event_sdk::Pii<String>,
        total: u32,
    }
}

/// The same data with the key in the subject.
mod rekeyed {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderPlaced {
        #[event(key, in_subject)]
        id: u64,
        email: event_sdk::Pii<String>,
        total: u32,
    }
}

/// Other marks of personal data, in a new minor.
mod remarked {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "1.1")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        email: String,
        total: event_sdk::Pii<u32>,
    }
}

/// Another contract under the same version.
mod sneaked {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        email: event_sdk::Pii<String>,
        total: u32,
        note: Option<String>,
    }
}

/// A compatible change, with the minor raised.
mod second {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "1.1")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        email: event_sdk::Pii<String>,
        total: u32,
        note: Option<String>,
    }
}

/// A new major that forgets the old one.
mod cut {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "2.0")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: String,
        email: event_sdk::Pii<String>,
    }
}

/// A new major that takes over only what it likes.
mod picky {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "2.0", upcast_from = first::OrderPlaced)]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        email: event_sdk::Pii<String>,
        cents: u32,
    }

    impl TryFrom<first::OrderPlaced> for OrderPlaced {
        type Error = &'static str;

        fn try_from(old: first::OrderPlaced) -> Result<Self, &'static str> {
            if old.total == 0 {
                return Err("an order costs something");
            }
            Ok(Self {
                id: old.id,
                email: old.email,
                cents: old.total,
            })
        }
    }
}

/// A new major that takes over nothing at all.
mod deaf {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "2.0", upcast_from = first::OrderPlaced)]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
    }

    impl TryFrom<first::OrderPlaced> for OrderPlaced {
        type Error = &'static str;

        fn try_from(_: first::OrderPlaced) -> Result<Self, &'static str> {
            Err("no")
        }
    }
}

/// An event that does not read what it writes.
mod forgetful {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", entity = "order", action = "forgotten")]
    pub(super) struct OrderForgotten {
        #[serde(flatten)]
        part: Part,
    }

    // The derive sees the attributes of the event's own fields only.
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        #[serde(skip_serializing)]
        _id: u64,
    }
}

/// A pattern over which nothing can be proven.
mod opaque {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderCoded {
        #[schemars(regex(pattern = r"^(?=.*a)b+"))]
        pub(super) code: String,
    }
}

/// Another such pattern, with the minor raised.
mod murky {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "1.1")]
    pub(super) struct OrderCoded {
        #[schemars(regex(pattern = r"^(?=.*b)b+"))]
        pub(super) code: String,
    }
}

fn of<E: Event + JsonSchema>() -> Catalogue {
    Catalogue::new("Shop")
        .service(Service::new("orders").publishes::<E>())
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
}

fn released() -> (World, Catalogue) {
    let catalogue = of::<first::OrderPlaced>().example(first::OrderPlaced {
        id: 7,
        email: "ada@example.com".to_owned().into(),
        total: 100,
    });
    (World::released(&catalogue), catalogue)
}

fn now<E: Event + JsonSchema>() -> Report {
    released().0.check(&of::<E>())
}

/// The report of the least that triggers a rule.
fn trigger(rule: EventRule) -> Report {
    let (world, catalogue) = released();
    match rule {
        EventRule::EventRemoved => world.check(&Catalogue::new("Shop")),
        EventRule::SubjectChanged => now::<moved::OrderPlaced>(),
        EventRule::TypeChanged => now::<retyped::OrderPlaced>(),
        EventRule::KeyChanged => now::<rekeyed::OrderPlaced>(),
        EventRule::StreamChanged => {
            let unstored = Catalogue::new("Shop")
                .service(Service::new("orders").publishes::<first::OrderPlaced>());
            world.check(&unstored)
        }
        EventRule::Unpublished => {
            let unsaid = Catalogue::new("Shop")
                .events_of::<first::OrderPlaced>()
                .stream(StreamSpec::new("ORDERS").subject("orders.>"));
            world.check(&unsaid)
        }
        EventRule::PiiRemoved | EventRule::PiiAdded => now::<remarked::OrderPlaced>(),
        EventRule::VersionNotRaised => now::<sneaked::OrderPlaced>(),
        EventRule::VersionLowered => {
            world.generate(&of::<second::OrderPlaced>(), &Options::default());
            world.check(&catalogue)
        }
        EventRule::UpcasterMissing => now::<cut::OrderPlaced>(),
        EventRule::UpcasterRefuses => now::<picky::OrderPlaced>(),
        EventRule::GoldenRefused => now::<deaf::OrderPlaced>(),
        EventRule::OwnReaderRefuses => {
            World::empty().check(&Catalogue::new("Shop").events_of::<forgetful::OrderForgotten>())
        }
        EventRule::Undecided => undecided(),
        EventRule::GoldenMissing => without_golden(),
        EventRule::GoldenChanged => {
            let other = of::<first::OrderPlaced>().example(first::OrderPlaced {
                id: 8,
                email: "grace@example.com".to_owned().into(),
                total: 1,
            });
            std::fs::remove_dir_all(world.folder()).unwrap();
            world.generate(&other, &Options::default());
            world.check_against(&catalogue, "released")
        }
        EventRule::VersionRemoved => {
            std::fs::remove_dir_all(world.folder()).unwrap();
            world.generate(&of::<second::OrderPlaced>(), &Options::default());
            world.check_against(&of::<second::OrderPlaced>(), "released")
        }
        EventRule::VersionRewritten => {
            std::fs::remove_dir_all(world.folder()).unwrap();
            world.generate(&of::<sneaked::OrderPlaced>(), &Options::default());
            world.generate(&of::<second::OrderPlaced>(), &Options::default());
            world.check_against(&of::<second::OrderPlaced>(), "released")
        }
        EventRule::FilesDiffer => now::<second::OrderPlaced>(),
        EventRule::EventUnlisted => {
            let unlisted = Finding::new(EventRule::EventUnlisted, "OrderLost is in no catalogue.");
            check(&catalogue, &world.request(), vec![unlisted]).unwrap()
        }
        EventRule::FormUnsaid => {
            let unsaid = Finding::new(EventRule::FormUnsaid, "No schema knows the form of `at`.");
            check(&catalogue, &world.request(), vec![unsaid]).unwrap()
        }
        EventRule::ReceiverDiffers => super::receivers::refusing(),
        EventRule::WaiverExpired => waived(&world, &catalogue, date(2026, 11, 27)),
        EventRule::WaiverUnused => waived(&world, &catalogue, date(2026, 11, 28)),
        other => panic!("{} has no trigger", other.id()),
    }
}

fn waived(world: &World, catalogue: &Catalogue, expires: jiff::civil::Date) -> Report {
    world.write(
        "check.toml",
        &format!(
            "[[waiver]]\nevent = \"orders.order.placed\"\nrule = \"event-type-changed\"\nreason = \"…\"\nexpires = {expires}\n"
        ),
    );
    world.check(catalogue)
}

fn undecided() -> Report {
    let code = || "ba".to_owned();
    let opaque = of::<opaque::OrderCoded>().example(opaque::OrderCoded { code: code() });
    let murky = of::<murky::OrderCoded>().example(murky::OrderCoded { code: code() });
    World::released(&opaque).check(&murky)
}

/// The lock refuses such a folder, so the engine is asked.
fn without_golden() -> Report {
    use event_schemas::compat::{Contract, Current, Facts, read_goldens};
    let facts = Facts::new("orders.order.placed", "order.placed", "OrderPlaced");
    let contract = Contract::new(
        event_sdk::Version::new(1, 0),
        facts,
        serde_json::json!({}),
        serde_json::json!({}),
    );
    let decode = |version, data: &[u8]| {
        event_sdk::event::decode_data::<first::OrderPlaced>(version, data).map(drop)
    };
    let current = Current::new(contract.clone(), &decode);
    let found = read_goldens([&contract], &current);
    let (world, catalogue) = released();
    check(&catalogue, &world.request(), found).unwrap()
}

#[test]
fn every_rule_is_triggered_by_something() {
    for rule in EventRule::ALL {
        let report = trigger(rule);
        let finding = report
            .findings
            .iter()
            .find(|one| one.rule == Rule::Event(rule));
        let told: Vec<_> = report.findings.iter().map(|one| one.rule.id()).collect();
        let finding = finding.unwrap_or_else(|| panic!("{} is not among {told:?}", rule.id()));
        let severity = if rule.is_warning() {
            Severity::Warning
        } else {
            Severity::Error
        };
        assert_eq!(finding.severity, severity, "{}", rule.id());
        let is_whole = finding.why.ends_with('.') || finding.why.ends_with(['?', '…']);
        assert!(is_whole, "{}: {}", rule.id(), finding.why);
        assert!(
            matches!(rule, EventRule::EventUnlisted | EventRule::FormUnsaid)
                || !finding.ways_out.is_empty(),
            "{}",
            rule.id()
        );
    }
}

#[test]
fn the_released_catalogue_has_nothing_against_it() {
    let (world, catalogue) = released();
    for report in [
        world.check(&catalogue),
        world.check_against(&catalogue, "released"),
    ] {
        assert_eq!(
            told(&report, Severity::Error),
            [""; 0],
            "{:?}",
            report.findings
        );
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
}

#[test]
fn each_trigger_says_little_else() {
    // What a stranger sees is one thing to be done, not all that follows from it.
    let alone = [
        EventRule::EventRemoved,
        EventRule::TypeChanged,
        EventRule::KeyChanged,
        EventRule::StreamChanged,
        EventRule::VersionNotRaised,
        EventRule::VersionLowered,
        EventRule::UpcasterMissing,
        EventRule::GoldenChanged,
        EventRule::WaiverUnused,
        EventRule::EventUnlisted,
    ];
    for rule in alone {
        let report = trigger(rule);
        let others: Vec<_> = report
            .findings
            .iter()
            .filter(|one| one.rule != Rule::Event(rule) && one.severity == Severity::Error)
            .collect();
        assert!(others.is_empty(), "{}: {others:#?}", rule.id());
    }
}

#[test]
fn nothing_is_compared_in_the_mode_none_and_files_still_have_to_be_right() {
    let (world, _) = released();
    let mut request: Request = world.request();
    request.mode = Some(event_schemas::compat::Mode::None);
    let report = check(&of::<sneaked::OrderPlaced>(), &request, Vec::new()).unwrap();
    assert_eq!(told(&report, Severity::Error), ["files-differ"]);
    let report = check(&of::<cut::OrderPlaced>(), &request, Vec::new()).unwrap();
    assert_eq!(told(&report, Severity::Error), ["upcaster-missing"]);
}

//! Reports of a few breaks in each format.

use event_schemas::compat::{Direction, Severity, Verdict};
use event_schemas::lock::Options;
use event_schemas::report::{Format, Report};
use event_schemas::{Catalogue, Consumer, Service};
use event_sdk::Event;
use event_sdk::stream::StreamSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::world::World;

mod old {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        pub(super) id: u64,
        pub(super) customer: String,
        pub(super) lines: Vec<Line>,
        pub(super) note: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Line {
        pub(super) article: String,
        pub(super) count: u32,
        pub(super) state: State,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum State {
        Reserved,
        Missing,
    }
}

/// A field became required, one was renamed, an enum grew.
mod broken {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "1.1")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        buyer: String,
        lines: Vec<Line>,
        note: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Line {
        article: String,
        count: u32,
        state: State,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    enum State {
        Reserved,
        Missing,
        Late,
    }
}

/// The same, with the major raised and the old type taken over.
mod raised {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", version = "2.0", upcast_from = old::OrderPlaced)]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: u64,
        buyer: String,
    }

    impl From<old::OrderPlaced> for OrderPlaced {
        fn from(old: old::OrderPlaced) -> Self {
            Self {
                id: old.id,
                buyer: old.customer,
            }
        }
    }
}

fn of<E: Event + JsonSchema>() -> Catalogue {
    Catalogue::new("Shop")
        .service(Service::new("orders").publishes::<E>())
        .service(Service::new("billing").consumes(Consumer::of::<E>("billing")))
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
}

fn released() -> World {
    World::released(&of::<old::OrderPlaced>().example(old::OrderPlaced {
        id: 7,
        customer: "Ada".to_owned(),
        lines: vec![old::Line {
            article: "lamp".to_owned(),
            count: 2,
            state: old::State::Reserved,
        }],
        note: None,
    }))
}

/// As if it had been run in the repository.
fn at_home(mut report: Report) -> Report {
    "contracts".clone_into(&mut report.folder);
    if let Some(against) = &mut report.against {
        "0123456789abcdef0123456789abcdef01234567".clone_into(&mut against.commit);
    }
    report
}

fn broken() -> Report {
    at_home(released().check_against(&of::<broken::OrderPlaced>(), "released"))
}

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&report.render(Format::People)).to_string()
}

/// Holds a text against the file of its name, which `UPDATE_SNAPSHOTS=1` writes anew; read
/// the difference before you commit it.
fn snapshot(name: &str, text: &str) {
    let path = format!("{}/tests/check/report/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, known, "{path}");
}

#[test]
fn people_are_told_what_where_why_and_the_way_out() {
    snapshot("breaks.txt", &plain(&broken()));
}

#[test]
fn a_break_that_an_upcaster_covers_is_a_note() {
    let world = released();
    let catalogue = of::<raised::OrderPlaced>();
    world.generate(&catalogue, &Options::default());
    let report = at_home(world.check_against(&catalogue, "released"));
    assert_eq!(report.verdict(), Verdict::Compatible);
    assert!(
        report
            .findings
            .iter()
            .all(|one| one.severity == Severity::Note)
    );
    snapshot("mitigated.txt", &plain(&report));
}

#[test]
fn a_break_under_the_same_version_says_first_what_to_do() {
    let world = released();
    let text = plain(&at_home(world.check(&Catalogue::new("Shop"))));
    snapshot("removed.txt", &text);
}

#[test]
fn programs_get_a_shape_that_is_written_down() {
    let report = broken();
    let json: Value = serde_json::from_str(&report.render(Format::Json)).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["verdict"], "broken");
    assert_eq!(json["against"]["ref"], "released");
    assert_eq!(json["summary"]["errors"], report.findings.len());
    let finding = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["rule"] == "enum-narrowed")
        .unwrap();
    assert_eq!(finding["direction"], "FORWARD");
    assert_eq!(finding["path"], "lines[].state");
    assert_eq!(finding["document"]["data"]["lines"][0]["state"], "Late");
    assert_eq!(finding["file"], "contracts/orders.order.placed/1.0.json");
    assert!(finding["line"].as_u64().unwrap() > 1);
    snapshot("breaks.json", &report.render(Format::Json));
}

#[test]
fn sarif_is_valid_by_its_official_schema() {
    let mut schema: Value =
        serde_json::from_str(include_str!("../data/sarif-schema-2.1.0.json")).unwrap();
    // A bracket too many: no regular expression in Unicode mode, as drafts ask for. It is
    // of a property that reports do not have.
    for of in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][of]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    let validator = jsonschema::options().build(&schema).unwrap();
    for report in [broken(), at_home(released().check(&Catalogue::new("Shop")))] {
        let sarif: Value = serde_json::from_str(&report.render(Format::Sarif)).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&sarif)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let run = &sarif["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            let rule = &run["tool"]["driver"]["rules"][index];
            assert_eq!(rule["id"], result["ruleId"]);
        }
    }
    // The folder was named by an absolute path; code scanning looks from the repository's root.
    let report = released().check(&Catalogue::new("Shop"));
    assert!(report.folder.starts_with('/') || cfg!(windows));
    let sarif: Value = serde_json::from_str(&report.render(Format::Sarif)).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("contracts/"), "{uri}");
    let annotations = report.render(Format::Github);
    assert!(annotations.contains(" file=contracts/"), "{annotations}");
    // The schema does refuse something.
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0" })));
}

#[test]
fn github_gets_one_command_a_finding() {
    let report = broken();
    let text = report.render(Format::Github);
    assert_eq!(text.lines().count(), report.findings.len());
    for line in text.lines().filter(|line| !line.contains("golden")) {
        let rest = line
            .strip_prefix("::error file=contracts/orders.order.placed/1.0.json,line=")
            .unwrap();
        let (line, rest) = rest.split_once(',').unwrap();
        assert!(line.parse::<u32>().unwrap() > 1);
        let (title, message) = rest
            .strip_prefix("title=")
            .unwrap()
            .split_once("::")
            .unwrap();
        assert!(title.contains("%3A ") && !message.contains('\r'), "{line}");
        assert!(message.contains("%0AWay out: "), "{message}");
    }
}

#[test]
fn each_direction_is_reported_in_its_own_words() {
    let report = broken();
    let in_direction = |direction| {
        let findings = report.findings.iter();
        findings.filter(move |one| {
            one.versions
                .is_some_and(|it| it.direction == Some(direction))
        })
    };
    for finding in in_direction(Direction::Backward) {
        assert!(
            finding.why.contains("are refused by 1.1"),
            "{}",
            finding.why
        );
    }
    for finding in in_direction(Direction::Forward) {
        assert!(
            finding.why.contains("Consumers that still have 1.0"),
            "{}",
            finding.why
        );
    }
    assert!(in_direction(Direction::Backward).count() > 0);
    assert!(in_direction(Direction::Forward).count() > 0);
}

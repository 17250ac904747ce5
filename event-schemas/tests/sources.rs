//! Scanning sources for events that are in no catalogue.

use std::fs;
use std::path::Path;

use event_schemas::Catalogue;
use event_schemas::sources::{self, Problem, ScanError};
use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders", entity = "order", action = "paid", version = "2.0")]
struct Paid;

/// A crate with these files under `src`.
fn sources_of(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// An event's source.
fn event(name: &str, attributes: &str) -> String {
    format!(
        "/// Said.\n#[derive(Debug, event_sdk::Event, Serialize)]\n#[event({attributes})]\npub struct {name} {{ #[event(key)] id: u64 }}\n"
    )
}

/// `file:line subject version` of each event that is missing.
fn missing(dir: &Path, catalogue: &Catalogue) -> Vec<String> {
    let problems = sources::scan(dir).unwrap().problems(catalogue);
    let shown = problems.iter().map(|problem| {
        let Problem::NotInCatalogue(event) = problem else {
            panic!("{problem}");
        };
        let file = event.file.strip_prefix(dir).unwrap().to_str().unwrap();
        let file = file.replace('\\', "/");
        format!("{file}:{} {} {}", event.line, event.subject, event.version)
    });
    shown.collect()
}

fn shop() -> Catalogue {
    Catalogue::new("Shop")
        .events_of::<OrderPlaced>()
        .events_of::<Paid>()
}

#[test]
fn what_is_derived_and_in_no_catalogue_is_found_in_all_modules() {
    let dir = sources_of(&[
        (
            "lib.rs",
            "mod events;\nmod inline { mod deep; }\n#[path = \"elsewhere/named.rs\"]\nmod other;\n",
        ),
        (
            "events.rs",
            &format!(
                "mod more;\n{}{}",
                event("OrderPlaced", "domain = \"orders\""),
                event("OrderSent", "domain = \"orders\", version = \"1.1\"")
            ),
        ),
        (
            "events/more/mod.rs",
            &event("Gone", "subject = \"job.gone\", type = \"job.gone\""),
        ),
        (
            "inline/deep.rs",
            &event(
                "Foreign",
                "absolute = \"orders.order.placed\", type = \"a.b\"",
            ),
        ),
        ("elsewhere/named.rs", "mod beside;"),
        (
            "elsewhere/beside.rs",
            &event(
                "Rolled",
                "domain = \"orders\", entity = \"order\", action = \"rolled-back\"",
            ),
        ),
        ("bin/tool.rs", &event("ToolRan", "domain = \"tools\"")),
        (
            "not_a_module.rs",
            &event("NeverCompiled", "domain = \"orders\""),
        ),
    ]);
    assert_eq!(
        missing(dir.path(), &shop()),
        [
            "bin/tool.rs:4 tools.tool.ran 1.0",
            "elsewhere/beside.rs:4 orders.order.rolled-back 1.0",
            "events/more/mod.rs:4 job.gone 1.0",
            "events.rs:9 orders.order.sent 1.1",
            "inline/deep.rs:4 orders.order.placed 1.0",
        ]
    );
    assert_eq!(sources::scan(dir.path()).unwrap().files(), 7);
}

#[test]
fn what_is_for_tests_only_is_left_out() {
    let test = event("OrderTested", "domain = \"orders\"");
    let compiled = event("OrderMaybe", "domain = \"orders\"");
    let lib = format!(
        "#[cfg(test)]\nmod tests {{ {test} }}\n#[cfg(all(test, unix))]\nmod missing;\n#[cfg(test)]\n{test}\n#[cfg(any(test, unix))]\n{compiled}\nfn f() {{ {test} }}\n"
    );
    let dir = sources_of(&[("lib.rs", &lib)]);
    let found = missing(dir.path(), &shop());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("orders.order.maybe 1.0"));
}

#[test]
fn other_derives_of_that_name_are_no_events() {
    let dir = sources_of(&[(
        "lib.rs",
        "#[derive(Event)]\nstruct Clicked;\n#[derive(Eventual)]\n#[event(domain = \"a\")]\nstruct OrderGone;",
    )]);
    assert!(sources::scan(dir.path()).unwrap().events().is_empty());
}

#[test]
fn a_derive_is_known_by_the_name_that_its_module_gives_it() {
    let lib = "
use event_sdk::{Event as DomainEvent, EventSet};
#[derive(DomainEvent)]
#[event(domain = \"orders\")]
struct OrderSent;
mod inner {
    #[derive(DomainEvent)]
    #[event(domain = \"orders\")]
    struct OrderOther;
}
";
    let dir = sources_of(&[("lib.rs", lib)]);
    assert_eq!(
        missing(dir.path(), &shop()),
        ["lib.rs:5 orders.order.sent 1.0"]
    );
}

#[test]
fn an_older_version_is_known_by_the_newer_one() {
    let chain = [
        event(
            "PaidV0",
            "domain = \"orders\", entity = \"order\", action = \"paid\", version = \"0.3\"",
        ),
        event(
            "PaidV1",
            "domain = \"orders\", entity = \"order\", action = \"paid\", upcast_from = old::PaidV0",
        ),
        event(
            "Paid",
            "domain = \"orders\", entity = \"order\", action = \"paid\", version = \"2.0\", upcast_from = PaidV1",
        ),
        event(
            "Left",
            "domain = \"orders\", entity = \"order\", action = \"paid\", version = \"0.1\"",
        ),
    ];
    let dir = sources_of(&[("lib.rs", &chain.concat())]);
    assert_eq!(
        missing(dir.path(), &shop()),
        ["lib.rs:16 orders.order.paid 0.1"]
    );
}

#[test]
fn a_field_that_a_function_writes_has_to_say_how() {
    let lib = "
#[derive(Event, Serialize, JsonSchema)]
#[event(domain = \"orders\")]
struct OrderPlaced { item: Vec<Item>, read: Tolerant, #[serde(with = \"hex\")] #[schemars(with = \"String\")] said: u8 }
#[derive(Serialize, JsonSchema)]
struct Item {
    #[serde(default, serialize_with = \"hex\")]
    bytes: Vec<u8>,
}
#[derive(Deserialize, JsonSchema)]
struct Tolerant { #[serde(deserialize_with = \"number_or_text\")] count: u64 }
#[derive(Serialize, JsonSchema)]
struct Unrelated { #[serde(with = \"hex\")] bytes: Vec<u8> }
";
    let dir = sources_of(&[("lib.rs", lib)]);
    let problems = sources::scan(dir.path()).unwrap().problems(&shop());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].line(), 8);
    let text = problems[0].to_string();
    assert!(
        text.starts_with("the field `bytes` of `Item` has `#[serde(serialize_with = …)]`"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        sources::scan(empty.path()),
        Err(ScanError::NoRoot { .. })
    ));
    assert!(matches!(
        sources::scan(empty.path().join("no")),
        Err(ScanError::Io { .. })
    ));
    let dir = sources_of(&[("lib.rs", "\nmod gone;")]);
    assert!(matches!(
        sources::scan(dir.path()),
        Err(ScanError::NoModule { line: 2, .. })
    ));
    let dir = sources_of(&[("lib.rs", "\n\nstruct {")]);
    assert!(matches!(
        sources::scan(dir.path()),
        Err(ScanError::NoRust { line: 3, .. })
    ));
}

#[test]
fn a_file_can_be_the_root() {
    let dir = sources_of(&[("events.rs", &event("OrderSent", "domain = \"orders\""))]);
    let sources = sources::scan(dir.path().join("events.rs")).unwrap();
    assert_eq!(sources.events().len(), 1);
}

//! `schemas check`, `diff` and `explain`, from a catalogue to a break and its fix.

use event_schemas::{Catalogue, Service};
use event_sdk::{Event, EventSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::{schemas, shop};

/// The order with a field that is text now, under the same version.
mod retyped {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderPlaced {
        #[event(key)]
        id: String,
        items: Vec<Item>,
        note: Option<String>,
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Item {
    article: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<i32>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
struct OrderPaid {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(EventSet)]
#[allow(dead_code, reason = "a set of what is published; nobody matches on it")]
enum Orders {
    Placed(retyped::OrderPlaced),
    Paid(OrderPaid),
}

fn broken() -> Catalogue {
    Catalogue::new("Shop")
        .service(Service::new("orders").publishes::<Orders>())
        .stream(event_sdk::stream::StreamSpec::new("ORDERS").subject("orders.>"))
}

#[test]
fn a_break_is_found_said_and_waived() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    // What stands in this package's own `src` is no concern of this catalogue.
    let nothing = home.path().join("lib.rs");
    std::fs::write(&nothing, "").unwrap();
    let check = |catalogue: &Catalogue, more: &str| {
        schemas(
            catalogue,
            &dir,
            &format!("check --sources {} {more}", nothing.display()),
        )
    };
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let ended = check(&shop(), "");
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
    assert!(
        ended
            .out
            .starts_with("ok: 2 events, nothing found; FULL_TRANSITIVE"),
        "{}",
        ended.out
    );

    let ended = check(&broken(), "");
    assert_eq!(ended.code, 1);
    for said in [
        "error[version-not-raised]",
        "error[type-narrowed]: a type is no longer accepted: `id`",
        "= help: ",
        "version = \"2.0\", upcast_from = OrderPlacedV1",
        "\nfailed: 2 events, ",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    assert_eq!(check(&broken(), "--mode none").code, 1);

    let ended = schemas(&broken(), &dir, "diff orders.order.placed");
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("~ id "), "{}", ended.out);
    assert_eq!(schemas(&shop(), &dir, "diff").code, 0);

    let ended = check(&shop(), "--against origin/main");
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("is in no git repository"),
        "{}",
        ended.err
    );
    let ended = check(&shop(), "--mode sideways");
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("there are NONE, BACKWARD"),
        "{}",
        ended.err
    );
    std::fs::write(dir.join("index.json"), "{").unwrap();
    let ended = check(&shop(), "");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("index.json is no JSON"), "{}", ended.err);
}

/// Breaks something in the folder of the contracts, runs a command, and expects words of the error.
type Stop = (fn(&std::path::Path), &'static str, &'static [&'static str]);

#[test]
fn what_stops_a_command_is_said_and_changes_nothing() {
    let newer = |dir: &std::path::Path| {
        let path = dir.join("index.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.replace("\"format\": 1", "\"format\": 7")).unwrap();
    };
    let settings = |dir: &std::path::Path| {
        std::fs::write(dir.join("check.toml"), "mode = \"SIDEWAYS\"").unwrap();
    };
    let repository = |dir: &std::path::Path| {
        let git = std::process::Command::new("git")
            .args(["init", "--quiet"])
            .arg(dir)
            .status();
        assert!(git.unwrap().success());
    };
    let cases: [Stop; 6] = [
        (
            newer,
            "generate",
            &["index.json is of format 7", "use a newer release"],
        ),
        (
            newer,
            "check --sources NONE",
            &["index.json is of format 7"],
        ),
        (newer, "diff", &["index.json is of format 7"]),
        (
            settings,
            "check --sources NONE",
            &["check.toml", "SIDEWAYS"],
        ),
        (
            repository,
            "check --sources NONE --against v9",
            &["there is no commit \"v9\""],
        ),
        (
            |_| {},
            "check --sources no/such/src",
            &["no/such/src", "cannot be"],
        ),
    ];
    for (spoil, command, said) in cases {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("contracts");
        let nothing = home.path().join("lib.rs");
        std::fs::write(&nothing, "").unwrap();
        assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
        spoil(&dir);
        let before = files(&dir);
        let command = command.replace("NONE", &nothing.to_string_lossy());
        let ended = schemas(&broken(), &dir, &command);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{command}");
        for words in said {
            assert!(ended.err.contains(words), "{command}: {}", ended.err);
        }
        assert_eq!(files(&dir), before, "{command}");
    }
}

/// A folder that nobody may write into, not even root.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = std::path::Path::new("/proc/contracts");
    let ended = schemas(&shop(), dir, "generate");
    assert_eq!(ended.code, 2, "{}", ended.out);
    assert!(ended.err.contains("/proc/contracts"), "{}", ended.err);
}

/// The files of a folder, without those of git.
fn files(dir: &std::path::Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".git") {
                open.push(path);
            } else if path.is_file() {
                files.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn an_event_that_no_catalogue_has_is_found_in_the_sources() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    let root = home.path().join("lib.rs");
    let source = "#[derive(Event)] #[event(domain = \"orders\")] struct OrderLost { id: u64 }";
    std::fs::write(&root, source).unwrap();
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let ended = schemas(
        &shop(),
        &dir,
        &format!("check --sources {}", root.display()),
    );
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("error[event-unlisted]"), "{}", ended.out);
    let place = format!("--> {}:1\n", root.display());
    for said in [place.as_str(), "the event `OrderLost`"] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
}

#[test]
fn a_field_whose_form_no_schema_knows_is_found_in_the_sources() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    let root = home.path().join("lib.rs");
    let source = "#[derive(Event, JsonSchema)]\n#[event(domain = \"orders\")]\nstruct OrderPlaced {\n    \
                  #[serde(serialize_with = \"cents\")]\n    price: u64,\n}\n";
    std::fs::write(&root, source).unwrap();
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let ended = schemas(
        &shop(),
        &dir,
        &format!("check --sources {}", root.display()),
    );
    assert_eq!(ended.code, 1);
    let place = format!("--> {}:5\n", root.display());
    for said in ["error[form-unsaid]", "`price` of `OrderPlaced`", &place] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
}

#[test]
fn a_form_that_is_of_another_type_with_the_name_can_be_waived() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("contracts");
    let root = home.path().join("lib.rs");
    let source = "#[derive(Event, JsonSchema)] #[event(domain = \"orders\")] struct OrderPlaced { items: Vec<Item> }\n\
                  #[derive(Event, JsonSchema)] #[event(domain = \"orders\")] struct OrderPaid { id: u64 }\n\
                  mod db { #[derive(JsonSchema)] struct Item { #[serde(serialize_with = \"cents\")] price: u64 } }\n";
    std::fs::write(&root, source).unwrap();
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let check = format!("check --sources {}", root.display());
    let ended = schemas(&shop(), &dir, &check);
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.out.contains("Item.price"), "{}", ended.out);
    let waiver = "[[waiver]]\nevent = \"orders.order.placed\"\nrule = \"form-unsaid\"\n\
                  path = \"Item.price\"\nreason = \"that is the Item of the table\"\nexpires = 9999-12-31\n";
    std::fs::write(dir.join("check.toml"), waiver).unwrap();
    let ended = schemas(&shop(), &dir, &check);
    assert_eq!(ended.code, 0, "{}", ended.out);
    let reported = ended.out.contains("that is the Item of the table");
    assert!(
        reported && !ended.out.contains("waiver-unused"),
        "{}",
        ended.out
    );
}

#[test]
fn fingerprints_name_the_type_and_the_file_in_the_repository() {
    let home = tempfile::tempdir().unwrap();
    // The root of a repository, as far as names of files go.
    std::fs::create_dir(home.path().join(".git")).unwrap();
    let dir = home.path().join("contracts");
    let root = home.path().join("lib.rs");
    let source = "#[derive(Event, JsonSchema)] #[event(domain = \"orders\")] struct OrderPlaced { a: Sent, b: Got }\n\
                  #[derive(JsonSchema)] struct Sent { #[serde(serialize_with = \"time\")] at: u64 }\n\
                  #[derive(JsonSchema)] struct Got { #[serde(serialize_with = \"time\")] at: u64 }\n";
    std::fs::write(&root, source).unwrap();
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let check = format!("check --sources {} --format sarif", root.display());
    let sarif = schemas(&shop(), &dir, &check).out;
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let fingerprints: Vec<_> = results
        .iter()
        .map(|result| &result["partialFingerprints"]["eventSchemas/v1"])
        .collect();
    assert_eq!(
        fingerprints,
        [
            "form-unsaid/orders.order.placed/Got.at//lib.rs",
            "form-unsaid/orders.order.placed/Sent.at//lib.rs"
        ]
    );
}

#[test]
fn what_is_found_in_the_sources_is_shown_there_by_sarif_and_github() {
    let home = tempfile::tempdir().unwrap();
    // The root of a repository, as far as names of files go.
    std::fs::create_dir(home.path().join(".git")).unwrap();
    let dir = home.path().join("contracts");
    let root = home.path().join("service/src/lib.rs");
    std::fs::create_dir_all(root.parent().unwrap()).unwrap();
    let source = "\n#[derive(Event)]\n#[event(domain = \"orders\")]\nstruct OrderLost;\n";
    std::fs::write(&root, source).unwrap();
    assert_eq!(schemas(&shop(), &dir, "generate").code, 0);
    let report = |format: &str| {
        let root = root.display();
        schemas(
            &shop(),
            &dir,
            &format!("check --sources {root} --format {format}"),
        )
        .out
    };
    let sarif: serde_json::Value = serde_json::from_str(&report("sarif")).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "service/src/lib.rs");
    assert_eq!(place["region"]["startLine"], 4);
    let github = report("github");
    assert!(
        github.starts_with("::error file=service/src/lib.rs,line=4,title=event-unlisted"),
        "{github}"
    );
}

#[test]
fn rules_are_listed_and_explained_and_near_ones_named() {
    let home = tempfile::tempdir().unwrap();
    let all = schemas(&shop(), home.path(), "explain");
    let rules = event_schemas::compat::Rule::all();
    for rule in rules {
        assert!(all.out.contains(&format!("  {} ", rule.id())), "{rule}");
        let one = schemas(&shop(), home.path(), &format!("explain {rule}"));
        assert!(
            one.code == 0 && one.out.contains(rule.title()),
            "{}",
            one.out
        );
    }
    let wrong = schemas(&shop(), home.path(), "explain required-add");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("did you mean required-added"),
        "{}",
        wrong.err
    );
}

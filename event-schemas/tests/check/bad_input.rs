//! Inputs that cannot be checked: each gives an error, and no file changes.

use std::fmt::Write as _;

use event_schemas::check::{CheckError, check};
use event_schemas::compat::{BadSchema, Contract, Current, Facts, History, Options, compare_event};
use event_schemas::{Catalogue, Service, lock};
use event_sdk::event::DataError;
use event_sdk::{Event, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::{World, chain};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

const SCHEMA: &str = "orders.order.placed/1.0.json";

fn shop() -> Catalogue {
    Catalogue::new("Shop").service(Service::new("orders").publishes::<OrderPlaced>())
}

/// The error of a check over files that were changed by hand, which are as they were after it.
fn refusal(spoil: impl Fn(&World)) -> String {
    let world = World::released(&shop());
    spoil(&world);
    let before = world.files();
    let error = check(&shop(), &world.request(), Vec::new()).unwrap_err();
    assert_eq!(world.files(), before);
    chain(&error)
}

/// Breaks something in a folder.
type Break = Box<dyn Fn(&World)>;

#[test]
fn files_that_cannot_be_read_are_named() {
    let cases: [(&str, Break, &[&str]); 7] = [
        (
            "broken JSON",
            Box::new(|world| world.write("index.json", "{")),
            &["index.json is no JSON"],
        ),
        (
            "an unfinished merge",
            Box::new(|world| world.write("index.json", "<<<<<<< HEAD\n{}\n=======\n")),
            &["index.json", "merge that was not finished"],
        ),
        (
            "a newer format",
            Box::new(|world| {
                world.write(
                    "index.json",
                    &world
                        .read("index.json")
                        .replace("\"format\": 1", "\"format\": 99"),
                );
            }),
            &["format 99", "newer release"],
        ),
        (
            "a schema that is none",
            Box::new(|world| relocked(world, r#"{"type": 7}"#)),
            &[SCHEMA, "no schema"],
        ),
        (
            "a reference in a circle",
            Box::new(|world| {
                relocked(
                    world,
                    r##"{"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}"##,
                );
            }),
            &[SCHEMA, "refers to itself"],
        ),
        (
            "a file that was edited by hand",
            Box::new(|world| world.write(SCHEMA, &world.read(SCHEMA).replace("integer", "string"))),
            &[SCHEMA, "is not as `schemas generate` wrote it"],
        ),
        (
            "a file that is gone",
            Box::new(|world| std::fs::remove_file(world.folder().join(SCHEMA)).unwrap()),
            &[SCHEMA, "is missing"],
        ),
    ];
    for (what, spoil, said) in cases {
        let error = refusal(spoil);
        for said in said {
            assert!(error.contains(said), "{what}: {error}");
        }
        assert!(error.contains("contracts"), "{what}: {error}");
    }
}

/// Puts another schema in the place of the event's, with the index in agreement.
fn relocked(world: &World, schema: &str) {
    use sha2::{Digest, Sha256};
    let hash = |text: &str| {
        let mut hex = String::new();
        for byte in Sha256::digest(text.as_bytes()) {
            write!(hex, "{byte:02x}").unwrap();
        }
        hex
    };
    let index = world.read("index.json");
    let old = hash(&world.read(SCHEMA));
    assert!(index.contains(&old), "{index}");
    world.write("index.json", &index.replace(&old, &hash(schema)));
    world.write(SCHEMA, schema);
}

#[test]
fn a_ref_that_is_not_there_or_has_broken_files_is_named() {
    let world = World::released(&shop());
    world.write("index.json", "{");
    world.commit("broken");
    world.git(&["checkout", "--quiet", "released"]);
    let before = world.files();
    let missing = world.try_against(&shop(), "origin/main").unwrap_err();
    assert!(matches!(missing, CheckError::Git(_)));
    assert!(missing.to_string().contains("\"origin/main\""), "{missing}");
    let broken = chain(&world.try_against(&shop(), "broken").unwrap_err());
    assert!(
        broken.contains("at broken cannot be read: index.json is no JSON"),
        "{broken}"
    );
    assert_eq!(world.files(), before);
}

#[test]
fn a_ref_without_contracts_makes_every_event_new() {
    let world = World::empty();
    world.commit("before");
    world.generate(&shop(), &lock::Options::default());
    let report = world.check_against(&shop(), "before");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(!report.against.unwrap().existed);
}

#[test]
fn a_folder_that_is_not_there_is_a_finding_and_not_made() {
    let world = World::empty();
    let report = world.check(&shop());
    assert_eq!(crate::world::errors(&report), ["files-differ"]);
    assert!(!world.folder().exists());
}

#[test]
fn a_catalogue_with_faults_is_not_checked() {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders", entity = "order", action = "placed")]
    struct Rival {
        id: u64,
    }
    let world = World::released(&shop());
    let twice = shop().events_of::<Rival>();
    let error = check(&twice, &world.request(), Vec::new()).unwrap_err();
    assert!(
        matches!(&error, CheckError::Faults(faults) if faults.len() == 1),
        "{error}"
    );
}

fn compare(schema: Value) -> Result<usize, BadSchema> {
    let contract = |version, schema: Value| {
        let facts = Facts::new("a.b.c", "b.c", "C");
        let mut contract = Contract::new(version, facts, schema.clone(), schema);
        "a.b.c/1.0.json".clone_into(&mut contract.file);
        contract
    };
    let history = History::new("a.b.c", false, vec![contract(Version::new(1, 0), schema)]);
    let decode = |_: Version, _: &[u8]| -> Result<(), DataError> { Ok(()) };
    let code = [Current::new(
        contract(Version::new(1, 1), json!({})),
        &decode,
    )];
    compare_event(&history, &code, Options::default()).map(|findings| findings.len())
}

#[test]
fn schemas_that_are_none_are_refused_before_anything_is_compared() {
    for (schema, said) in [
        (json!(7), "not a JSON Schema"),
        (json!({ "type": "thing" }), "not a JSON Schema"),
        (json!({ "$ref": "#/$defs/Gone" }), "leads to nothing"),
        (
            json!({ "$ref": "https://example.com/s.json" }),
            "nothing is fetched",
        ),
        (json!({ "$ref": "#" }), "refers to itself"),
        (
            json!({ "$schema": "https://json-schema.org/draft/2019-09/schema" }),
            "only draft-07 and 2020-12",
        ),
    ] {
        let error = chain(&compare(schema.clone()).unwrap_err());
        assert!(
            error.starts_with("a.b.c/1.0.json: the schema of a.b.c 1.0"),
            "{error}"
        );
        assert!(error.contains(said), "{schema}: {error}");
    }
    assert!(compare(json!({ "properties": { "next": { "$ref": "#" } } })).is_ok());
}

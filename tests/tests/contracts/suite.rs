//! Soundness of the compatibility engine on the JSON-Schema-Test-Suite: every pair of schemas of
//! one of its files is compared, and no datum of the file may contradict the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use event_schemas_subset::{Options, Schema, Verdict, compare_with};
use event_sdk_test_servers::programs::contracts;
use serde::Deserialize;
use serde_json::Value;

/// Files with a datum of which the suite says another thing than the validator by which the
/// engine confirms: only the validator is held against a verdict there. A format is an assertion
/// to us, and an annotation in the first file; the validator reads the formats for names outside
/// of ASCII in its own way.
const OTHERWISE: [&str; 5] = [
    "draft2020-12/format.json",
    "draft2020-12/optional/format/idn-email.json",
    "draft2020-12/optional/format/idn-hostname.json",
    "draft7/optional/format/idn-email.json",
    "draft7/optional/format/idn-hostname.json",
];

/// A schema of the suite with the data that are shown to it.
#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Value,
    tests: Vec<Datum>,
}

#[derive(Deserialize)]
struct Datum {
    data: Value,
    valid: bool,
}

#[test]
fn no_datum_of_the_suite_contradicts_a_verdict() {
    let suite = contracts::suite().unwrap_or_else(|error| panic!("{error}"));
    let mut figures = BTreeMap::new();
    let mut otherwise = BTreeSet::new();
    for draft in ["draft2020-12", "draft7"] {
        for path in files(&suite.join("tests").join(draft)) {
            let text = fs::read_to_string(&path).unwrap();
            let mut groups: Vec<Group> = serde_json::from_str(&text).unwrap();
            let name = path.strip_prefix(suite.join("tests")).unwrap();
            let name = name.display().to_string();
            if draft == "draft7" {
                groups.iter_mut().for_each(say_draft_7);
            }
            check(&name, &groups, &mut figures, &mut otherwise);
        }
    }
    println!("{figures:#?}");
    assert_eq!(otherwise, OTHERWISE.map(str::to_owned).into());
    assert!(figures["contained"] > 3_000, "{figures:#?}");
    assert!(figures["broken"] > 6_000, "{figures:#?}");
    // Schemas that refer to other files, most of all.
    assert!(figures["schemas refused"] < 60, "{figures:#?}");
    assert!(figures["unknown"] < 300, "{figures:#?}");
}

/// Compares each schema of a file with each.
fn check(
    name: &str,
    groups: &[Group],
    figures: &mut BTreeMap<&'static str, u64>,
    otherwise: &mut BTreeSet<String>,
) {
    let mut count = |what| *figures.entry(what).or_default() += 1;
    let mut schemas = Vec::new();
    for group in groups {
        match Schema::parse(&group.schema) {
            Ok(schema) => schemas.push((group, schema)),
            Err(_) => count("schemas refused"),
        }
    }
    for (group, schema) in &schemas {
        for datum in &group.tests {
            if schema.accepts(&datum.data) != datum.valid {
                otherwise.insert(name.to_owned());
            }
        }
    }
    let data: Vec<&Value> = groups
        .iter()
        .flat_map(|group| group.tests.iter().map(|datum| &datum.data))
        .collect();
    let accepted: Vec<Vec<bool>> = schemas
        .iter()
        .map(|(_, schema)| data.iter().map(|datum| schema.accepts(datum)).collect())
        .collect();
    let mut options = Options::default();
    options.steps = STEPS;
    for (at, (one, written)) in schemas.iter().enumerate() {
        for (with, (other, read)) in schemas.iter().enumerate() {
            let comparison = compare_with(written, read, &options);
            let verdict = comparison.verdict();
            let pair = || {
                format!(
                    "{name}: {:?} read by {:?}: {comparison:#?}",
                    one.description, other.description
                )
            };
            match verdict {
                Verdict::Contained => {
                    count("contained");
                    let mut shown = accepted[at].iter().zip(&accepted[with]).zip(&data);
                    let against = shown.find(|((writes, reads), _)| **writes && !**reads);
                    assert!(against.is_none(), "{against:?} contradicts {}", pair());
                }
                Verdict::Broken => count("broken"),
                Verdict::Unknown => count("unknown"),
            }
            if at == with {
                assert_ne!(verdict, Verdict::Broken, "{}", pair());
            }
            for found in comparison.breaks() {
                let shows = written.accepts(&found.document) && !read.accepts(&found.document);
                assert!(shows, "{} does not show {}", found.document, pair());
            }
        }
    }
}

/// How many steps a comparison may take.
const STEPS: u64 = 10_000;

/// The files of a draft, those of optional keywords too.
fn files(draft: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in [
        draft.to_owned(),
        draft.join("optional"),
        draft.join("optional/format"),
    ] {
        let entries = fs::read_dir(&folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        files.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "json")));
    }
    files.sort();
    assert!(files.len() > 50, "{}: {}", draft.display(), files.len());
    files
}

/// The suite does not say the draft in the schemas of draft-07.
fn say_draft_7(group: &mut Group) {
    if let Value::Object(keywords) = &mut group.schema {
        let draft = "http://json-schema.org/draft-07/schema#";
        keywords.entry("$schema").or_insert_with(|| draft.into());
    }
}

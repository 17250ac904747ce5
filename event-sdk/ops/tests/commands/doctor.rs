//! `doctor` names the cause in set-ups that are broken in one way each, and finds nothing in one that is
//! not.

mod api;
mod configured;
mod connected;
mod declared;
mod faked;
mod monitored;
mod running;
mod shop;
mod stored;

use std::collections::BTreeMap;

use event_sdk_ops::Operations;
use serde_json::Value;

use crate::program::{piped, ran, words};

/// What `doctor` found, and how it ended.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    code: u8,
    findings: Vec<Value>,
}

impl Diagnosis {
    async fn of(operations: &Operations, args: &str) -> Self {
        let ran = piped(operations, &format!("doctor --json {args}")).await;
        assert_eq!(ran.err, "", "{ran:?}");
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|why| {
            panic!("{why}: {ran:?}");
        });
        let findings = report["findings"].as_array().unwrap().clone();
        for finding in &findings {
            for field in ["severity", "code", "thing", "problem", "remedy"] {
                assert!(!finding[field].as_str().unwrap().is_empty(), "{finding:#}");
            }
        }
        Self {
            code: ran.code,
            findings,
        }
    }

    /// The finding of this code about this thing, whose problem has this text.
    #[track_caller]
    fn names(&self, code: &str, thing: &str, problem: &str) -> &Self {
        let found = self.findings.iter().find(|it| it["code"] == *code);
        let found = found.unwrap_or_else(|| panic!("no {code}: {self:#?}"));
        let is = |field: &str, part: &str| found[field].as_str().unwrap().contains(part);
        assert!(is("thing", thing) && is("problem", problem), "{found:#}");
        let attention = found["severity"] != "note";
        assert_eq!(self.code, u8::from(attention), "{self:#?}");
        self
    }

    /// The note of this code about this thing, which is no reason for an exit code.
    #[track_caller]
    fn notes(&self, code: &str, thing: &str, problem: &str) {
        let mut notes = self.findings.iter();
        let is = |found: &&Value| {
            let part = |field: &str, part: &str| found[field].as_str().unwrap().contains(part);
            found["severity"] == "note"
                && found["code"] == *code
                && part("thing", thing)
                && part("problem", problem)
        };
        assert!(notes.any(|found| is(&found)), "no {code}: {self:#?}");
    }

    /// Asserts that the remedy of the first finding with this code contains this text.
    #[track_caller]
    fn advises(&self, code: &str, remedy: &str) {
        let found = self.findings.iter().find(|it| it["code"] == *code);
        let found = found.unwrap_or_else(|| panic!("no {code}: {self:#?}"));
        assert!(
            found["remedy"].as_str().unwrap().contains(remedy),
            "{found:#}"
        );
    }

    /// The codes, notes aside.
    fn codes(&self) -> Vec<&str> {
        let all = self.findings.iter();
        let all = all.filter(|finding| finding["severity"] != "note");
        all.map(|finding| finding["code"].as_str().unwrap())
            .collect()
    }
}

#[tokio::test]
async fn people_read_the_worst_first_with_what_to_do() {
    let shop = Operations::new("shop");
    let said = ran(&shop, &words("doctor --config-only"), b"", false).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert_eq!(
        said.out,
        "error: setting transport [config-missing]\n  \
         The setting transport is not set, so that there is no bus.\n  \
         To do: set EVENT_SDK_TRANSPORT to `nats`, and EVENT_SDK_NATS__URL to the servers.\n\
         1 error, 0 warnings, 0 notes; checked: configuration\n"
    );
}

/// The page has a row for each code, and no other.
#[tokio::test]
async fn the_page_on_troubleshooting_has_each_code() {
    let page = include_str!("../../../../docs/troubleshooting.md");
    let listed = piped(&Operations::new("shop"), "doctor --codes --json").await;
    assert_eq!(listed.code, 0, "{listed:?}");
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut rows: Vec<_> = rows.filter_map(|row| row.split_once('`')).collect();
    let mut codes: Vec<_> = listed
        .iter()
        .map(|it| {
            (
                it["code"].as_str().unwrap(),
                it["severity"].as_str().unwrap(),
            )
        })
        .collect();
    codes.sort_unstable();
    rows.sort_unstable();
    let of_page: Vec<_> = rows
        .iter()
        .map(|(code, rest)| (*code, rest.split('|').nth(1).unwrap().trim()))
        .collect();
    assert_eq!(of_page, codes);
}

/// The tests in which a set-up of a program, a server, a machine or a cluster is broken.
const BROKEN: &[&str] = &[
    include_str!("doctor/configured.rs"),
    include_str!("doctor/connected.rs"),
    include_str!("doctor/declared.rs"),
    include_str!("doctor/monitored.rs"),
    include_str!("doctor/running.rs"),
    include_str!("doctor/stored.rs"),
];

/// What no set-up of a test can have: an answer over 16 MiB, or one that takes 5 s. `faked` has it.
const NOT_BROKEN: &[&str] = &["monitor-incomplete"];

/// The codes that these tests expect with a thing and a problem, with how often.
fn named(tests: &[&str]) -> BTreeMap<String, usize> {
    let mut named = BTreeMap::new();
    for call in [".names(", ".notes("] {
        for after in tests.iter().flat_map(|tests| tests.split(call).skip(1)) {
            if let Some((code, _)) = after
                .trim_start()
                .strip_prefix('"')
                .and_then(|it| it.split_once('"'))
            {
                *named.entry(code.to_owned()).or_default() += 1;
            }
        }
    }
    named
}

/// How many tests expect a code.
fn expecting(tests: &[&str]) -> usize {
    let each = tests
        .iter()
        .flat_map(|tests| tests.split("#[tokio::test").skip(1));
    each.filter(|test| !named(&[test]).is_empty()).count()
}

/// Of each code, a test breaks a set-up so that `doctor` names it.
#[tokio::test]
async fn each_code_is_the_finding_of_a_set_up_that_a_test_breaks() {
    let listed = piped(&Operations::new("shop"), "doctor --codes --json").await;
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    let broken = named(BROKEN);
    let missing: Vec<_> = listed
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .filter(|code| !broken.contains_key(*code))
        .collect();
    assert_eq!(missing, NOT_BROKEN);
    assert!(named(&[include_str!("doctor/faked.rs")]).contains_key(NOT_BROKEN[0]));
    // A test may break several set-ups, and a set-up may have several findings.
    let tests = expecting(BROKEN);
    println!(
        "{} codes in {} expectations of {tests} tests",
        broken.len(),
        broken.values().sum::<usize>()
    );
    assert!(broken.len() >= 20, "{broken:?}");
    assert!(tests >= 20, "{tests}");
}

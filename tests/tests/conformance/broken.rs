//! Mutation test of the suite: each broken promise fails exactly its cases, and every case can
//! fail.

mod expected;

use std::collections::BTreeSet;
use std::time::Duration;

use event_sdk::transport::{Capability, Transport};
use event_sdk_conformance::{Report, Suite, cases};
use futures_util::{StreamExt, stream};

use crate::memory;
use crate::sabotage::{Sabotage, Saboteur};
use expected::{BEGIN_ELSEWHERE, Expected, Others};

type Names = BTreeSet<&'static str>;

fn failed(report: &Report) -> Names {
    report.failed().map(|result| result.case.name()).collect()
}

/// The whole suite, without much patience for what will never come.
fn impatient() -> Suite {
    Suite::new()
        .patience(Duration::from_secs(2))
        .timeout(Duration::from_secs(10))
}

/// Runs the suite on what is broken so; what failed, and what is wrong about that.
async fn run(expected: &'static Expected) -> (Names, Option<String>) {
    let sabotage = expected.sabotage;
    let report = impatient().run(Saboteur(sabotage)).await;
    let mut failed = failed(&report);
    let named: Names = expected.named.iter().copied().collect();
    let mut missed: Names = named.difference(&failed).copied().collect();
    if !missed.is_empty() {
        // Many suites run at once here: who looks too late for what was broken finds nothing,
        // but not by itself.
        let suite = impatient().only(&missed).unwrap();
        failed.extend(self::failed(&suite.run(Saboteur(sabotage)).await));
        missed.retain(|name| !failed.contains(name));
    }
    if !missed.is_empty() {
        let wrong = format!("{sabotage:?} was not found by {missed:?}:\n{report:#}");
        return (failed, Some(wrong));
    }
    let others: Names = failed.difference(&named).copied().collect();
    if expected.others == Others::Pass && !others.is_empty() {
        // Many suites run at once here: a case that had no time fails, too,
        // but not by itself.
        let suite = memory::patient().only(&others).unwrap();
        let alone = suite.run(Saboteur(sabotage)).await;
        if alone.failed().count() > 0 {
            let wrong = format!("{sabotage:?} was blamed on others:\n{alone}");
            return (failed, Some(wrong));
        }
    }
    (failed, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_promise_is_named_and_each_case_can_fail() {
    let results: Vec<_> = stream::iter(expected::all())
        .map(run)
        .buffer_unordered(16)
        .collect()
        .await;
    let (failed, wrong): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let failed: Names = failed.into_iter().flatten().collect();
    let never: Vec<_> = cases()
        .filter(|case| !failed.contains(case.name()))
        .collect();
    assert!(never.is_empty(), "nothing fails {never:#?}");
}

/// Where streams have copies, a consumer may begin on one that is behind for a while, not for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_may_be_behind_and_catches_up() {
    let suite = memory::patient().replicas(3);
    let report = suite.run(Saboteur(Sabotage::BeginsBehind)).await;
    assert!(failed(&report).is_empty(), "{report:#}");
    let starting = impatient().replicas(3).only(["starting"]).unwrap();
    let report = starting.run(Saboteur(Sabotage::BeginsAtTheOldest)).await;
    let failed = failed(&report);
    for name in BEGIN_ELSEWHERE {
        assert!(failed.contains(name), "{name} passed:\n{report:#}");
    }
}

/// What is not declared and works all the same fails each case that needs it. (An ability cannot
/// be so: to return it is to declare it.)
#[tokio::test(flavor = "multi_thread")]
async fn what_works_has_to_be_declared() {
    let has = memory::start(Vec::new(), true).unwrap().capabilities();
    for hides in Capability::ALL.into_iter().filter(|hides| has.has(*hides)) {
        let needing: Names = cases()
            .filter(|case| case.needs().contains(&hides))
            .map(|case| case.name())
            .collect();
        let suite = Suite::new().only(&needing).unwrap();
        let report = suite.run(Saboteur(Sabotage::Hides(hides))).await;
        assert_eq!(failed(&report), needing, "hiding {hides}:\n{report:#}");
    }
}

#[test]
fn each_sabotage_is_tried_once() {
    let mut tried: Vec<_> = expected::all()
        .map(|expected| format!("{:?}", expected.sabotage))
        .collect();
    let first = expected::all().next().unwrap();
    assert_eq!(first.sabotage, Sabotage::Nothing);
    assert!(first.named.is_empty());
    let count = tried.len();
    tried.sort_unstable();
    tried.dedup();
    assert_eq!(tried.len(), count);
    assert!(count > 50, "{count} ways to break a promise");
}

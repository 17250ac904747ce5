//! The suite of inboxes on SQLite and PostgreSQL, on an inbox in memory as another team would write it, and
//! on that one with one promise broken.

mod broken;
mod cleaning;
mod handlers;
mod memory;
mod sabotage;

use event_sdk_store_conformance::{InboxSuite, Need, Report, inbox_cases};
use event_sdk_test_stores::{OnPostgres, OnSqlite};

use memory::InMemory;
use sabotage::Sabotage;

fn needing(needs: &[Need]) -> usize {
    let lacks = |need: &Need| needs.contains(need);
    let cases = inbox_cases();
    cases.filter(|case| case.needs().iter().any(lacks)).count()
}

fn assert_passed(report: &Report, lacking: &[Need]) {
    report.assert_all_passed();
    assert_eq!(report.lacking().count(), needing(lacking), "{report:#}");
    assert!(report.results().len() > 50, "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let report = InboxSuite::new().run(OnSqlite).await;
    let lacking = [
        Need::LockTimeout,
        Need::Deadlock,
        Need::SerializationFailure,
        Need::LostConnection,
    ];
    assert_passed(&report, &lacking);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let harness = OnPostgres::directly().await.unwrap();
    assert_passed(&InboxSuite::new().run(harness).await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_behind_a_pooler_by_transaction() {
    let harness = OnPostgres::pooled().await.unwrap();
    assert_passed(&InboxSuite::new().run(harness).await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory() {
    let harness = InMemory(Sabotage::Nothing);
    assert_passed(&InboxSuite::new().run(harness).await, &[]);
}

//! Runs the conformance suites of stores on SQLite and PostgreSQL, directly and behind a pooler.

mod broken;
mod inboxes;
mod sabotage;

use event_sdk_store_conformance::{Need, Suite};
use event_sdk_test_stores::{OnPostgres, OnSqlite};

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let report = Suite::new().run(OnSqlite).await;
    report.assert_all_passed();
    let needs = |need: Need| {
        let cases = event_sdk_store_conformance::cases();
        cases.filter(|case| case.needs().contains(&need)).count()
    };
    let lacking = needs(Need::ConcurrentWriters) + needs(Need::Shards);
    assert_eq!(report.lacking().count(), lacking, "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let report = Suite::new()
        .run(OnPostgres::directly().await.unwrap())
        .await;
    report.assert_all_passed();
    assert_eq!(report.lacking().count(), 0, "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_behind_a_pooler_by_transaction() {
    let harness = OnPostgres::pooled().await.unwrap();
    let report = Suite::new().run(harness).await;
    report.assert_all_passed();
    assert_eq!(report.lacking().count(), 0, "{report:#}");
}

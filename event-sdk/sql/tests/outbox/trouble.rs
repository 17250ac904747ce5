//! Rows and tables that others change, and how the relay goes on.

use event_sdk_sql::{StoreErrorKind, Tables};

use crate::rig::{Rig, placed, wait_until};

#[tokio::test]
async fn a_row_that_is_deleted_by_hand_while_it_is_published_stops_nothing() {
    let rig = Rig::new().await;
    let pool = rig.pool.clone();
    rig.script.set(move |event| {
        if event.n == 1 {
            crate::script::Act::LoseConfirmation
        } else {
            crate::script::Act::Pass
        }
    });
    let relay = rig.start();
    rig.enqueue([placed("a", 1), placed("b", 2)]).await;
    wait_until("the first was sent", async || !rig.script.sent().is_empty()).await;
    sqlx::query("delete from event_outbox where key = 'a'")
        .execute(&pool)
        .await
        .expect("delete");
    rig.script.set(|_| crate::script::Act::Pass);
    rig.enqueue([placed("a", 3)]).await;
    wait_until("the rest is marked", async || {
        rig.count("state = 0").await == 0
    })
    .await;
    let stored = rig.stored().await;
    assert_eq!(stored.get("a"), Some(&vec![1, 3]));
    relay.stop().await;
}

#[tokio::test]
async fn a_table_that_disappears_ends_the_relay_with_the_reason() {
    let rig = Rig::new().await;
    let relay = rig.start();
    rig.enqueue([placed("a", 1)]).await;
    rig.wait_for_marks(1).await;
    rig.execute("drop table event_outbox").await;
    let error = relay.failure().await;
    assert_eq!(error.kind(), StoreErrorKind::SchemaMissing);
}

#[test]
fn names_that_are_sql_are_refused() {
    let refused = Tables::new().with_prefix("x\"; drop table orders; --");
    assert!(
        refused
            .expect_err("no name")
            .to_string()
            .contains("lower-case")
    );
}

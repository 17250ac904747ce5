//! Which ids SQLite gives once only.

use crate::database::IDS_FROM_1000;
use crate::rig::{Rig, placed};

#[tokio::test]
async fn what_is_settled_does_not_fall_when_rows_are_deleted() {
    let rig = Rig::new().await;
    let store = rig.outbox.store();
    assert_eq!(store.settled().await.expect("an id"), i64::MIN);
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    assert_eq!(store.settled().await.expect("an id"), 3);
    rig.execute("delete from event_outbox").await;
    assert_eq!(store.settled().await.expect("an id"), 3);
    rig.enqueue([placed("a", 3)]).await;
    assert_eq!(rig.count("id = 3").await, 1);
}

#[tokio::test]
async fn nothing_is_settled_in_a_table_that_gives_ids_again() {
    let rig = Rig::new().await;
    rig.execute(IDS_FROM_1000).await;
    rig.enqueue([placed("a", 1), placed("a", 2)]).await;
    let settled = rig.outbox.store().settled().await;
    assert_eq!(settled.expect("no id"), i64::MIN);
    rig.execute("delete from event_outbox where id >= 1000")
        .await;
    rig.enqueue([placed("a", 3)]).await;
    assert_eq!(rig.count("id = 1000").await, 1, "an id is given again");
}

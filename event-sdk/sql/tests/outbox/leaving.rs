//! Publishing what an outbox holds without the SDK, by the statements of `docs/leaving.md`.

use sqlx::{AssertSqlSafe, Row as _};

use crate::rig::{Rig, placed};

const PAGE: &str = include_str!("../../../../docs/leaving.md");

/// The statement of the page that begins with these words.
fn statement(words: &str) -> String {
    let mut blocks = PAGE.split("```sql\n").skip(1);
    let found = blocks.find(|block| block.starts_with(words));
    let block = found.unwrap_or_else(|| panic!("the page has no statement `{words}`"));
    block.split("```").next().expect("a block").to_owned()
}

#[tokio::test]
async fn what_waits_is_published_in_order_by_the_statements_of_the_page() {
    let rig = Rig::new().await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    for n in 0..3 {
        tx.publish(placed("a", n)).await.expect("enqueue");
    }
    tx.commit().await.expect("commit");

    let rows = sqlx::query(AssertSqlSafe(statement("select id")))
        .fetch_all(&rig.pool)
        .await
        .expect("the rows that wait");
    let mut orders = Vec::new();
    for row in rows {
        let body: Vec<u8> = row.get("body");
        let envelope: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(envelope["event_id"], row.get::<String, _>("message_id"));
        assert_eq!(envelope["metadata"]["key"], row.get::<String, _>("key"));
        assert_eq!(
            row.get::<String, _>("subject"),
            "events.orders.order.placed"
        );
        orders.push(envelope["data"]["n"].clone());
        sqlx::query(AssertSqlSafe(statement("update event_outbox")))
            .bind(row.get::<i64, _>("id"))
            .execute(&rig.pool)
            .await
            .expect("marked as published");
    }
    assert_eq!(orders, [0, 1, 2]);
    assert_eq!(rig.count("state <> 2").await, 0);
}

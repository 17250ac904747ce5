//! U+0000 in a text, which PostgreSQL cannot store: an error that names the row, and no outage.

use event_sdk::Subject;
use event_sdk_sql::{OutboxMessage, StoreErrorKind};

use crate::rig::{Rig, placed};

#[tokio::test]
async fn an_event_with_such_a_key_is_refused_by_name_and_the_transaction_goes_on() {
    let rig = Rig::new().await;
    let mut tx = rig.outbox.begin().await.expect("begin");
    let refused = tx.publish(placed("a\0b", 1)).message_id("the-first").await;
    let refused = refused.expect_err("a key with U+0000");
    assert_eq!(refused.kind(), StoreErrorKind::InvalidText);
    assert!(!refused.is_outage());
    let text = refused.to_string();
    assert!(text.contains("key") && text.contains("the-first"), "{text}");
    assert!(!text.contains("a\0b"), "{text}");
    let now = event_sdk::time::Clock::now(&rig.clock);
    let subject = Subject::parse("events.orders.order.placed").expect("a subject");
    let message = OutboxMessage::new(subject, "{}", "x\0y", now);
    let refused = rig.outbox.enqueue_message(&mut tx, message).await;
    let text = refused.expect_err("a message id with U+0000").to_string();
    assert!(text.contains("message id"), "{text}");
    let refused = tx.publish(placed("a", 3)).not_before(now).cancel_key("\0");
    let refused = refused.await.expect_err("a cancel key with U+0000");
    assert_eq!(refused.kind(), StoreErrorKind::InvalidText);
    tx.publish(placed("a", 4)).await.expect("enqueue");
    tx.commit().await.expect("commit");
    let relay = rig.start();
    rig.wait_for(&[("a", vec![4])]).await;
    relay.stop().await;
}

#[tokio::test]
async fn other_statements_with_such_a_text_have_the_kind_too() {
    let rig = Rig::new().await;
    let which = event_sdk_sql::WhichParked::Key("a\0b".into());
    let refused = rig
        .outbox
        .retry_parked(which)
        .await
        .expect_err("no such key");
    assert_eq!(refused.kind(), StoreErrorKind::InvalidText);
}

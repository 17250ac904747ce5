//! Pairs that agree: nothing is reported, and nothing is changed.

use event_sdk_sql::Inbox;
use event_sdk_sql::recover::{RecoverPlan, RecoverReport};
use std::time::Duration;

use crate::home::{Home, on_both};
use crate::rig::{DURABLE, Rig, STREAM, the};

on_both!(
    a_clean_pair_reports_nothing,
    what_retention_and_limits_removed_is_no_divergence,
    what_was_stored_before_a_time_is_left_out,
);

async fn a_clean_pair_reports_nothing<H: Home>() {
    let rig = Rig::<H>::after(20).await;
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "{plan}");
    assert_eq!(plan, RecoverPlan::default());
    assert_eq!(plan.to_string(), "nothing diverges");
    assert_eq!(rig.carry_out(&plan).await, RecoverReport::default());
    // Rows and events that wait are none either.
    rig.enqueue(21..=25).await;
    assert!(rig.plan().await.is_clean());
    rig.publish().await;
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "events that are not handled yet: {plan}");
    rig.finish(25).await;
}

async fn what_retention_and_limits_removed_is_no_divergence<H: Home>() {
    use event_sdk::transport::{PurgeRequest, TransportExt as _};
    let rig = Rig::<H>::after(12).await;
    // Rows, records and messages, each up to another place.
    rig.shop
        .execute("delete from event_outbox where sequence <= 4")
        .await;
    let short = Inbox::builder(rig.office.pool().clone())
        .retention(Duration::ZERO)
        .build();
    let cleaned = short.cleaner(&rig.bus).clean_once().await.unwrap();
    assert_eq!(cleaned.deleted, 12);
    rig.go_on(13..=20).await;
    let mut purge = PurgeRequest::all(STREAM);
    purge.before = Some(8);
    rig.bus.transport().purge_messages(purge).await.unwrap();
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "{plan}");
    // Of a durable without an inbox, the position is compared.
    let recover = rig.recover().durable(STREAM, DURABLE);
    assert!(recover.plan().await.unwrap().is_clean());
}

async fn what_was_stored_before_a_time_is_left_out<H: Home>() {
    let mut rig = Rig::<H>::after(10).await;
    rig.shop.save().await;
    let before = rig.bus.clock().now();
    rig.go_on(11..=15).await;
    rig.shop.restore().await;
    let after = rig.bus.clock().now();
    let plan = rig.recover().since(before).plan().await.unwrap();
    assert_eq!(the!(plan, DatabaseOlder).lost, [11, 12, 13, 14, 15]);
    let plan = rig.recover().since(after).plan().await.unwrap();
    assert!(plan.is_clean(), "{plan}");
}

//! An inbox that is older than its consumer, and two databases that were restored to different times.

use event_sdk_sql::recover::Repair;

use crate::home::{Home, on_both};
use crate::rig::{DURABLE, Rig, STREAM, kinds, the};

on_both!(
    an_inbox_that_is_older_than_the_ack_floor,
    outbox_and_inbox_that_were_restored_to_different_times,
    the_inbox_is_the_newest_of_three,
);

async fn an_inbox_that_is_older_than_the_ack_floor<H: Home>() {
    let mut rig = Rig::<H>::after(10).await;
    rig.office.save().await;
    rig.go_on(11..=20).await;
    rig.office.restore().await;
    assert_eq!(
        rig.office.invoices().await.len(),
        10,
        "ten effects are gone"
    );

    let plan = rig.plan().await;
    assert_eq!(kinds(&plan), ["inbox older"], "{plan}");
    let older = the!(plan, InboxOlder);
    assert_eq!((&*older.stream, &*older.consumer), (STREAM, DURABLE));
    assert_eq!(
        (older.missing, older.first, older.acknowledged),
        (10, 11, 20)
    );
    assert_eq!(
        plan.divergences[0].repair(),
        Repair::ResetConsumer { to: 11 }
    );
    assert!(plan.unknown.is_empty(), "{plan}");
    let report = rig.carry_out(&plan).await;
    let reset = (STREAM.into(), DURABLE.into(), 11);
    assert_eq!(report.consumers_reset, [reset]);
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "{plan}");
    assert_eq!(rig.handle().await, 0, "only what was missing comes again");
    rig.finish(20).await;
}

async fn outbox_and_inbox_that_were_restored_to_different_times<H: Home>() {
    let mut rig = Rig::<H>::after(12).await;
    rig.shop.save().await;
    rig.go_on(13..=15).await;
    rig.office.save().await;
    rig.go_on(16..=20).await;
    rig.shop.restore().await;
    rig.office.restore().await;

    let plan = rig.plan().await;
    let apart = the!(plan, RestoredApart);
    assert_eq!((apart.outbox_to, apart.inbox_to), (Some(12), Some(15)));
    assert_eq!(
        (apart.only_in_inbox, apart.only_in_outbox),
        (3, 0),
        "{plan}"
    );
    assert_eq!(
        the!(plan, DatabaseOlder).lost,
        (13..=20).collect::<Vec<_>>()
    );
    let older = the!(plan, InboxOlder);
    assert_eq!((older.missing, older.first), (5, 16));
    assert_eq!(
        kinds(&plan),
        ["restored apart", "inbox older", "database older"]
    );
    assert_eq!(plan.divergences[0].repair(), Repair::WithTheOthers);
    let report = rig.carry_out(&plan).await;
    assert_eq!((report.adopted, report.consumers_reset.len()), (8, 1));
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "{plan}");
    rig.finish(20).await;
}

/// The stream and the outbox went back, and the inbox did not: effects whose events are nowhere.
async fn the_inbox_is_the_newest_of_three<H: Home>() {
    let mut rig = Rig::<H>::after(12).await;
    rig.shop.save().await;
    rig.go_on(13..=20).await;
    rig.shop.restore().await;
    rig.cut_stream(12).await;
    rig.handle().await;

    let plan = rig.plan().await;
    let records = the!(plan, RecordsMisplaced);
    assert_eq!((records.gone, records.orphans.len()), (8, 8), "{plan}");
    let apart = the!(plan, RestoredApart);
    assert_eq!((apart.only_in_inbox, apart.only_in_outbox), (8, 0));
    assert_eq!((apart.outbox_to, apart.inbox_to), (Some(12), Some(12)));
    assert_eq!(rig.carry_out(&plan).await.records_placed, 8);
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "{plan}");
    // New events at the same sequences are handled.
    rig.go_on(21..=28).await;
    assert_eq!(rig.office.invoices().await.len(), 28);
    assert!(rig.plan().await.is_clean());
}

//! Repairs that are killed, and resets of consumers that were interrupted.

use std::sync::Arc;

use event_sdk::subject;
use event_sdk::transport::{ConsumerName, DeliverPolicy, ErrorKind, TransportExt as _};
use event_sdk_sql::recover::{Recover, RecoverReport, Repair};

use crate::cut::{Cut, Killer};
use crate::home::{Home, on_both};
use crate::rig::{DURABLE, Rig, STREAM, kinds, the};

on_both!(
    a_repair_that_is_killed_at_every_operation,
    a_reset_that_was_interrupted_is_completed,
    a_plan_is_carried_out_as_far_as_it_says,
);

fn recover_cut<H: Home>(rig: &Rig<H>, killer: &Killer) -> Recover {
    let outbox = Cut {
        killer: killer.clone(),
        inner: rig.outbox().recoverable(),
    };
    let inbox = Cut {
        killer: killer.clone(),
        inner: rig.inbox().recoverable(),
    };
    Recover::new(&rig.bus)
        .outbox(Arc::new(outbox))
        .inbox(Arc::new(inbox))
        .only_publisher_of(subject!("events.orders.>"))
        .clock_skew(std::time::Duration::ZERO)
}

async fn a_repair_that_is_killed_at_every_operation<H: Home>() {
    let mut rig = Rig::<H>::after(20).await;
    rig.enqueue(21..=25).await;
    rig.shop.save().await;
    rig.go_on(26..=30).await;
    rig.office.save().await;
    rig.go_on(31..=40).await;
    rig.shop.restore().await;
    rig.office.restore().await;
    let first = rig.plan().await;
    let expected = ["restored apart", "inbox older", "database older"];
    assert_eq!(kinds(&first), expected);
    let mut kills = 0;
    // Killed before the first write of a database, and then one write later each time.
    for operation in 0.. {
        let killer = Killer::at(operation);
        let recover = recover_cut(&rig, &killer);
        let plan = recover.plan().await.unwrap();
        if killer.carry_out(&recover, &plan).await.is_some() {
            break;
        }
        kills += 1;
        let plan = rig.plan().await;
        assert!(!plan.is_clean(), "it was killed before its end");
    }
    assert!(kills >= 2, "{kills}");
    // A plan of before does nothing any more.
    assert_eq!(rig.carry_out(&first).await, RecoverReport::default());
    rig.finish(40).await;
}

async fn a_reset_that_was_interrupted_is_completed<H: Home>() {
    for deleted in [false, true] {
        let mut rig = Rig::<H>::after(10).await;
        rig.office.save().await;
        rig.go_on(11..=20).await;
        rig.office.restore().await;
        // What a reset does first.
        let transport = rig.bus.transport();
        let info = transport.consumer_info(STREAM, DURABLE).await.unwrap();
        let mut copy = info.config;
        copy.name = ConsumerName::Durable("billing-recover".into());
        copy.deliver = DeliverPolicy::ByStartSequence(11);
        transport.apply_consumer(STREAM, &copy).await.unwrap();
        if deleted {
            transport.delete_consumer(STREAM, DURABLE).await.unwrap();
        }

        let plan = rig.plan().await;
        assert_eq!(kinds(&plan), ["reset unfinished"], "{plan}");
        assert_eq!(&*the!(plan, ResetUnfinished).consumer, DURABLE);
        assert_eq!(plan.divergences[0].repair(), Repair::FinishReset);
        let report = rig.carry_out(&plan).await;
        assert_eq!(report.resets_finished.len(), 1);
        let copy = transport.consumer_info(STREAM, "billing-recover").await;
        assert_eq!(*copy.unwrap_err().kind(), ErrorKind::ConsumerNotFound);
        let plan = rig.plan().await;
        assert!(plan.is_clean(), "{plan}");
        rig.finish(20).await;
    }
}

async fn a_plan_is_carried_out_as_far_as_it_says<H: Home>() {
    let mut rig = Rig::<H>::after(20).await;
    rig.cut_stream(12).await;
    rig.handle().await;
    let mut plan = rig.plan().await;
    assert_eq!(kinds(&plan), ["records misplaced", "stream older"]);
    plan.retain(|it| matches!(it.repair(), Repair::PlaceRecords { .. }));
    let report = rig.carry_out(&plan).await;
    assert_eq!((report.records_placed, report.made_ready), (8, 0));
    let plan = rig.plan().await;
    assert_eq!(kinds(&plan), ["stream older"], "{plan}");
}

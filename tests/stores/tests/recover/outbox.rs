//! A stream that is older than the outbox, or was made anew; a database that is older than the stream.

use event_sdk_sql::recover::{RecoverReport, Repair, UnknownReason};

use crate::home::{Home, on_both};
use crate::rig::{Rig, STREAM, bus, kinds, placed, the};

on_both!(
    a_database_that_is_older_than_the_stream,
    a_stream_that_is_older_than_the_database,
    a_stream_that_was_made_anew,
    a_stream_that_others_filled_again,
    a_stream_that_was_copied_publishes_nothing_again,
    a_parked_row_that_the_stream_has,
);

async fn a_database_that_is_older_than_the_stream<H: Home>() {
    let mut rig = Rig::<H>::after(10).await;
    rig.enqueue(11..=15).await;
    rig.shop.save().await;
    rig.publish().await;
    rig.go_on(16..=20).await;
    rig.shop.restore().await;

    let plan = rig.plan().await;
    let older = the!(plan, DatabaseOlder);
    assert_eq!((&*older.stream, older.unmarked), (STREAM, 5), "{plan}");
    assert_eq!(older.lost, [16, 17, 18, 19, 20]);
    let repair = Repair::MarkAndAdopt { mark: 5, adopt: 5 };
    let of_older = (plan.divergences.iter()).find(|it| it.repair() == repair);
    assert!(of_older.is_some(), "{plan}");
    let report = rig.carry_out(&plan).await;
    assert_eq!(
        (report.marked, report.adopted, report.made_ready),
        (5, 5, 0)
    );
    assert!(rig.plan().await.is_clean());
    assert_eq!(rig.outbox().status().await.unwrap().depth.rows(), 0);
    // The adopted rows are what the stream has.
    let store = rig.outbox().store().clone();
    let all: Vec<u16> = (0..store.shards()).collect();
    let rows = store.published_since(all, jiff::Timestamp::MIN, i64::MIN, 100);
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 20);
    let adopted = rows.iter().find(|row| row.sequence == Some(18)).unwrap();
    let message = adopted.row.message.as_ref().unwrap();
    assert_eq!(message.subject.as_str(), "events.orders.order.placed");
    assert_eq!(message.key.as_deref(), Some("c0"));
    assert!(String::from_utf8_lossy(&message.body).contains("\"order\":18"));
    // Carried out twice, it changes nothing.
    assert_eq!(rig.carry_out(&plan).await, RecoverReport::default());
    rig.finish(20).await;
}

async fn a_stream_that_is_older_than_the_database<H: Home>() {
    let mut rig = Rig::<H>::after(20).await;
    rig.cut_stream(12).await;
    assert_eq!(rig.handle().await, 12, "all that is left was handled");

    let plan = rig.plan().await;
    let older = the!(plan, StreamOlder);
    assert_eq!((older.rows, older.lowest, older.highest), (8, 13, 20));
    assert_eq!((older.agrees_to, older.last_sequence), (Some(12), 12));
    let records = the!(plan, RecordsMisplaced);
    assert_eq!((records.moved, records.gone), (0, 8), "{plan}");
    assert!(records.orphans.is_empty(), "the outbox has them");
    assert_eq!(kinds(&plan), ["records misplaced", "stream older"]);
    assert!(plan.unknown.is_empty(), "{plan}");
    let text = plan.to_string();
    assert!(
        text.contains("ORDERS") && text.contains("publish 8 rows again"),
        "{text}"
    );

    let report = rig.carry_out(&plan).await;
    assert_eq!((report.made_ready, report.records_placed), (8, 8));
    assert_eq!(rig.outbox().status().await.unwrap().depth.rows(), 8);
    assert!(rig.plan().await.is_clean(), "they wait for a relay");
    rig.finish(20).await;
}

async fn a_stream_that_was_made_anew<H: Home>() {
    let mut rig = Rig::<H>::after(20).await;
    let short = event_sdk_sql::Inbox::builder(rig.office.pool().clone())
        .retention(std::time::Duration::ZERO)
        .build();
    short.cleaner(&rig.bus).clean_once().await.unwrap();
    rig.go_on(21..=25).await;
    rig.bus = bus();
    // It has begun to fill.
    rig.enqueue([26]).await;
    let event = rig.bus.publisher().publish(placed(27)).await;
    event.unwrap();

    let recover = || {
        event_sdk_sql::recover::Recover::new(&rig.bus)
            .outbox(rig.outbox().recoverable())
            .inbox(rig.inbox().recoverable())
    };
    let plan = recover().plan().await.unwrap();
    let anew = the!(plan, StreamAnew);
    assert_eq!(
        (anew.rows, anew.agrees_to, anew.last_sequence),
        (25, None, 1)
    );
    let floor = the!(plan, FloorBeyondStream);
    assert_eq!((floor.floor, floor.lower_to), (20, 0), "{plan}");
    assert_eq!(the!(plan, RecordsMisplaced).gone, 5);
    let reasons: Vec<_> = plan.unknown.iter().map(|it| &it.reason).collect();
    assert!(reasons.contains(&&UnknownReason::KeptTooShort), "{plan}");
    assert!(reasons.contains(&&UnknownReason::NoConsumer), "{plan}");
    let report = recover().carry_out(&plan).await.unwrap();
    assert_eq!((report.made_ready, report.floors_lowered), (25, 1));
    rig.publish().await;
    let stored: usize = rig.stored().await.values().map(Vec::len).sum();
    assert_eq!(stored, 27);
}

async fn a_stream_that_others_filled_again<H: Home>() {
    let mut rig = Rig::<H>::after(20).await;
    rig.cut_stream(12).await;
    // The sequence passes the old one, so that the last sequence shows nothing.
    for order in 100..130 {
        rig.bus.publisher().publish(placed(order)).await.unwrap();
    }
    let recover = || {
        event_sdk_sql::recover::Recover::new(&rig.bus)
            .outbox(rig.outbox().recoverable())
            .inbox(rig.inbox().recoverable())
    };
    rig.handle().await;
    let plan = recover().plan().await.unwrap();
    let older = the!(plan, StreamOlder);
    assert_eq!((older.rows, older.agrees_to), (8, Some(12)), "{plan}");
    assert_eq!(older.last_sequence, 42);
    let report = recover().carry_out(&plan).await.unwrap();
    assert_eq!(report.made_ready, 8);
    rig.publish().await;
    rig.handle().await;
    let plan = recover().plan().await.unwrap();
    assert!(plan.is_clean(), "{plan}");
    assert_eq!(rig.office.invoices().await.len(), 50);
}

async fn a_stream_that_was_copied_publishes_nothing_again<H: Home>() {
    use event_sdk::transport::{PurgeRequest, TransportExt as _};
    let mut rig = Rig::<H>::after(20).await;
    // A migration of what is left after a limit: the copy has other sequences.
    let mut purge = PurgeRequest::all(STREAM);
    purge.before = Some(6);
    rig.bus.transport().purge_messages(purge).await.unwrap();
    rig.cut_stream(100).await;
    rig.handle().await;
    let plan = rig.plan().await;
    let moved = the!(plan, RowsMoved);
    assert_eq!((moved.rows, moved.dropped), (15, 5), "{plan}");
    assert_eq!(the!(plan, RecordsMisplaced).moved, 15);
    assert_eq!(kinds(&plan), ["records misplaced", "rows moved"], "{plan}");
    let reason = UnknownReason::Deleted { rows: 5 };
    assert_eq!(plan.unknown.len(), 1, "{plan}");
    assert_eq!(plan.unknown[0].reason, reason);
    let report = rig.carry_out(&plan).await;
    assert_eq!((report.places_noted, report.records_placed), (20, 20));
    assert_eq!(report.made_ready, 0);
    let plan = rig.plan().await;
    assert!(plan.is_clean(), "{plan}");
}

async fn a_parked_row_that_the_stream_has<H: Home>() {
    let mut rig = Rig::<H>::after(3).await;
    rig.enqueue([4, 7, 10]).await;
    // All are of one customer, and the first of them is parked.
    rig.shop
        .execute(
            "insert into event_outbox_parked (id, shard, key, class, error, attempts, parked_at)
            select id, shard, key, 'retry', 'no stream', 5, created_at from event_outbox
            where id = (select min(id) from event_outbox where state = 0)",
        )
        .await;
    rig.shop
        .execute("update event_outbox set state = 1 where state = 0")
        .await;
    rig.shop.save().await;
    let outbox = rig.outbox();
    let retried = outbox.retry_parked(event_sdk_sql::WhichParked::All);
    assert_eq!(retried.await.unwrap(), 1);
    rig.publish().await;
    assert_eq!(rig.outbox().parked(0, 10).await.unwrap(), []);
    rig.shop.restore().await;
    let plan = rig.plan().await;
    assert_eq!(the!(plan, DatabaseOlder).unmarked, 3, "{plan}");
    assert_eq!(rig.carry_out(&plan).await.marked, 3);
    // The relay forgets the parked key.
    rig.publish().await;
    assert_eq!(rig.outbox().parked(0, 10).await.unwrap(), []);
    rig.handle().await;
    assert_eq!(rig.office.invoices().await, [1, 2, 3, 4, 7, 10]);
    assert!(rig.plan().await.is_clean());
}

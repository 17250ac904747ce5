//! What a recovery cannot know: it says so, with the reason.

use std::marker::PhantomData;
use std::time::Duration;

use event_sdk::consumer::Failure;
use event_sdk::dead_letters::{DeadLetterStream, DeadLetters, LetterFilter};
use event_sdk::stream::{Retention, StreamSpec};
use event_sdk::transport::{DeliverPolicy, PurgeRequest, TransportExt as _};
use event_sdk::{Event, EventBus, subject};
use event_sdk_sql::recover::{Recover, RecoverError, RecoverPlan, Repair, UnknownReason};
use event_sdk_sql::{EffectOf, EffectTx};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::home::{Home, on_both};
use crate::rig::{DURABLE, OrderPlaced, Rig, STREAM, bus, eventually, kinds, placed, the};

on_both!(
    a_work_queue_deletes_what_was_handled,
    relays_that_run,
    more_rows_than_memory_may_hold,
    an_outbox_that_has_kept_nothing,
    an_outbox_that_has_published_nothing,
    a_stream_of_which_nothing_is_kept,
    other_publishers,
    a_stream_that_does_not_exist,
    message_ids_that_are_no_event_ids,
    effects_before_what_the_stream_has,
    letters_that_are_purged_or_lost,
);

/// A note was taken.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "notes", entity = "note", action = "taken")]
struct Noted {
    text: String,
}

fn reasons(plan: &RecoverPlan) -> Vec<UnknownReason> {
    plan.unknown.iter().map(|it| it.reason.clone()).collect()
}

async fn a_work_queue_deletes_what_was_handled<H: Home>() {
    let stream = StreamSpec::new(STREAM)
        .subject("orders.>")
        .retention(Retention::WorkQueue);
    let bus = EventBus::builder().stream(stream).memory().unwrap();
    let rig = Rig::<H>::over(bus).await;
    rig.go_on(1..=5).await;
    let plan = rig.plan().await;
    assert!(plan.divergences.is_empty(), "{plan}");
    let deletes = UnknownReason::DeletesHandled { rows: 5 };
    let expected = [deletes, UnknownReason::AcknowledgedDeleted];
    assert_eq!(reasons(&plan), expected);
    assert!(plan.to_string().contains("ORDERS"), "{plan}");
}

async fn relays_that_run<H: Home>() {
    let mut rig = Rig::<H>::after(3).await;
    rig.office.save().await;
    rig.go_on(4..=5).await;
    rig.office.restore().await;
    let outbox = rig.outbox();
    let (stop, stopped) = oneshot::channel::<()>();
    let relay = tokio::spawn(outbox.relay().run_until(async { drop(stopped.await) }));
    eventually("the relay is alive", async || {
        outbox.status().await.unwrap().relays == 1
    })
    .await;
    let plan = rig.plan().await;
    assert_eq!(reasons(&plan), [UnknownReason::RelaysRunning { relays: 1 }]);
    assert_eq!(kinds(&plan), ["inbox older"]);
    let refused = rig.recover().carry_out(&plan).await.unwrap_err();
    let is_expected = matches!(refused, RecoverError::RelaysRunning { relays: 1 });
    assert!(is_expected, "{refused}");
    assert!(
        refused.to_string().contains("nothing was changed"),
        "{refused}"
    );
    drop(stop);
    relay.await.unwrap().unwrap();
    assert_eq!(rig.carry_out(&plan).await.consumers_reset.len(), 1);
    assert!(rig.plan().await.is_clean());
}

async fn more_rows_than_memory_may_hold<H: Home>() {
    let rig = Rig::<H>::after(10).await;
    let recover = |rows| {
        let recover = rig.recover().at_most(rows);
        async move { recover.plan().await.unwrap() }
    };
    let plan = recover(9).await;
    let too_many = UnknownReason::TooMany { limit: 9 };
    assert_eq!(reasons(&plan), [too_many.clone(), too_many]);
    assert!(recover(10).await.is_clean());
}

async fn an_outbox_that_has_kept_nothing<H: Home>() {
    let rig = Rig::<H>::after(5).await;
    rig.shop.execute("delete from event_outbox").await;
    let plan = rig.plan().await;
    assert_eq!(reasons(&plan), [UnknownReason::NothingKept]);
    assert!(plan.divergences.is_empty(), "{plan}");
}

/// All that was published is in the stream, and the database is older than the first publish.
async fn an_outbox_that_has_published_nothing<H: Home>() {
    let rig = Rig::<H>::after(5).await;
    rig.shop
        .execute("update event_outbox set state = 0, published_at = null, stream = null, sequence = null")
        .await;
    let recover = Recover::new(&rig.bus).outbox(rig.outbox().recoverable());
    let plan = recover.plan().await.unwrap();
    assert_eq!(
        reasons(&plan),
        [],
        "the subjects of the rows name the stream"
    );
    assert_eq!(the!(plan, DatabaseOlder).unmarked, 5, "{plan}");
    assert_eq!(recover.carry_out(&plan).await.unwrap().marked, 5);
    assert!(recover.plan().await.unwrap().is_clean());
    let report = rig.publish().await;
    assert_eq!(report.published, 0, "nothing is published twice");
}

/// Of one stream all published rows were deleted, and of another one some are kept.
async fn a_stream_of_which_nothing_is_kept<H: Home>() {
    let other = StreamSpec::new("NOTES").subject("notes.>");
    let bus = EventBus::builder().stream(other);
    let bus = bus.stream(StreamSpec::new(STREAM).subject("orders.>"));
    let mut rig = Rig::<H>::over(bus.memory().unwrap()).await;
    rig.go_on(1..=2).await;
    let outbox = rig.outbox();
    let mut tx = outbox.begin().await.unwrap();
    for text in ["one", "two"] {
        let noted = Noted { text: text.into() };
        outbox.enqueue(&mut tx, noted).await.unwrap();
    }
    tx.commit().await.unwrap();
    rig.shop.save().await;
    rig.publish().await;
    rig.shop.restore().await;
    let recover = Recover::new(&rig.bus).outbox(rig.outbox().recoverable());
    let plan = recover.plan().await.unwrap();
    let older = the!(plan, DatabaseOlder);
    assert_eq!((&*older.stream, older.unmarked), ("NOTES", 2), "{plan}");
    recover.carry_out(&plan).await.unwrap();
    assert_eq!(
        rig.publish().await.published,
        0,
        "nothing is published twice"
    );

    // Nor is a stream seen of which no row is there at all, unless it is said who publishes there.
    rig.shop
        .execute("delete from event_outbox where stream = 'NOTES'")
        .await;
    let recover = || Recover::new(&rig.bus).outbox(rig.outbox().recoverable());
    assert!(recover().plan().await.unwrap().is_clean());
    let owned = recover().only_publisher_of(subject!("events.notes.>"));
    let plan = owned.clock_skew(Duration::ZERO).plan().await.unwrap();
    let older = the!(plan, DatabaseOlder);
    assert_eq!((&*older.stream, older.lost.len()), ("NOTES", 2), "{plan}");
}

async fn other_publishers<H: Home>() {
    let mut rig = Rig::<H>::after(5).await;
    rig.enqueue(6..=8).await;
    rig.shop.save().await;
    rig.publish().await;
    rig.go_on(9..=10).await;
    rig.shop.restore().await;
    let recover = Recover::new(&rig.bus).outbox(rig.outbox().recoverable());
    let plan = recover.plan().await.unwrap();
    assert_eq!(reasons(&plan), [UnknownReason::OtherPublishers]);
    let older = the!(plan, DatabaseOlder);
    assert_eq!((older.unmarked, older.lost.len()), (3, 0), "{plan}");
    assert_eq!(recover.carry_out(&plan).await.unwrap().marked, 3);
    let plan = recover.plan().await.unwrap();
    assert!(plan.is_clean(), "{plan}");
}

async fn a_stream_that_does_not_exist<H: Home>() {
    let mut rig = Rig::<H>::after(5).await;
    rig.bus = EventBus::memory();
    let plan = rig.plan().await;
    let missing = the!(plan, StreamMissing);
    assert_eq!((missing.rows, missing.records), (5, 5), "{plan}");
    assert!(matches!(plan.divergences[0].repair(), Repair::ByHand(_)));
    let report = rig.carry_out(&plan).await;
    assert_eq!(report.by_hand.len(), 1);
    // Nor does a durable of another bus.
    rig.bus = bus();
    let recover = rig.recover().durable(STREAM, DURABLE);
    let plan = recover.plan().await.unwrap();
    assert!(
        reasons(&plan).contains(&UnknownReason::NoConsumer),
        "{plan}"
    );
    assert!(kinds(&plan).contains(&"stream anew"), "{plan}");
}

/// The memory transport does not tell message ids.
async fn message_ids_that_are_no_event_ids<H: Home>() {
    let rig = Rig::<H>::after(3).await;
    let outbox = rig.outbox();
    let mut tx = outbox.begin().await.unwrap();
    let order = outbox.enqueue(&mut tx, placed(4)).message_id("order-4");
    order.await.unwrap();
    tx.commit().await.unwrap();
    rig.publish().await;
    rig.handle().await;
    let plan = rig.plan().await;
    assert!(plan.divergences.is_empty(), "{plan}");
    assert_eq!(reasons(&plan), [UnknownReason::NotIdentified { rows: 1 }]);
}

async fn effects_before_what_the_stream_has<H: Home>() {
    let mut rig = Rig::<H>::after(4).await;
    rig.office.save().await;
    rig.go_on(5..=12).await;
    rig.office.restore().await;
    let mut purge = PurgeRequest::all(STREAM);
    purge.before = Some(8);
    rig.bus.transport().purge_messages(purge).await.unwrap();
    let plan = rig.plan().await;
    let older = the!(plan, InboxOlder);
    assert_eq!((older.missing, older.first), (5, 8), "{plan}");
    let dropped = UnknownReason::DroppedBefore { sequence: 8 };
    assert_eq!(reasons(&plan), [dropped]);
    rig.carry_out(&plan).await;
    rig.handle().await;
    assert_eq!(rig.office.invoices().await, [1, 2, 3, 4, 8, 9, 10, 11, 12]);
    assert!(rig.plan().await.is_clean());
}

/// Refuses every order.
struct Refusing<H>(PhantomData<fn() -> H>);

impl<H: Home> EffectOf<OrderPlaced, H::Db> for Refusing<H> {
    async fn apply(&self, _: OrderPlaced, _: &mut EffectTx<H::Db>) -> Result<(), Failure> {
        Err(Failure::reject("no order is good enough"))
    }
}

/// Lets a consumer refuse what waits.
async fn refuse<H: Home>(rig: &Rig<H>) {
    let effects = rig.inbox().effects(Refusing::<H>(PhantomData));
    let consumer = rig.bus.consumer::<OrderPlaced>(DURABLE);
    let consumer = consumer.dead_letters(DeadLetters::stream("DLQ"));
    let consumer = consumer
        .ack_wait(Duration::from_secs(30))
        .handled_by(effects);
    let settled = eventually("everything is settled", async || {
        let info = rig.bus.transport().consumer_info(STREAM, DURABLE).await;
        info.is_ok_and(|info| info.pending == 0 && info.ack_pending == 0)
    });
    consumer.run_until(settled).await.unwrap();
}

async fn letters_that_are_purged_or_lost<H: Home>() {
    let place = DeadLetterStream::new("DLQ");
    let bus = EventBus::builder()
        .stream(StreamSpec::new(STREAM).subject("orders.>"))
        .stream(place.spec())
        .stream(place.retry_spec());
    let rig = Rig::<H>::over(bus.memory().unwrap()).await;
    rig.go_on(1..=2).await;
    rig.enqueue(3..=4).await;
    rig.publish().await;
    let before = rig.bus.clock().now();
    refuse(&rig).await;
    let refused = rig.bus.clock().now();
    let recover = || rig.recover().dead_letters(DURABLE, "DLQ");
    let plan = recover().plan().await.unwrap();
    assert!(plan.is_clean(), "{plan}");

    let transport = rig.bus.transport();
    let purge = PurgeRequest::all("DLQ");
    transport.purge_messages(purge).await.unwrap();
    let plan = recover().plan().await.unwrap();
    let missing = UnknownReason::LettersMissing {
        events: 2,
        of: Some(STREAM.into()),
        first: Some(3),
    };
    assert_eq!(reasons(&plan), std::slice::from_ref(&missing), "{plan}");
    for part in [
        "stream DLQ: consumer billing",
        "the consumer of ORDERS anew, beginning at its sequence 3",
    ] {
        assert!(plan.to_string().contains(part), "{plan}");
    }
    // Letters that were written before the time are not compared.
    let plan = recover().since(refused).plan().await.unwrap();
    assert!(!reasons(&plan).contains(&missing), "{plan}");
    let plan = recover().since(before).plan().await.unwrap();
    assert!(reasons(&plan).contains(&missing), "{plan}");

    // As it says.
    let mut config = transport
        .consumer_info(STREAM, DURABLE)
        .await
        .unwrap()
        .config;
    transport.delete_consumer(STREAM, DURABLE).await.unwrap();
    config.deliver = DeliverPolicy::ByStartSequence(3);
    transport.apply_consumer(STREAM, &config).await.unwrap();
    refuse(&rig).await;
    let letters = rig.bus.dead_letters("DLQ");
    assert_eq!(letters.count(&LetterFilter::open()).await.unwrap(), 2);
    let plan = recover().plan().await.unwrap();
    assert!(plan.is_clean(), "{plan}");
}

//! Publishing from a handler: cause, and ids that a repeated attempt derives again.

use event_sdk::consumer::{Ctx, Failure};
use event_sdk::{ErrorKind, EventBus, Publisher};

use crate::journal::{Journal, OrderPaid, OrderPlaced, left, place, placed};

#[tokio::test(start_paused = true)]
async fn an_event_inherits_and_is_published_once_over_all_attempts() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let publisher: Publisher<OrderPlaced> = bus.publisher();
    let prepared = publisher
        .prepare(placed("a", 1))
        .correlation_id("request-7");
    publisher.publish(prepared.clone()).await.unwrap();
    let notes = journal.clone();
    let consumer =
        bus.consumer::<OrderPlaced>("billing")
            .on(move |order: OrderPlaced, ctx: Ctx| {
                let notes = notes.clone();
                async move {
                    let first = ctx
                        .publish(OrderPaid {
                            number: order.number,
                        })
                        .await?;
                    let second = ctx
                        .publish(OrderPaid {
                            number: order.number,
                        })
                        .metadata("part", "2")
                        .await?;
                    let fresh = ctx.publish(OrderPaid { number: 99 }).fresh_id().await?;
                    notes.note(format!(
                        "{} {} {}",
                        first.is_duplicate(),
                        second.is_duplicate(),
                        fresh.is_duplicate()
                    ));
                    if ctx.attempt() == 1 {
                        Err(Failure::retry("once more"))
                    } else {
                        Ok(())
                    }
                }
            });
    consumer.run_until(journal.wait(2)).await.unwrap();
    assert_eq!(journal.notes(), ["false false false", "true true false"]);

    let mut paid = bus.subscribe::<OrderPaid>().durable("audit").await.unwrap();
    let mut numbers = Vec::new();
    while left(&bus, "audit").await.1 > 0 {
        let delivery = paid.next().await.unwrap().unwrap();
        let metadata = &delivery.head().unwrap().metadata;
        assert_eq!(
            metadata
                .correlation_id
                .as_ref()
                .map(ToString::to_string)
                .as_deref(),
            Some("request-7")
        );
        assert_eq!(metadata.causation_id, Some(prepared.head().event_id.into()));
        numbers.push(delivery.decode().unwrap().number);
    }
    assert_eq!(numbers, [1, 1, 99, 99]);
}

#[tokio::test(start_paused = true)]
async fn two_consumers_of_an_event_publish_two_events() {
    let bus = EventBus::memory();
    place(&bus, "a", 1).await;
    for name in ["billing", "shipping"] {
        let journal = Journal::new();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>(name)
            .on(move |_: OrderPlaced, ctx: Ctx| {
                let notes = notes.clone();
                async move {
                    let published = ctx.publish(OrderPaid { number: 1 }).await?;
                    notes.note(published.is_duplicate().to_string());
                    Ok(())
                }
            });
        consumer.run_until(journal.wait(1)).await.unwrap();
        assert_eq!(journal.notes(), ["false"]);
    }
}

/// What the service itself sets, what the handler says, and what the handled event has.
#[tokio::test(start_paused = true)]
async fn named_metadata_is_inherited_and_no_other() {
    let bus = EventBus::builder().metadata("region", "of the bus");
    let bus = bus.metadata("zone", "of the bus").memory().unwrap();
    let mut event = bus.publisher().prepare(placed("a", 1));
    for (name, text) in [("region", "eu"), ("tenant", "north"), ("note", "private")] {
        event = event.metadata(name, text);
    }
    bus.publisher::<OrderPlaced>().publish(event).await.unwrap();
    let journal = Journal::new();
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .inherit_metadata(["region", "tenant"])
        .inherit_metadata(["missing"])
        .on(move |_: OrderPlaced, ctx: Ctx| {
            let notes = notes.clone();
            async move {
                let event = |number| OrderPaid { number };
                ctx.publish(event(1)).await?;
                ctx.publish(event(2)).metadata("tenant", "south").await?;
                let prepared = ctx.bus().publisher().prepare(event(3));
                ctx.publish(prepared.metadata("tenant", "west")).await?;
                ctx.bus().publisher().publish(event(4)).await?;
                notes.note("done");
                Ok(())
            }
        });
    consumer.run_until(journal.wait(1)).await.unwrap();
    let mut paid = bus.subscribe::<OrderPaid>().durable("audit").await.unwrap();
    let expected = [
        [Some("eu"), Some("north"), None, Some("of the bus"), None],
        [Some("eu"), Some("south"), None, Some("of the bus"), None],
        // A prepared event keeps what it has.
        [
            Some("of the bus"),
            Some("west"),
            None,
            Some("of the bus"),
            None,
        ],
        [Some("of the bus"), None, None, Some("of the bus"), None],
    ];
    for expected in expected {
        let delivery = paid.next().await.unwrap().unwrap();
        let metadata = &delivery.head().unwrap().metadata;
        let names = ["region", "tenant", "note", "zone", "missing"];
        assert_eq!(names.map(|name| metadata.get(name)), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_and_the_ids_are_not_inherited_as_metadata() {
    for name in ["key", "correlation_id", "causation_id"] {
        let bus = EventBus::memory();
        let consumer = bus.consumer::<OrderPlaced>("billing");
        let consumer = consumer
            .inherit_metadata(["region", name])
            .on(|_: OrderPlaced, _: Ctx| async { Ok(()) });
        let error = consumer.run().await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains(name), "{error}");
    }
}

//! Filters: what is left out is acknowledged and counted, and takes no place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Consumer, Ctx, EventBatch, Filter};
use event_sdk::transport::TransportExt as _;
use event_sdk::{EnvelopeHeader, Event, EventBus, subject};
use serde::{Deserialize, Serialize};

use crate::journal::{Journal, OrderPaid, OrderPlaced, Orders, left, place, placed};

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderShipped {}

/// Publishes three orders of different regions and one payment.
async fn publish(bus: &EventBus) {
    for (number, region, tags) in [(1, "eu", "canary"), (2, "us", ""), (3, "eu", "a,b")] {
        let publisher = bus.publisher();
        let order = publisher.publish(placed("a", number));
        let order = order.metadata("region", region).metadata("tags", tags);
        order.await.unwrap();
    }
    let publisher = bus.publisher();
    let payment = publisher.publish(OrderPaid { number: 4 });
    payment.metadata("region", "us").await.unwrap();
}

fn noting(bus: &EventBus, journal: &Journal) -> Consumer<Orders> {
    let notes = journal.clone();
    bus.consumer::<Orders>("billing").each(move |event, _| {
        notes.note(match event {
            Orders::Placed(order) => format!("placed {}", order.number),
            Orders::Paid(order) => format!("paid {}", order.number),
        });
        async { Ok(()) }
    })
}

/// Handles the four events; returns what was handled, and the number left out.
async fn handled(filter: impl FnOnce(Consumer<Orders>) -> Consumer<Orders>) -> (Vec<String>, u64) {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    publish(&bus).await;
    let consumer = filter(noting(&bus, &journal));
    let report = consumer.run_until(remain(&bus, 0)).await.unwrap();
    assert_eq!(left(&bus, "billing").await, (0, 0));
    let notes = journal.notes();
    assert_eq!(report.handled, u64::try_from(notes.len()).unwrap());
    assert_eq!((report.failed_attempts, report.given_back), (0, 0));
    (notes, report.filtered)
}

#[tokio::test(start_paused = true)]
async fn by_the_envelope() {
    let (notes, filtered) = handled(|all| all.filter(Filter::event_type("order.pa*"))).await;
    assert_eq!((notes, filtered), (vec!["paid 4".to_owned()], 3));
    let (notes, filtered) = handled(|all| all.filter(Filter::region("us"))).await;
    assert_eq!(notes, ["placed 2", "paid 4"]);
    assert_eq!(filtered, 2);
    let (notes, _) = handled(|all| all.filter(Filter::tag("b"))).await;
    assert_eq!(notes, ["placed 3"]);
    let (notes, filtered) = handled(|all| all.filter(Filter::source("nobody"))).await;
    assert_eq!((notes.len(), filtered), (0, 4));
    let (notes, _) = handled(|all| all.filter(!Filter::region("eu"))).await;
    assert_eq!(notes, ["placed 2", "paid 4"]);
}

#[tokio::test(start_paused = true)]
async fn several_filters_have_to_pass_each() {
    let (notes, _) = handled(|all| {
        all.filter(Filter::region("eu"))
            .filter(|envelope: &EnvelopeHeader| envelope.event_type == "order.placed")
            .filter_event(|order: &OrderPlaced| order.number > 1)
    })
    .await;
    assert_eq!(notes, ["placed 3"]);
}

#[tokio::test(start_paused = true)]
async fn by_the_decoded_event_of_one_type() {
    let (notes, filtered) = handled(|all| {
        all.filter_event(|order: &OrderPlaced| order.number != 2)
            .filter_event(|order: &OrderPlaced| order.number != 3)
    })
    .await;
    assert_eq!(notes, ["placed 1", "paid 4"]);
    assert_eq!(filtered, 2);
}

#[tokio::test(start_paused = true)]
async fn in_batches_too() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    publish(&bus).await;
    let notes = journal.clone();
    let consumer = bus
        .consumer::<Orders>("billing")
        .filter(Filter::region("us"))
        .on_batches(
            10,
            Duration::from_secs(1),
            move |batch: EventBatch<Orders>| {
                notes.note(format!("batch of {}", batch.len()));
                async { Ok(()) }
            },
        );
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(journal.notes(), ["batch of 2"]);
    assert_eq!((report.handled, report.filtered), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_waits_for_no_place_and_no_key() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=100 {
        place(&bus, "a", number).await;
    }
    let (seen, notes) = (Arc::new(AtomicUsize::new(0)), journal.clone());
    let count = Arc::clone(&seen);
    let all_seen = Arc::new(tokio::sync::Notify::new());
    let notify = Arc::clone(&all_seen);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .concurrency(2)
        .filter_event(move |order: &OrderPlaced| {
            if count.fetch_add(1, Ordering::Relaxed) == 99 {
                notify.notify_one();
            }
            order.number == 1
        })
        // The only event that passes holds its key and one of two places until the end.
        .on(move |order: OrderPlaced, ctx: Ctx| {
            notes.note(format!("started {}", order.number));
            async move {
                ctx.cancelled().await;
                Ok(())
            }
        });
    let report = consumer.run_until(all_seen.notified()).await.unwrap();
    assert_eq!(journal.notes(), ["started 1"]);
    assert_eq!(seen.load(Ordering::Relaxed), 100);
    assert_eq!((report.handled, report.filtered), (1, 99));
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_panics_rejects_the_event_and_no_other() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    publish(&bus).await;
    let consumer = noting(&bus, &journal).filter(|envelope: &EnvelopeHeader| {
        assert_ne!(envelope.metadata.get("tags"), Some("canary"), "planted");
        true
    });
    let report = consumer.run_until(journal.wait(3)).await.unwrap();
    assert_eq!(journal.notes(), ["placed 2", "placed 3", "paid 4"]);
    assert_eq!((report.handled, report.filtered), (3, 0));
    assert_eq!(report.terminated + report.dead_lettered, 1);
}

#[tokio::test(start_paused = true)]
async fn events_outside_the_set_and_unreadable_ones_are_not_filtered() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let wider = bus.raw().subscribe(subject!("orders.>"));
    drop(wider.durable("billing").await.unwrap());
    publish(&bus).await;
    let unreadable = bus.raw().publish("orders.order.paid", "{}");
    unreadable.await.unwrap();
    let unknown = bus.publisher().publish(OrderShipped {}).await;
    unknown.unwrap();
    let consumer = noting(&bus, &journal).filter(Filter::any([]));
    // The unknown event waits for a newer version of the service.
    let report = consumer.run_until(remain(&bus, 1)).await.unwrap();
    assert_eq!((report.handled, report.filtered), (0, 4));
    assert_eq!(report.terminated + report.dead_lettered, 1);
    assert_eq!(report.delayed, 1);
}

/// Waits until all events were delivered, and all but `unsettled` are settled.
async fn remain(bus: &EventBus, unsettled: u64) {
    let mut seen = None;
    for _ in 0..1_000 {
        let info = bus.transport().consumer_info("EVENTS", "billing").await;
        seen = info.ok().map(|info| (info.ack_pending, info.pending));
        if seen == Some((unsettled, 0)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("not settled: {seen:?}");
}

//! Concurrency and order by key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::consumer::{Ctx, Failure};
use event_sdk::{Event, EventBus};
use serde::{Deserialize, Serialize};

use crate::journal::{Journal, OrderPlaced, place};

#[tokio::test(start_paused = true)]
async fn so_many_handlers_run_at_once_and_no_more() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=10 {
        place(&bus, "a", number).await;
    }
    let notes = journal.clone();
    let consumer =
        bus.consumer::<OrderPlaced>("billing")
            .concurrency(4)
            .on(move |order: OrderPlaced, _| {
                let notes = notes.clone();
                async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    notes.note(order.number.to_string());
                    Ok(())
                }
            });
    let report = consumer.run_until(journal.wait(10)).await.unwrap();
    assert_eq!(report.handled, 10);
    let at: Vec<f64> = journal.timed().into_iter().map(|(_, at)| at).collect();
    assert_eq!(at, [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn events_of_a_key_run_in_order_and_never_two_at_once() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 0..300 {
        place(&bus, &format!("key {}", number % 7), number).await;
    }
    let running: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    let (notes, runs) = (journal.clone(), Arc::clone(&running));
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .concurrency(32);
    let consumer = consumer.on(move |order: OrderPlaced, ctx: Ctx| {
        let (notes, runs) = (notes.clone(), Arc::clone(&runs));
        async move {
            let before = runs
                .lock()
                .unwrap()
                .insert(order.order.clone(), order.number);
            assert_eq!(before, None, "two of {} at once", order.order);
            tokio::time::sleep(Duration::from_millis(order.number % 5)).await;
            runs.lock().unwrap().remove(&order.order);
            if order.number.is_multiple_of(11) && ctx.attempt() < 3 {
                return Err(Failure::retry("once more"));
            }
            notes.note(format!("{} {}", order.order, order.number));
            Ok(())
        }
    });
    let report = consumer.run_until(journal.wait(300)).await.unwrap();
    assert_eq!((report.handled, report.terminated), (300, 0));
    let mut last: HashMap<String, u64> = HashMap::new();
    for note in journal.notes() {
        let (key, number) = note.rsplit_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        let before = last.insert(key.to_owned(), number);
        assert!(before < Some(number), "{key}: {number} after {before:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_holds_its_key_and_no_other() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for (order, number) in [("a", 1), ("a", 2), ("b", 3), ("a", 4)] {
        place(&bus, order, number).await;
    }
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing").ordered_by_key().on(
        move |order: OrderPlaced, ctx: Ctx| {
            notes.note(format!("{}/{}", order.number, ctx.attempt()));
            let fails = order.number == 1 && ctx.attempt() == 1;
            async move {
                if fails {
                    Err(Failure::retry("once more"))
                } else {
                    Ok(())
                }
            }
        },
    );
    consumer.run_until(journal.wait(5)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1", "3/1", "1/2", "2/1", "4/1"]);
}

/// An event whose key is not in its subject.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "invoices")]
struct InvoiceSent {
    #[event(key)]
    invoice: String,
    number: u64,
}

#[tokio::test(start_paused = true)]
async fn a_key_in_the_envelope_keeps_the_order_too() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for (invoice, number) in [("a.b", 1), ("a.b", 2), ("b", 3), ("a.b", 4)] {
        let invoice = invoice.to_owned();
        let sent = InvoiceSent { invoice, number };
        bus.publisher().publish(sent).await.unwrap();
    }
    let notes = journal.clone();
    let consumer = bus.consumer::<InvoiceSent>("billing").ordered_by_key().on(
        move |sent: InvoiceSent, ctx: Ctx| {
            notes.note(format!("{}/{}", sent.number, ctx.attempt()));
            let fails = sent.number == 1 && ctx.attempt() == 1;
            async move {
                if fails {
                    Err(Failure::retry("once more"))
                } else {
                    Ok(())
                }
            }
        },
    );
    consumer.run_until(journal.wait(5)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1", "3/1", "1/2", "2/1", "4/1"]);
}

/// During an update of the publishers, some write the key into the subject only.
#[tokio::test(start_paused = true)]
async fn a_key_is_the_same_in_the_subject_and_in_the_envelope() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let older = r#"{"event_id":"0193a5c2-7b1e-7c4a-9f55-2f6d6f1f0b11","event_type":"order.placed","timestamp":"2025-11-06T12:00:00Z","data":{"order":"a.b","number":1}}"#;
    bus.raw()
        .publish("orders.order.placed.a=2Eb", older)
        .await
        .unwrap();
    place(&bus, "a.b", 2).await;
    place(&bus, "b", 3).await;
    let notes = journal.clone();
    let consumer = bus.consumer::<OrderPlaced>("billing").ordered_by_key().on(
        move |order: OrderPlaced, ctx: Ctx| {
            notes.note(format!("{}/{}", order.number, ctx.attempt()));
            let fails = order.number == 1 && ctx.attempt() == 1;
            async move {
                if fails {
                    Err(Failure::retry("once more"))
                } else {
                    Ok(())
                }
            }
        },
    );
    consumer.run_until(journal.wait(4)).await.unwrap();
    assert_eq!(journal.notes(), ["1/1", "3/1", "1/2", "2/1"]);
}

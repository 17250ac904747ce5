//! Options about order: concurrency, keys, one owner.

use std::collections::BTreeSet;
use std::sync::Arc;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Retry};
use tokio::sync::Barrier;

use super::rig::{Journal, Placed, all_settled, info, millis, on_both, place, run, secs};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrency_runs_that_many_handlers() {
    on_both(async |bus| {
        for number in 1..=8 {
            place(&bus, "a", number).await;
        }
        let journal = Journal::default();
        let notes = journal.clone();
        // Four have to run together, or none goes on.
        let barrier = Arc::new(Barrier::new(4));
        let consumer = bus.consumer::<Placed>("billing").concurrency(4);
        let consumer = consumer.on(move |event: Placed, _| {
            let (notes, barrier) = (notes.clone(), Arc::clone(&barrier));
            async move {
                barrier.wait().await;
                notes.note(event.number.to_string());
                Ok(())
            }
        });
        let running = run(consumer);
        journal.until(8).await;
        all_settled(&bus).await;
        assert_eq!(running.end().await.handled, 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_holds_its_key_and_no_other() {
    on_both(async |bus| {
        for (number, key) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
            place(&bus, key, number).await;
        }
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .concurrency(4)
            .ordered_by_key()
            .retry(Retry::steps([secs(1)]).max_attempts(3));
        let consumer = consumer.on(move |event: Placed, ctx: Ctx| {
            notes.note(format!(
                "{} {}/{}",
                event.order,
                event.number,
                ctx.attempt()
            ));
            std::future::ready(match (event.number, ctx.attempt()) {
                (1, 1..=2) => Err(Failure::retry("later")),
                _ => Ok(()),
            })
        });
        let running = run(consumer);
        journal.until(6).await;
        all_settled(&bus).await;
        running.end().await;
        let of = |key: &str| -> Vec<_> {
            let mut notes = journal.notes();
            notes.retain(|note| note.starts_with(key));
            notes
        };
        assert_eq!(of("a"), ["a 1/1", "a 1/2", "a 1/3", "a 3/1"]);
        assert_eq!(of("b"), ["b 2/1", "b 4/1"]);
        assert_eq!(info(&bus, "ORDERS").await.unwrap().deliveries, 4);
    })
    .await;
}

/// Notes its name and the number of each event.
fn single(bus: &EventBus, name: &'static str, journal: &Journal) -> Consumer<Placed> {
    let notes = journal.clone();
    bus.consumer::<Placed>("billing")
        .ordered_by_key()
        .ack_wait(secs(2))
        .single_active_for(secs(1))
        .on(move |event: Placed, _| {
            notes.note(format!("{name} {}", event.number));
            async { Ok(()) }
        })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_single_active_instance_the_other_takes_over_at_its_end() {
    on_both(async |bus| {
        let journal = Journal::default();
        let first = run(single(&bus, "first", &journal));
        place(&bus, "a", 1).await;
        journal.until(1).await;
        let second = run(single(&bus, "second", &journal));
        for number in 2..=50 {
            place(&bus, "a", number).await;
        }
        journal.until(50).await;
        let owners: BTreeSet<_> = journal
            .notes()
            .iter()
            .map(|note| note[..5].to_owned())
            .collect();
        assert_eq!(owners.len(), 1, "{owners:?}");
        all_settled(&bus).await;
        assert_eq!(first.end().await.handled, 50);
        place(&bus, "a", 51).await;
        journal.until(51).await;
        assert_eq!(journal.notes()[50], "second 51");
        all_settled(&bus).await;
        assert_eq!(second.end().await.handled, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_acknowledged_event_by_event() {
    on_both(async |bus| {
        for number in 1..=4 {
            place(&bus, &number.to_string(), number).await;
        }
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .retry(Retry::steps([millis(50)]).max_attempts(2));
        let consumer = consumer.on_batches(
            4,
            secs(60),
            move |batch: event_sdk::consumer::EventBatch<Placed>| {
                let attempts = batch
                    .iter()
                    .map(|(event, ctx)| (event.number, ctx.attempt()));
                let attempts: Vec<_> = attempts.collect();
                notes.note(format!("{attempts:?}"));
                let failed = attempts.iter().position(|attempt| *attempt == (2, 1));
                std::future::ready(match failed {
                    Some(index) => Err(event_sdk::consumer::BatchFailure::of([(
                        index,
                        Failure::retry("later"),
                    )])),
                    None => Ok(()),
                })
            },
        );
        let running = run(consumer);
        journal.until(1).await;
        // The failed one waits for others, which do not come; the end of the consumer gives it back.
        crate::rig::eventually("three acknowledgements", async || {
            info(&bus, "ORDERS")
                .await
                .is_ok_and(|info| info.ack_pending == 1)
        })
        .await;
        let report = running.end().await;
        assert_eq!(
            (report.handled, report.failed_attempts, report.given_back),
            (3, 1, 1)
        );
        assert_eq!(journal.notes(), ["[(1, 1), (2, 1), (3, 1), (4, 1)]"]);
    })
    .await;
}

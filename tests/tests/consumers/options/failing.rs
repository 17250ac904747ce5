//! Options about failures: retry, keep-alive, time limits, outages, dead letters, unknown events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_sdk::DelayUnknown;
use event_sdk::consumer::{Ctx, Failure, ProbeInterval, Retry};
use event_sdk::dead_letters::{DeadLetterClass, DeadLetters, LetterFilter, Page};

use super::rig::{
    Journal, Placed, PlacedInParts, all_settled, info, millis, on_both, place, run, secs,
};
use crate::rig::{eventually, within};

/// The delay of the retry is longer than the ack wait: the event is kept alive, and no later one
/// waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_is_in_the_process_and_the_server_delivers_once() {
    on_both(async |bus| {
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .ack_wait(secs(5))
            .retry(Retry::steps([secs(7)]).max_attempts(2));
        let consumer = consumer.on(move |event: Placed, ctx: Ctx| {
            notes.note(format!("{}/{}", event.number, ctx.attempt()));
            async move {
                match (event.number, ctx.attempt()) {
                    (1, 1) => Err(Failure::retry("later")),
                    _ => Ok(()),
                }
            }
        });
        for number in 1..=2 {
            place(&bus, "a", number).await;
        }
        let running = run(consumer);
        journal.until(3).await;
        all_settled(&bus).await;
        assert_eq!(journal.notes(), ["1/1", "2/1", "1/2"]);
        assert_eq!(info(&bus, "ORDERS").await.unwrap().deliveries, 2);
        let report = running.end().await;
        assert_eq!((report.handled, report.failed_attempts), (2, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_timeout_is_a_failed_attempt() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .retry(Retry::steps([millis(10)]).max_attempts(3))
            .handler_timeout(millis(50));
        let consumer = consumer.on(move |_: Placed, ctx: Ctx| {
            notes.note(ctx.attempt().to_string());
            async move {
                assert_eq!(ctx.time_limit(), Some(millis(50)));
                if ctx.attempt() < 3 {
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        });
        let running = run(consumer);
        journal.until(3).await;
        all_settled(&bus).await;
        let report = running.end().await;
        assert_eq!((report.handled, report.failed_attempts), (1, 2));
        assert_eq!(info(&bus, "ORDERS").await.unwrap().deliveries, 1);
    })
    .await;
}

/// In an outage nothing counts, and fetching pauses; by scope, the other scope goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_one_scope_is_probed() {
    on_both(async |bus| {
        let away = Arc::new(AtomicBool::new(true));
        let journal = Journal::default();
        let (notes, is_away) = (journal.clone(), Arc::clone(&away));
        let consumer = bus
            .consumer::<Placed>("billing")
            .retry(Retry::none())
            .probe_interval(ProbeInterval::every(millis(20)))
            .breaker_by(|head| head.metadata.get("tenant").unwrap_or_default().to_owned());
        let consumer = consumer.on(move |event: Placed, ctx: Ctx| {
            let tenant = ctx.envelope().metadata.get("tenant").map(ToOwned::to_owned);
            let fails = tenant.as_deref() == Some("north") && is_away.load(Ordering::Relaxed);
            if !fails {
                notes.note(format!("{}/{}", event.number, ctx.attempt()));
            }
            std::future::ready(if fails {
                Err(Failure::outage("away"))
            } else {
                Ok(())
            })
        });
        for (number, tenant) in (1..=6).zip(["north", "south"].into_iter().cycle()) {
            let event = super::rig::placed(&number.to_string(), number);
            let orders = bus.publisher();
            let published = orders.publish(event).metadata("tenant", tenant);
            within("a publish", published).await.unwrap();
        }
        let running = run(consumer);
        journal.until(3).await;
        assert_eq!(journal.notes(), ["2/1", "4/1", "6/1"]);
        away.store(false, Ordering::Relaxed);
        journal.until(6).await;
        all_settled(&bus).await;
        let report = running.end().await;
        assert_eq!((report.handled, report.failed_attempts), (6, 0));
        assert!(report.outages >= 1, "{report}");
        assert!(journal.notes().iter().all(|note| note.ends_with("/1")));
        assert_eq!(info(&bus, "ORDERS").await.unwrap().deliveries, 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_keep_what_is_given_up_and_bring_it_back() {
    on_both(async |bus| {
        for number in 1..=3 {
            place(&bus, "a", number).await;
        }
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .retry(Retry::steps([millis(10)]).max_attempts(2))
            .dead_letters(DeadLetters::stream("DLQ"));
        let consumer = consumer.on(move |event: Placed, ctx: Ctx| {
            let redrive = ctx.redriven().map_or(0, |redriven| redriven.redrive);
            notes.note(format!("{}/{} r{redrive}", event.number, ctx.attempt()));
            std::future::ready(match (event.number, redrive) {
                (1, 0) => Err(Failure::retry("later")),
                (2, 0) => Err(Failure::reject("never")),
                _ => Ok(()),
            })
        });
        let running = run(consumer);
        let (queue, open) = (bus.dead_letters("DLQ"), LetterFilter::open());
        eventually("two letters", async || {
            queue.count(&open).await.unwrap() == 2
        })
        .await;
        let list = within("a list", queue.list(&open, Page::ALL))
            .await
            .unwrap();
        let mut kinds: Vec<_> = list
            .iter()
            .map(|it| (it.origin.sequence, it.class.clone(), it.attempts))
            .collect();
        kinds.sort_by_key(|(sequence, ..)| *sequence);
        let expected = [
            (1, DeadLetterClass::RetryExhausted, 2),
            (2, DeadLetterClass::Rejected, 1),
        ];
        assert_eq!(kinds, expected);
        all_settled(&bus).await;
        within("a redrive", queue.redrive(open)).await.unwrap();
        eventually("the redriven events", async || {
            let mut notes = journal.notes();
            notes.retain(|note| note.ends_with("r1"));
            notes.sort();
            notes == ["1/1 r1", "2/1 r1"]
        })
        .await;
        let report = running.end().await;
        assert_eq!((report.handled, report.dead_lettered), (3, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_dead_letters_an_event_is_terminated() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let consumer = bus.consumer::<Placed>("billing");
        let consumer = consumer.on(|_: Placed, _| async { Err(Failure::reject("never")) });
        let running = run(consumer);
        eventually("the delivery", async || {
            info(&bus, "ORDERS")
                .await
                .is_ok_and(|info| info.deliveries == 1)
        })
        .await;
        all_settled(&bus).await;
        let report = running.end().await;
        assert_eq!(
            (report.terminated, report.dead_lettered, report.handled),
            (1, 0, 0)
        );
    })
    .await;
}

/// One unknown event waits at the server, the others are beyond the bound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_events_are_delayed_within_their_bounds() {
    on_both(async |bus| {
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .delay_unknown(DelayUnknown::default().at_most(1))
            .dead_letters(DeadLetters::stream("DLQ"))
            .on(move |event: Placed, _| {
                notes.note(event.number.to_string());
                async { Ok(()) }
            });
        for order in ["a", "b", "c"] {
            let order = order.to_owned();
            let orders = bus.publisher();
            let published = orders.publish(PlacedInParts { order });
            within("a publish", published).await.unwrap();
        }
        place(&bus, "a", 4).await;
        let running = run(consumer);
        journal.until(1).await;
        let (queue, all) = (bus.dead_letters("DLQ"), LetterFilter::all());
        eventually("two letters", async || {
            queue.count(&all).await.unwrap() == 2
        })
        .await;
        let list = within("a list", queue.list(&all, Page::ALL)).await.unwrap();
        let classes = list.iter().map(|letter| letter.class.clone());
        assert!(
            classes
                .into_iter()
                .all(|class| class == DeadLetterClass::UnknownEvent)
        );
        eventually("the known event's acknowledgement", async || {
            info(&bus, "ORDERS")
                .await
                .is_ok_and(|info| info.ack_pending == 1)
        })
        .await;
        let report = running.end().await;
        assert_eq!((report.handled, report.dead_lettered), (1, 2));
        assert!(report.delayed >= 1, "{report}");
    })
    .await;
}

//! Options whose effect on the server is indirect: filters, layers, and publishing from handlers.

use std::time::Duration;

use event_sdk::consumer::{Ctx, Retry};
use event_sdk::transport::TransportExt as _;

use super::rig::{Journal, Paid, Placed, all_settled, info, millis, on_both, place, run};
use crate::rig::within;

/// What a filter leaves out is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filtered_events_are_settled_and_counted() {
    on_both(async |bus| {
        for (number, region) in (1..=6).zip(["eu", "us"].into_iter().cycle()) {
            let event = super::rig::placed("a", number);
            let orders = bus.publisher();
            let published = orders.publish(event).metadata("region", region);
            within("a publish", published).await.unwrap();
        }
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .filter(|head: &event_sdk::EnvelopeHeader| head.metadata.get("region") == Some("eu"))
            .filter_event(|event: &Placed| event.number != 3);
        let consumer = consumer.on(move |event: Placed, _| {
            notes.note(event.number.to_string());
            async { Ok(()) }
        });
        let running = run(consumer);
        journal.until(2).await;
        all_settled(&bus).await;
        let report = running.end().await;
        assert_eq!(journal.notes(), ["1", "5"]);
        assert_eq!((report.handled, report.filtered), (2, 4));
        assert_eq!(info(&bus, "ORDERS").await.unwrap().deliveries, 6);
    })
    .await;
}

/// `Elapsed` of tower is a failed attempt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layers_are_around_each_attempt() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .retry(Retry::steps([millis(10)]).max_attempts(2))
            .layer(tower::timeout::TimeoutLayer::new(Duration::from_millis(50)));
        let consumer = consumer.on(move |_: Placed, ctx: Ctx| {
            notes.note(ctx.attempt().to_string());
            async move {
                if ctx.attempt() == 1 {
                    std::future::pending::<()>().await;
                }
                Ok(())
            }
        });
        let running = run(consumer);
        journal.until(2).await;
        all_settled(&bus).await;
        let report = running.end().await;
        assert_eq!((report.handled, report.failed_attempts), (1, 1));
    })
    .await;
}

/// A process ends while a redelivered event waits for its layers: no start is recorded in the bucket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_waits_for_layers_is_recorded_nowhere() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
        let journal = Journal::default();
        let consumer = |hangs: bool| {
            let limit = tower::limit::GlobalConcurrencyLimitLayer::with_semaphore(places.clone());
            let notes = journal.clone();
            let consumer = bus.consumer::<Placed>("billing").layer(limit);
            let consumer = consumer.ack_wait(Duration::from_secs(1));
            consumer.on(move |_: Placed, ctx: Ctx| {
                notes.note(format!("attempt {}", ctx.attempt()));
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                }
            })
        };
        let running = run(consumer(true));
        journal.until(1).await;
        running.crash().await;
        let taken = places.acquire().await.unwrap();
        let running = run(consumer(true));
        crate::rig::eventually("the next delivery", async || {
            info(&bus, "ORDERS").await.is_ok_and(|it| it.deliveries > 1)
        })
        .await;
        // It is kept alive meanwhile, and so is the entry that would be there.
        let bucket = bus.coordination();
        for _ in 0..20 {
            assert_eq!(
                within("a list", bucket.list("attempts"))
                    .await
                    .unwrap()
                    .len(),
                0
            );
        }
        running.crash().await;
        drop(taken);
        let running = run(consumer(false));
        journal.until(2).await;
        assert_eq!(journal.notes(), ["attempt 1", "attempt 1"]);
        all_settled(&bus).await;
        running.end().await;
    })
    .await;
}

/// The id of the published event derives from its cause: a second attempt stores nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_handler_publishes_inherits_and_is_stored_once() {
    on_both(async |bus| {
        let event = bus.publisher().prepare(super::rig::placed("a", 1));
        let event = event
            .correlation_id("request-7")
            .metadata("tenant", "north");
        let cause = event.id();
        within("a publish", bus.publisher().publish(event))
            .await
            .unwrap();
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus
            .consumer::<Placed>("billing")
            .inherit_metadata(["tenant"])
            .retry(Retry::steps([millis(10)]).max_attempts(2));
        let consumer = consumer.on(move |event: Placed, ctx: Ctx| {
            let notes = notes.clone();
            async move {
                let (order, number) = (event.order, event.number);
                let paid = ctx.publish(Paid { order, number }).await?;
                notes.note(paid.is_duplicate().to_string());
                match ctx.attempt() {
                    1 => Err(event_sdk::consumer::Failure::retry("once more")),
                    _ => Ok(()),
                }
            }
        });
        let running = run(consumer);
        journal.until(2).await;
        all_settled(&bus).await;
        running.end().await;
        assert_eq!(journal.notes(), ["false", "true"]);
        let state = within("the state", bus.transport().stream_state("MONEY")).await;
        assert_eq!(state.unwrap().messages, 1);
        let mut paid = within("history", bus.history::<Paid>()).await.unwrap();
        let paid = within("an event", paid.next()).await.unwrap().unwrap();
        let metadata = &paid.head().unwrap().metadata;
        assert_eq!(metadata.get("tenant"), Some("north"));
        assert_eq!(metadata.causation_id, Some(cause.into()));
        let correlation = metadata.correlation_id.as_ref().map(ToString::to_string);
        assert_eq!(correlation.as_deref(), Some("request-7"));
    })
    .await;
}

//! The end of a consumer: the drain time, what is given back, and a bus that is drained.

use event_sdk::consumer::Ctx;

use super::rig::{Journal, Placed, all_settled, info, millis, on_both, place, run, secs};
use crate::rig::{eventually, within};

/// A handler that does not end is named, and its event comes to the next instance long before the
/// ack wait is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_end_within_the_drain_time_is_given_back() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let journal = Journal::default();
        let notes = journal.clone();
        let hanging = bus
            .consumer::<Placed>("billing")
            .ack_wait(secs(3_600))
            .drain_within(millis(50))
            .on(move |_: Placed, _| {
                notes.note("start");
                std::future::pending()
            });
        let running = run(hanging);
        journal.until(1).await;
        let report = running.end().await;
        assert_eq!(report.unfinished.len(), 1, "{report}");
        assert_eq!(report.unfinished[0].sequence, Some(1));
        let notes = journal.clone();
        let next = bus.consumer::<Placed>("billing").on(move |_: Placed, _| {
            notes.note("handled");
            async { Ok(()) }
        });
        let running = run(next);
        journal.until(2).await;
        all_settled(&bus).await;
        assert_eq!(running.end().await.handled, 1);
    })
    .await;
}

/// It has no room, so that it does not ask its subscription.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_consumer_ends_as_soon_as_its_bus_is_drained() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus.consumer::<Placed>("billing").drain_within(secs(3_600));
        let consumer = consumer.on(move |_: Placed, ctx: Ctx| {
            notes.note("start");
            async move {
                ctx.cancelled().await;
                Ok(())
            }
        });
        let running = run(consumer);
        journal.until(1).await;
        // The handler ends only if it is told so before the drain is over.
        let drained = within("the drain", bus.drain(secs(3_600))).await.unwrap();
        // It may be settled before the drain counts.
        assert_eq!(drained.given_back, 0);
        assert_eq!(running.end().await.handled, 1);
    })
    .await;
}

/// A standby has no subscription, and is told all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_ends_with_its_bus() {
    on_both(async |bus| {
        let consumer = || {
            let consumer = bus.consumer::<Placed>("billing").single_active();
            consumer.on(|_: Placed, _| async { Ok(()) })
        };
        let owner = run(consumer());
        eventually("an owner", async || info(&bus, "ORDERS").await.is_ok()).await;
        let standby = consumer();
        let readiness = standby.readiness();
        let standby = run(standby);
        eventually("a standby", async || readiness.is_ready()).await;
        within("the drain", bus.drain(secs(30))).await.unwrap();
        eventually("its end", async || !readiness.is_ready()).await;
        assert_eq!(standby.end().await.handled, 0);
        assert_eq!(owner.end().await.handled, 0);
    })
    .await;
}

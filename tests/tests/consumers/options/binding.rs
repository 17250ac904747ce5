//! Options with which the durable is bound or created.

use event_sdk::consumer::{Consumer, Ctx, Preset};
use event_sdk::transport::{DeliverPolicy, ErrorKind};
use event_sdk::{EventBus, subject};

use super::rig::{Both, Journal, Placed, all_settled, info, on_both, pay, place, run, secs};
use crate::rig::{eventually, within};

/// Notes the number of each event.
fn noting(bus: &EventBus, journal: &Journal) -> Consumer<Placed> {
    let journal = journal.clone();
    bus.consumer::<Placed>("billing").on_with(
        journal,
        |journal: Journal, event: Placed, _: Ctx| async move {
            journal.note(event.number.to_string());
            Ok(())
        },
    )
}

/// The same, of both events.
fn noting_both(bus: &EventBus, journal: &Journal) -> Consumer<Both> {
    let journal = journal.clone();
    bus.consumer::<Both>("billing").each(move |event, _| {
        journal.note(match event {
            Both::Placed(placed) => format!("placed {}", placed.number),
            Both::Paid(paid) => format!("paid {}", paid.number),
        });
        async { Ok(()) }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn must_exist() {
    on_both(async |bus| {
        let journal = Journal::default();
        let error = within("a refusal", noting(&bus, &journal).must_exist().run()).await;
        assert_eq!(*error.unwrap_err().kind(), ErrorKind::ConsumerNotFound);
        let missing = info(&bus, "ORDERS").await.unwrap_err();
        assert_eq!(
            *missing.kind(),
            ErrorKind::ConsumerNotFound,
            "nothing was created"
        );
        run(noting(&bus, &journal)).end().await;
        place(&bus, "a", 1).await;
        let running = run(noting(&bus, &journal).must_exist());
        journal.until(1).await;
        assert_eq!(running.end().await.handled, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliver_from_a_sequence_and_from_now_on() {
    on_both(async |bus| {
        for number in 1..=4 {
            place(&bus, "a", number).await;
        }
        let journal = Journal::default();
        let consumer = noting(&bus, &journal).deliver(DeliverPolicy::ByStartSequence(3));
        let running = run(consumer);
        journal.until(2).await;
        assert_eq!(running.end().await.handled, 2);
        assert_eq!(journal.notes(), ["3", "4"]);

        let (new, notes) = (Journal::default(), Journal::default());
        let handler = notes.clone();
        let consumer = bus.consumer::<Placed>("audit").deliver(DeliverPolicy::New);
        let consumer = consumer.on(move |event: Placed, _| {
            handler.note(event.number.to_string());
            async { Ok(()) }
        });
        let readiness = consumer.readiness();
        let running = run(consumer);
        eventually("the subscription", async || readiness.is_ready()).await;
        place(&bus, "a", 5).await;
        notes.until(1).await;
        running.end().await;
        assert_eq!(notes.notes(), ["5"]);
        assert_eq!(new.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ack_wait_and_max_ack_pending_are_those_of_the_durable() {
    on_both(async |bus| {
        let journal = Journal::default();
        let consumer = noting(&bus, &journal).ack_wait(secs(7)).max_ack_pending(3);
        run(consumer).end().await;
        let config = info(&bus, "ORDERS").await.unwrap().config;
        assert_eq!(config.ack_wait, secs(7));
        assert_eq!(config.max_ack_pending.map(u32::from), Some(3));
        assert_eq!(config.max_deliver, None);
    })
    .await;
}

/// Three events are held, and the server delivers no fourth one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_events_are_unsettled_than_max_ack_pending() {
    on_both(async |bus| {
        for number in 1..=9 {
            place(&bus, "a", number).await;
        }
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus.consumer::<Placed>("billing").max_ack_pending(3);
        let consumer = consumer.concurrency(9).on(move |event: Placed, ctx: Ctx| {
            notes.note(event.number.to_string());
            async move {
                ctx.cancelled().await;
                Ok(())
            }
        });
        let running = run(consumer);
        journal.until(3).await;
        let info = info(&bus, "ORDERS").await.unwrap();
        assert_eq!((info.ack_pending, info.pending, info.deliveries), (3, 6, 3));
        assert_eq!(running.end().await.handled, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preset_sets_what_is_not_set_by_itself() {
    on_both(async |bus| {
        for number in 1..=3 {
            place(&bus, "a", number).await;
        }
        let journal = Journal::default();
        let notes = journal.clone();
        let consumer = bus.consumer::<Placed>("billing").max_ack_pending(5);
        let consumer = consumer
            .preset(Preset::low_latency())
            .preset(Preset::replay_from_sequence(2));
        let consumer = consumer.on(move |event: Placed, ctx: Ctx| {
            notes.note(format!("{} {}", event.number, ctx.is_replay()));
            async { Ok(()) }
        });
        let running = run(consumer);
        journal.until(2).await;
        running.end().await;
        assert_eq!(journal.notes(), ["2 true", "3 true"]);
        let config = info(&bus, "ORDERS").await.unwrap().config;
        assert_eq!(config.ack_wait, secs(10));
        assert_eq!(config.max_ack_pending.map(u32::from), Some(5));
    })
    .await;
}

/// What does not match stays with the server, which does not count it as left to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subject_key_and_stream_are_filters_of_the_server() {
    on_both(async |bus| {
        for (number, order) in (1..=3).zip(["a", "b", "a"]) {
            place(&bus, order, number).await;
            pay(&bus, order, number).await;
        }
        let notes = async |consumer: Consumer<Both>, journal: &Journal, count: usize| {
            let running = run(consumer);
            journal.until(count).await;
            let report = running.end().await;
            assert_eq!((report.handled, report.filtered), (count as u64, 0));
            journal.notes()
        };
        let journal = Journal::default();
        let by_key = noting_both(&bus, &journal).key("a");
        let mut all = notes(by_key, &journal, 4).await;
        all.sort();
        assert_eq!(all, ["paid 1", "paid 3", "placed 1", "placed 3"]);
        let info = info(&bus, "ORDERS").await.unwrap();
        assert_eq!((info.pending, info.ack_pending, info.deliveries), (0, 0, 2));
        let filters: Vec<_> = info
            .config
            .filters
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(filters, ["events.shop.order.placed.a"]);

        let journal = Journal::default();
        let seen = journal.clone();
        let other = bus.consumer::<Both>("audit").each(move |event, _| {
            seen.note(matches!(event, Both::Paid(_)).to_string());
            async { Ok(()) }
        });
        let by_subject = other.subject(subject!("money.order.paid.b"));
        assert_eq!(notes(by_subject, &journal, 1).await, ["true"]);

        let journal = Journal::default();
        let consumer = |name: &'static str| {
            let notes = journal.clone();
            bus.consumer::<Placed>(name).on(move |event: Placed, _| {
                notes.note(event.number.to_string());
                async { Ok(()) }
            })
        };
        let running = run(consumer("from_orders").stream("ORDERS"));
        journal.until(3).await;
        assert_eq!(running.end().await.handled, 3);
        let error = within("a refusal", consumer("from_money").stream("MONEY").run()).await;
        let error = error.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::NoStream, "{error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prefetch_takes_no_more_than_it_is_told() {
    on_both(async |bus| {
        for number in 1..=20 {
            place(&bus, "a", number).await;
        }
        let journal = Journal::default();
        let notes = journal.clone();
        let hanging = bus
            .consumer::<Placed>("billing")
            .prefetch(4)
            .ack_wait(secs(60));
        let hanging = hanging.on(move |event: Placed, ctx: Ctx| {
            notes.note(event.number.to_string());
            async move {
                ctx.cancelled().await;
                Ok(())
            }
        });
        let running = run(hanging);
        journal.until(1).await;
        // The one that runs, and those that were prefetched.
        let unsettled = info(&bus, "ORDERS").await.unwrap().ack_pending;
        assert!((1..=5).contains(&unsettled), "{unsettled}");
        running.end().await;
        // What was prefetched is given back at once, and comes to the next instance.
        let journal = Journal::default();
        let running = run(noting(&bus, &journal));
        journal.until(19).await;
        assert_eq!(running.end().await.handled, 19);
        let error = within("a refusal", noting(&bus, &journal).prefetch(0).run()).await;
        assert_eq!(*error.unwrap_err().kind(), ErrorKind::InvalidOption);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finite_max_deliver_is_refused_unless_it_is_accepted() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let durable = bus.subscribe::<Placed>().durable("billing").max_deliver(7);
        drop(within("the durable", durable).await.unwrap());
        let journal = Journal::default();
        let error = within("a refusal", noting(&bus, &journal).run())
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains("max_deliver 7"), "{error}");
        let running = run(noting(&bus, &journal).accept_max_deliver());
        journal.until(1).await;
        assert_eq!(running.end().await.handled, 1);
        all_settled(&bus).await;
    })
    .await;
}

//! Registration: the three forms, shared state, blocking handlers, and what is refused at start.

use std::sync::Arc;

use event_sdk::consumer::{ConsumerReport, Ctx, Handle, Outcome};
use event_sdk::{ErrorKind, EventBus, RawEvent};

use crate::journal::{Journal, OrderPaid, OrderPlaced, Orders, left, place};

/// Publishes one event of each type, and runs the consumer until both are noted.
async fn both_handled(
    bus: &EventBus,
    journal: &Journal,
    consumer: event_sdk::consumer::Consumer<Orders>,
) -> ConsumerReport {
    place(bus, "a", 1).await;
    bus.publisher()
        .publish(OrderPaid { number: 2 })
        .await
        .unwrap();
    let report = consumer.run_until(journal.wait(2)).await.unwrap();
    assert_eq!(journal.notes(), ["placed 1", "paid 2"]);
    assert_eq!(report.handled, 2);
    assert_eq!(left(bus, "billing").await, (0, 0));
    report
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_closures() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    let consumer = bus
        .consumer::<Orders>("billing")
        .on_with(
            journal.clone(),
            |journal: Journal, order: OrderPlaced, ctx: Ctx| async move {
                assert_eq!(ctx.attempt(), 1);
                assert_eq!(ctx.consumer(), "billing");
                assert_eq!(ctx.sequence(), Some(1));
                assert_eq!(ctx.envelope().event_type, "order.placed");
                journal.note(format!("placed {}", order.number));
                Ok(())
            },
        )
        .on(move |order: Arc<OrderPaid>, _| {
            notes.note(format!("paid {}", order.number));
            async { Ok(()) }
        });
    both_handled(&bus, &journal, consumer).await;
}

struct Billing(Journal);

impl Handle<OrderPlaced> for Billing {
    async fn handle(&self, order: OrderPlaced, _: &Ctx) -> Outcome {
        self.0.note(format!("placed {}", order.number));
        Ok(())
    }
}

impl Handle<OrderPaid> for Billing {
    async fn handle(&self, order: OrderPaid, ctx: &Ctx) -> Outcome {
        tokio::task::yield_now().await;
        self.0.note(format!("paid {}", order.number));
        ctx.in_progress().await?;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_trait_of_each_event() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumer = bus
        .consumer::<Orders>("billing")
        .handled_by(Billing(journal.clone()));
    both_handled(&bus, &journal, consumer).await;
}

#[tokio::test(start_paused = true)]
async fn one_function_of_the_whole_set() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let notes = journal.clone();
    let consumer = bus.consumer::<Orders>("billing").each(move |event, _| {
        notes.note(match event {
            Orders::Placed(order) => format!("placed {}", order.number),
            Orders::Paid(order) => format!("paid {}", order.number),
        });
        async { Ok(()) }
    });
    both_handled(&bus, &journal, consumer).await;
}

#[tokio::test]
async fn blocking_handlers_and_the_rest() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let (blocking, rest) = (journal.clone(), journal.clone());
    let consumer = bus
        .consumer::<Orders>("billing")
        .on_blocking(move |order: OrderPlaced, _| {
            blocking.note(format!("placed {}", order.number));
            Ok(())
        })
        .otherwise(move |event: RawEvent, _| {
            assert_eq!(event.head.event_type, "order.paid");
            rest.note("paid 2");
            async { Ok(()) }
        });
    both_handled(&bus, &journal, consumer).await;
}

/// Its state is cloned for each attempt, and shared through an `Arc`.
#[tokio::test]
async fn blocking_handlers_with_a_state() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumer = bus
        .consumer::<Orders>("billing")
        .on_blocking_with(
            journal.clone(),
            |journal: Journal, order: OrderPlaced, _| {
                journal.note(format!("placed {}", order.number));
                Ok(())
            },
        )
        .on_blocking_with(journal.clone(), |journal: Journal, paid: OrderPaid, _| {
            journal.note(format!("paid {}", paid.number));
            Ok(())
        });
    both_handled(&bus, &journal, consumer).await;
}

#[tokio::test]
async fn a_missing_or_doubled_handler_is_refused_at_start() {
    let bus = EventBus::memory();
    let refused = |consumer: event_sdk::consumer::Consumer<Orders>| async {
        let error = consumer.run().await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption);
        let text = error.to_string();
        assert!(text.contains("billing"), "{text}");
        text
    };
    let placed = |_: OrderPlaced, _: Ctx| async { Ok(()) };
    let paid = |_: OrderPaid, _: Ctx| async { Ok(()) };

    let missing = refused(bus.consumer::<Orders>("billing").on(placed)).await;
    assert!(missing.contains("no handler for OrderPaid"), "{missing}");
    let doubled = refused(
        bus.consumer::<Orders>("billing")
            .on(placed)
            .on(paid)
            .on(paid),
    )
    .await;
    assert!(doubled.contains("two handlers for OrderPaid"), "{doubled}");
    let beside = bus
        .consumer("billing")
        .on(placed)
        .each(|_, _| async { Ok(()) });
    assert!(refused(beside).await.contains("each"));
    let none = refused(
        bus.consumer::<Orders>("billing")
            .on(placed)
            .on(paid)
            .concurrency(0),
    )
    .await;
    assert!(none.contains("concurrency(0)"), "{none}");

    // Nothing was created for a consumer that does not start.
    let durable =
        event_sdk::transport::TransportExt::consumer_info(&**bus.transport(), "EVENTS", "billing");
    assert_eq!(
        *durable.await.unwrap_err().kind(),
        ErrorKind::ConsumerNotFound
    );
}

#[tokio::test]
async fn a_finite_max_deliver_is_refused() {
    let bus = EventBus::memory();
    let subscriber = bus
        .subscribe::<Orders>()
        .durable("billing")
        .max_deliver(3)
        .await;
    drop(subscriber.unwrap());
    let consumer = || {
        bus.consumer::<Orders>("billing")
            .each(|_, _| async { Ok(()) })
    };
    let error = consumer().run().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    let text = error.to_string();
    assert!(
        text.contains("max_deliver 3") && text.contains("EVENTS"),
        "{text}"
    );
    let accepted = consumer().accept_max_deliver().run_until(async {}).await;
    assert_eq!(accepted.unwrap(), ConsumerReport::default());
}

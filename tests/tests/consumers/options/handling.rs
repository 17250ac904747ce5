//! The forms of handlers.

use event_sdk::RawEvent;
use event_sdk::consumer::{Consumer, Ctx, Handle, Outcome};

use super::rig::{Both, Journal, Paid, Placed, all_settled, on_both, pay, place, run, secs};
use crate::rig::{eventually, within};

/// Adds handlers of one form.
type Form = fn(Consumer<Both>, Journal) -> Consumer<Both>;

struct Service(Journal);

impl Handle<Placed> for Service {
    async fn handle(&self, event: Placed, _: &Ctx) -> Outcome {
        self.0.note(format!("placed {}", event.number));
        Ok(())
    }
}

impl Handle<Paid> for Service {
    async fn handle(&self, event: Paid, _: &Ctx) -> Outcome {
        self.0.note(format!("paid {}", event.number));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_of_a_handler_gets_its_events() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        pay(&bus, "a", 2).await;
        let forms: [Form; 5] = [
            |consumer, journal| consumer.handled_by(Service(journal)),
            |consumer, journal| {
                consumer.each(move |event, _| {
                    journal.note(match event {
                        Both::Placed(event) => format!("placed {}", event.number),
                        Both::Paid(event) => format!("paid {}", event.number),
                    });
                    async { Ok(()) }
                })
            },
            |consumer, journal| {
                let other = journal.clone();
                consumer
                    .on(move |event: Placed, _| {
                        journal.note(format!("placed {}", event.number));
                        async { Ok(()) }
                    })
                    .on_blocking(move |event: Paid, _| {
                        other.note(format!("paid {}", event.number));
                        Ok(())
                    })
            },
            |consumer, journal| {
                consumer
                    .on_with(
                        journal.clone(),
                        |journal: Journal, event: Placed, _: Ctx| async move {
                            journal.note(format!("placed {}", event.number));
                            Ok(())
                        },
                    )
                    .on_blocking_with(journal, |journal: Journal, event: Paid, _| {
                        journal.note(format!("paid {}", event.number));
                        Ok(())
                    })
            },
            |consumer, journal| {
                let other = journal.clone();
                consumer
                    .on(move |event: Placed, _| {
                        journal.note(format!("placed {}", event.number));
                        async { Ok(()) }
                    })
                    .otherwise(move |event: RawEvent, _| {
                        assert_eq!(event.head.event_type, "order.paid");
                        other.note("paid 2");
                        async { Ok(()) }
                    })
            },
        ];
        for (number, form) in forms.into_iter().enumerate() {
            let journal = Journal::default();
            let consumer = bus.consumer::<Both>(format!("form{number}"));
            let running = run(form(consumer, journal.clone()));
            journal.until(2).await;
            let report = running.end().await;
            let mut notes = journal.notes();
            notes.sort();
            assert_eq!(notes, ["paid 2", "placed 1"], "form {number}");
            assert_eq!(report.handled, 2);
        }
    })
    .await;
}

/// A registry of consumers on the same bus: ready, idle, and ended together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_of_one_process_are_ready_and_idle() {
    on_both(async |bus| {
        let (journal, consumers) = (Journal::default(), event_sdk::consumer::Consumers::new());
        let notes = journal.clone();
        let billing = bus.consumer::<Placed>("billing").concurrency(3);
        let billing = billing.on(move |event: Placed, ctx: Ctx| {
            notes.note("placed");
            async move {
                let (order, number) = (event.order, event.number);
                ctx.publish(Paid { order, number }).await?;
                Ok(())
            }
        });
        let notes = journal.clone();
        let audit = bus
            .consumer::<Paid>("audit")
            .single_active()
            .on(move |_: Paid, _| {
                notes.note("paid");
                async { Ok(()) }
            });
        consumers.add(billing).unwrap();
        consumers.add(audit).unwrap();
        within("readiness", consumers.ready()).await.unwrap();
        for number in 1..=30 {
            place(&bus, "a", number).await;
        }
        within("idleness", consumers.idle()).await.unwrap();
        assert_eq!(journal.len(), 60);
        let report = within("the end", consumers.run_until(async {})).await;
        assert_eq!(report.into_result().unwrap().len(), 2);
        eventually("the end of all", async || consumers.count() == 0).await;
    })
    .await;
}

/// The instance that holds the event is delivered it again too, and drops these deliveries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_held_beyond_keep_alive_for_goes_to_another_instance() {
    on_both(async |bus| {
        place(&bus, "a", 1).await;
        let journal = Journal::default();
        let instance = |name: &'static str, hangs: bool| {
            let notes = journal.clone();
            let consumer = bus.consumer::<Placed>("billing").no_handler_timeout();
            let consumer = consumer.ack_wait(secs(1)).keep_alive_for(secs(1));
            consumer.on(move |_: Placed, _| {
                notes.note(name);
                async move {
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(())
                }
            })
        };
        let first = run(instance("first", true));
        journal.until(1).await;
        let second = run(instance("second", false));
        journal.until(2).await;
        all_settled(&bus).await;
        assert_eq!(journal.notes(), ["first", "second"]);
        assert_eq!(second.end().await.handled, 1);
        first.crash().await;
    })
    .await;
}

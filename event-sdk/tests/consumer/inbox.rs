//! The inbox of handlers: what the consumer asks it before an event is given up, and what handlers
//! with one know of their event.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{
    BatchFailure, Ctx, EventBatch, Failure, FailureClass, Handle, HandleBatch, Inbox, Outcome,
    OwnerEpoch, Retry,
};
use event_sdk::dead_letters::{
    Audit, DeadLetter, DeadLetterClass, DeadLetterStream, DeadLetters, GivenUp, MemoryDeadLetters,
    Resent,
};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{Completion, Error, ErrorKind, Operation};
use uuid::Uuid;

use crate::journal::{Journal, OrderPaid, OrderPlaced, Orders, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// An inbox in memory: what is done, and the letters of what is dead.
#[derive(Debug, Default)]
struct MemoryInbox {
    done: Mutex<Vec<Uuid>>,
    dead: Mutex<HashMap<Uuid, DeadLetter>>,
    refused: Mutex<Option<&'static str>>,
}

impl Inbox for MemoryInbox {
    fn give_up(
        &self,
        letter: &DeadLetter,
        _owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        let id = letter
            .event_id
            .expect("only events with an id have a record");
        Completion::ready(Ok(if self.done.lock().unwrap().contains(&id) {
            GivenUp::Done
        } else {
            match self.dead.lock().unwrap().insert(id, letter.clone()) {
                None => GivenUp::Dead,
                Some(before) => GivenUp::DeadBefore(Box::new(before)),
            }
        }))
    }

    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        let refused = *self.refused.lock().unwrap();
        Completion::ready(refused.map_or(Ok(()), |why| {
            let reason = format!("{consumer}: {why}");
            Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Configure,
                reason,
            ))
        }))
    }
}

/// Handles orders with an inbox.
struct Billing<F> {
    inbox: Arc<MemoryInbox>,
    journal: Journal,
    outcome: F,
}

impl<F: Fn(&Ctx, &MemoryInbox) -> Outcome + Send + Sync + 'static> Handle<OrderPlaced>
    for Billing<F>
{
    async fn handle(&self, order: OrderPlaced, ctx: &Ctx) -> Outcome {
        self.journal.note(order.number.to_string());
        (self.outcome)(ctx, &self.inbox)
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::clone(&self.inbox) as Arc<dyn Inbox>)
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_effect_is_done_is_not_given_up() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let letters = MemoryDeadLetters::new();
    let billing = Billing {
        inbox: Arc::default(),
        journal: journal.clone(),
        // The answer to the commit was lost.
        outcome: |ctx: &Ctx, inbox: &MemoryInbox| {
            inbox.done.lock().unwrap().push(ctx.envelope().event_id);
            Err(Failure::reject("no answer"))
        },
    };
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .handled_by(billing)
        .dead_letters(DeadLetters::memory(&letters));
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!((report.done_before, report.dead_lettered), (1, 0));
    assert!(letters.is_empty());
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_event_is_recorded_as_dead_before_its_letter_which_keeps_the_first_reason() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let inbox = Arc::<MemoryInbox>::default();
    let billing = |outcome: fn(&Ctx, &MemoryInbox) -> Outcome| Billing {
        inbox: Arc::clone(&inbox),
        journal: journal.clone(),
        outcome,
    };
    // The process ends after the record and before the letter.
    let never = DeadLetters::with(|_| std::future::pending::<Result<(), io::Error>>());
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .handled_by(billing(|_, _| {
            Err(Failure::retry("Ada").because("card declined"))
        }))
        .retry(Retry::none())
        .dead_letters(never);
    tokio::time::timeout(secs(5), consumer.run())
        .await
        .unwrap_err();
    assert_eq!(inbox.dead.lock().unwrap().len(), 1);

    let letters = MemoryDeadLetters::new();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .handled_by(billing(|_, _| Err(Failure::reject("dead"))))
        .dead_letters(DeadLetters::memory(&letters));
    let kept = letters.clone();
    let report = consumer.run_until(async move {
        while kept.is_empty() {
            tokio::time::sleep(secs(1)).await;
        }
    });
    let report = report.await.unwrap();
    assert_eq!((report.handled, report.dead_lettered), (0, 1));
    let letters = letters.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].class, DeadLetterClass::RetryExhausted);
    assert_eq!(letters[0].errors, ["error: card declined"]);
}

#[tokio::test(start_paused = true)]
async fn without_dead_letters_an_event_is_recorded_and_terminated() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let inbox = Arc::<MemoryInbox>::default();
    let billing = Billing {
        inbox: Arc::clone(&inbox),
        journal: journal.clone(),
        outcome: |_: &Ctx, _: &MemoryInbox| Err(Failure::reject("Ada").because("no such order")),
    };
    let consumer = bus.consumer::<OrderPlaced>("billing").handled_by(billing);
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!((report.terminated, report.dead_lettered), (1, 0));
    assert_eq!(inbox.dead.lock().unwrap().len(), 1);
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

/// Handles each event of `Orders`, with an inbox that another value may share.
struct OnePaid(Arc<MemoryInbox>);

impl Handle<OrderPaid> for OnePaid {
    async fn handle(&self, _: OrderPaid, _: &Ctx) -> Outcome {
        Ok(())
    }

    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        Some(Arc::clone(&self.0) as Arc<dyn Inbox>)
    }
}

#[tokio::test(start_paused = true)]
async fn the_inbox_is_checked_at_start() {
    let bus = EventBus::memory();
    let inbox = Arc::<MemoryInbox>::default();
    let consumer = |of_paid: &Arc<MemoryInbox>| {
        let placed = Billing {
            inbox: Arc::clone(&inbox),
            journal: Journal::new(),
            outcome: |_: &Ctx, _: &MemoryInbox| Ok(()),
        };
        bus.consumer::<Orders>("billing")
            .on_handler::<OrderPlaced, _>(placed)
            .on_handler::<OrderPaid, _>(OnePaid(Arc::clone(of_paid)))
    };
    let over = || std::future::ready(());
    consumer(&inbox).run_until(over()).await.unwrap();

    let error = consumer(&Arc::default()).run_until(over()).await;
    let error = error.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("different inboxes"), "{error}");

    *inbox.refused.lock().unwrap() = Some("the tables are missing");
    let error = consumer(&inbox).run_until(over()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("billing: the tables are missing"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_repeat_counts_as_done_before() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=3 {
        place(&bus, "a", number).await;
    }
    let notes = journal.clone();
    let consumer =
        bus.consumer::<OrderPlaced>("billing")
            .on(move |order: OrderPlaced, ctx: Ctx| {
                if order.number == 2 {
                    ctx.note_done_before();
                }
                notes.note(order.number.to_string());
                std::future::ready(Ok(()))
            });
    let report = consumer.run_until(journal.wait(3)).await.unwrap();
    assert_eq!((report.handled, report.done_before), (2, 1));
    assert_eq!(report.to_string(), "2 handled, 1 done before");
}

#[tokio::test(start_paused = true)]
async fn each_ownership_has_a_higher_epoch() {
    let bus = EventBus::memory();
    let epochs = Arc::new(Mutex::new(Vec::<Option<OwnerEpoch>>::new()));
    for number in 1..=2 {
        place(&bus, "a", number).await;
        let journal = Journal::new();
        let (notes, seen) = (journal.clone(), Arc::clone(&epochs));
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .single_active_for(secs(12))
            .on(move |_: OrderPlaced, ctx: Ctx| {
                seen.lock().unwrap().push(ctx.epoch());
                notes.note("handled");
                std::future::ready(Ok(()))
            });
        consumer.run_until(journal.wait(1)).await.unwrap();
    }
    let epochs = epochs.lock().unwrap().clone();
    let numbers: Vec<_> = epochs.iter().flatten().map(|it| it.number).collect();
    assert_eq!(numbers.len(), 2);
    assert!(numbers[0] < numbers[1], "{numbers:?}");
    assert!(epochs.iter().flatten().all(|it| it.partition == 0));

    place(&bus, "a", 3).await;
    let journal = Journal::new();
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("audit")
        .on(move |_: OrderPlaced, ctx: Ctx| {
            notes.note(format!("{:?}", ctx.epoch()));
            std::future::ready(Ok(()))
        });
    consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(journal.notes()[0], "None");
}

#[tokio::test(start_paused = true)]
async fn a_classifier_makes_errors_outages_unless_the_handler_says_otherwise() {
    for (explicit, outages, letters) in [(false, 2, 0), (true, 0, 1)] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        place(&bus, "a", 1).await;
        let notes = journal.clone();
        let kept = MemoryDeadLetters::new();
        let attempts = AtomicU32::new(0);
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .on(move |_: OrderPlaced, _: Ctx| {
                let busy = io::Error::from(io::ErrorKind::WouldBlock);
                notes.note("handled");
                std::future::ready(match attempts.fetch_add(1, Ordering::Relaxed) {
                    0 | 1 if explicit => Err(Failure::reject(busy)),
                    0 | 1 => Err(busy.into()),
                    _ => Ok(()),
                })
            })
            .classify(|error| {
                let error = error.downcast_ref::<io::Error>()?;
                (error.kind() == io::ErrorKind::WouldBlock).then_some(FailureClass::Outage)
            })
            .dead_letters(DeadLetters::memory(&kept));
        let wait = if explicit { 1 } else { 3 };
        let report = consumer.run_until(journal.wait(wait)).await.unwrap();
        assert_eq!((report.outages, kept.len()), (outages, letters));
    }
}

#[tokio::test(start_paused = true)]
async fn a_prepared_event_is_the_one_that_would_be_published() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(move |_: OrderPlaced, ctx: Ctx| {
            let (notes, bus) = (notes.clone(), ctx.bus().clone());
            async move {
                let prepared = ctx.publish(OrderPaid { number: 1 }).prepare();
                assert_eq!(
                    prepared.head().metadata.causation_id,
                    Some(ctx.envelope().event_id.into())
                );
                bus.publisher().publish(&prepared).await?;
                notes.note(prepared.id().to_string());
                if ctx.attempt() == 1 {
                    return Err(Failure::retry("once more"));
                }
                Ok(())
            }
        });
    consumer.run_until(journal.wait(2)).await.unwrap();
    let ids = journal.notes();
    assert_eq!(ids[0], ids[1]);
}

/// Notes for each event of a batch which earlier ones it follows.
struct Followers(Journal);

impl HandleBatch<OrderPlaced> for Followers {
    async fn handle_batch(&self, batch: EventBatch<OrderPlaced>) -> Result<(), BatchFailure> {
        let events: Vec<_> = batch.iter().collect();
        for (at, (order, ctx)) in events.iter().enumerate() {
            let earlier = events[..at].iter();
            let earlier = earlier.filter(|(_, earlier)| ctx.is_in_order_with(earlier));
            let earlier: Vec<_> = earlier.map(|(order, _)| order.number).collect();
            self.0.note(format!("{} after {earlier:?}", order.number));
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_tells_which_events_are_in_one_order() {
    for ordered in [true, false] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        for (number, key) in [(1, "a"), (2, "b"), (3, "a")] {
            place(&bus, key, number).await;
        }
        let followers = Followers(journal.clone());
        let mut consumer =
            bus.consumer::<OrderPlaced>("billing")
                .batches_handled_by(10, secs(1), followers);
        if ordered {
            consumer = consumer.ordered_by_key();
        }
        consumer.run_until(journal.wait(3)).await.unwrap();
        let last = if ordered { "3 after [1]" } else { "3 after []" };
        assert_eq!(journal.notes(), ["1 after []", "2 after []", last]);
    }
}

#[tokio::test(start_paused = true)]
async fn letters_of_any_store_come_to_their_consumer_again_once() {
    let place_of_retries = DeadLetterStream::new("DLQ");
    let bus = EventBus::builder()
        .stream(StreamSpec::new("EVENTS").subject(">"))
        .stream(place_of_retries.retry_spec())
        .memory()
        .unwrap();
    place(&bus, "a", 1).await;
    let letters = MemoryDeadLetters::new();
    let consumer = |journal: &Journal, fails: bool| {
        let notes = journal.clone();
        bus.consumer::<OrderPlaced>("billing")
            .on(move |order: OrderPlaced, ctx: Ctx| {
                let redriven = ctx.redriven().map(|it| (it.redrive, it.letter, it.edited));
                notes.note(format!("{} {redriven:?}", order.number));
                std::future::ready(if fails {
                    Err(Failure::reject("no such order"))
                } else {
                    Ok(())
                })
            })
            .dead_letters(DeadLetters::memory(&letters).retried_through(place_of_retries.clone()))
    };
    let journal = Journal::new();
    (consumer(&journal, true).run_until(journal.wait(1)).await).unwrap();
    let letter = letters.letters().remove(0);
    let audit = Audit::by("alice");
    let redrive = || bus.redrive_letter(&place_of_retries, 7, &letter, None, &audit);
    assert!(matches!(
        redrive().await.unwrap(),
        Resent::Now { sequence: Some(1) }
    ));
    let again = redrive().await.unwrap();
    let same = Resent::Earlier {
        is_same: true,
        sequence: Some(1),
    };
    assert_eq!(again, same);
    let journal = Journal::new();
    let report = consumer(&journal, false).run_until(journal.wait(1)).await;
    assert_eq!(report.unwrap().handled, 1);
    assert_eq!(journal.notes(), ["1 Some((1, 7, false))"]);
}

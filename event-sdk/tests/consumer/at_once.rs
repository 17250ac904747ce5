//! Events that are handled at once, without being held, end as those that are held: by a consumer with
//! a filter, which holds each event.

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use event_sdk::consumer::{ConsumerReport, Ctx, Failure, Outcome, Retry};
use event_sdk::dead_letters::{DeadLetters, MemoryDeadLetters};
use proptest::prelude::*;

use crate::away::Away;
use crate::journal::{Journal, OrderPlaced, left, place};

/// What the handler does with an event at first. Later it succeeds.
#[derive(Debug, Clone, Copy)]
enum First {
    Succeeds,
    WasDoneBefore,
    Waits,
    Fails,
    FailsLater,
    Panics,
    Rejects,
    ClaimsOutage,
    /// It takes longer than its time limit.
    Hangs,
}

fn firsts() -> impl Strategy<Value = Vec<First>> {
    let one = prop_oneof![
        4 => Just(First::Succeeds),
        1 => prop::sample::select(vec![
            First::WasDoneBefore,
            First::Waits,
            First::Fails,
            First::FailsLater,
            First::Panics,
            First::Rejects,
            First::ClaimsOutage,
            First::Hangs,
        ]),
    ];
    prop::collection::vec(one, 1..20)
}

async fn handle(first: Option<First>, ctx: Ctx) -> Outcome {
    let later = || tokio::time::sleep(Duration::from_millis(300));
    match first {
        None | Some(First::Succeeds) => {}
        Some(First::WasDoneBefore) => ctx.note_done_before(),
        Some(First::Waits) => later().await,
        Some(First::Fails) => return Err(Failure::retry("not at first")),
        Some(First::FailsLater) => {
            later().await;
            return Err(Failure::retry("not at first"));
        }
        Some(First::Panics) => panic!("planted"),
        Some(First::Rejects) => return Err(Failure::reject("never")),
        Some(First::ClaimsOutage) => return Err(Failure::outage("away")),
        Some(First::Hangs) => std::future::pending().await,
    }
    Ok(())
}

/// What happens to acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acks {
    Arrive,
    AreLost,
    Fail,
    TakeAWhile,
}

/// What a consumer did: its report, the attempts with their times, and the dead letters.
type Done = (ConsumerReport, Vec<(String, f64)>, usize);

/// Whether the handler that calls this was started as soon as its event was received. Nothing else
/// shows it than which function of the consumer calls.
fn is_at_once() -> bool {
    let stack = Backtrace::force_capture().to_string();
    assert!(stack.contains("HandlerAttempt"), "no names: {stack}");
    stack.contains("handle_at_once")
}

/// Who may handle the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Anyone,
    One,
    /// One acknowledgement of its settles many events.
    OneAckAll,
}

async fn run(events: Vec<First>, holds: bool, acks: Acks, owner: Owner) -> Done {
    let ((bus, transport), journal) = (Away::bus(), Journal::new());
    for number in 0..events.len() {
        place(&bus, "a", number as u64).await;
    }
    match acks {
        Acks::Arrive => {}
        Acks::AreLost => transport.lose_acks(1),
        Acks::Fail => transport.fail_acks(2),
        Acks::TakeAWhile => transport.answer_acks_later(),
    }
    let letters = MemoryDeadLetters::new();
    let (notes, seen) = (journal.clone(), Arc::new(Mutex::new(BTreeSet::new())));
    let at_once = Arc::new(OnceLock::new());
    let first_at_once = Arc::clone(&at_once);
    let consumer = bus.consumer::<OrderPlaced>("billing");
    let consumer = consumer.on(move |order: OrderPlaced, ctx: Ctx| {
        first_at_once.get_or_init(is_at_once);
        notes.note(format!("{}/{}", order.number, ctx.attempt()));
        let is_first = seen.lock().unwrap().insert(order.number);
        let first = usize::try_from(order.number).unwrap();
        handle(is_first.then_some(events[first]), ctx)
    });
    let consumer = consumer
        .retry(Retry::steps([Duration::from_secs(1)]).max_attempts(3))
        .handler_timeout(Duration::from_secs(2))
        .ack_wait(Duration::from_secs(30))
        .dead_letters(DeadLetters::memory(&letters));
    let consumer = match owner {
        Owner::Anyone => consumer,
        Owner::One => consumer.single_active(),
        Owner::OneAckAll => consumer.single_active().ack_all(),
    };
    let consumer = if holds {
        consumer.filter_event(|_: &OrderPlaced| true)
    } else {
        consumer
    };
    let end = tokio::time::sleep(Duration::from_secs(200));
    let report = consumer.run_until(end).await.unwrap();
    if acks != Acks::AreLost {
        assert_eq!(left(&bus, "billing").await, (0, 0));
    }
    // Otherwise both consumers would do the same.
    assert_eq!(at_once.get(), Some(&!holds));
    (report, journal.timed(), letters.letters().len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn events_that_are_not_held_end_as_those_that_are(
        events in firsts(),
        acks in prop::sample::select(vec![Acks::Arrive, Acks::AreLost, Acks::Fail, Acks::TakeAWhile]),
        owner in prop::sample::select(vec![Owner::Anyone, Owner::One, Owner::OneAckAll]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let held = runtime.block_on(run(events.clone(), true, acks, owner));
        let at_once = runtime.block_on(run(events, false, acks, owner));
        prop_assert_eq!(at_once, held);
    }
}

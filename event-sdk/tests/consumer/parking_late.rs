//! An owner that is frozen has sent letters and parked events that are stored after the next owner has
//! taken over: they do not count, since the next owner handles their events.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::Pattern;
use event_sdk::consumer::{ConsumerReport, Ctx, Failure, Retry};
use event_sdk::dead_letters::{DeadLetters, LetterFilter, Page};
use event_sdk::transport::{HistoryRequest, TransportExt as _};
use futures_util::TryStreamExt as _;

use crate::journal::{Journal, OrderPlaced, place};
use crate::parking::until;
use crate::slow::Slow;

const EVENTS: u64 = 8;

/// Handles events as the owner, until the journal has so many notes. The `first` event ends like this.
async fn owner(
    bus: &EventBus,
    letters: &DeadLetters,
    journal: &Journal,
    notes: usize,
    first: impl Fn() -> Result<(), Failure> + Send + Sync + 'static,
) -> ConsumerReport {
    let (ended, written) = (journal.clone(), journal.clone());
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .max_ack_pending(8)
        .ack_wait(Duration::from_millis(500))
        .retry(Retry::steps([Duration::from_secs(3_600)]).max_attempts(3))
        .single_active_for(Duration::from_millis(200))
        .dead_letters(letters.clone())
        .on(move |order: OrderPlaced, _: Ctx| {
            let done = if order.number == 1 { first() } else { Ok(()) };
            if done.is_ok() {
                written.note(order.number.to_string());
            }
            async move { done }
        });
    let ended = async move { ended.wait(notes).await };
    consumer.run_until(ended).await.unwrap()
}

/// The messages of the dead-letter stream below these subjects.
async fn stored(bus: &EventBus, subjects: &str) -> usize {
    let filters = vec![Pattern::parse(subjects.to_owned()).unwrap()];
    let request = HistoryRequest::new("DLQ", filters);
    let messages = bus.transport().read_history(request).await.unwrap();
    messages.try_collect::<Vec<_>>().await.unwrap().len()
}

/// The first owner ends while its messages with `part` in their subjects are under way, the second one
/// handles everything, and then these messages are stored.
async fn stored_after_the_takeover(
    letters: DeadLetters,
    part: &'static str,
    first: fn() -> Result<(), Failure>,
) {
    let (transport, bus) = Slow::buses();
    let slow = EventBus::builder().transport(transport.clone()).unwrap();
    let journal = Journal::new();
    for number in 1..=EVENTS {
        place(&bus, "a", number).await;
    }
    transport.hold(part);
    tokio::select! {
        report = owner(&slow, &letters, &journal, 1, first) => panic!("it ended: {report}"),
        () = transport.holds(1) => {}
    }
    let all = usize::try_from(EVENTS).unwrap();
    owner(&bus, &letters, &journal, all, || Ok(())).await;
    let accepted = transport.let_go().await;
    assert!(accepted > 0, "nothing came late");
    let late = stored(&bus, "dlq.=park.>").await + stored(&bus, "dlq.billing.>").await;
    assert_eq!(late, accepted);

    // No event waits, and none is dead.
    let queue = bus.dead_letters("DLQ");
    assert_eq!(queue.park("billing").keys().await.unwrap(), []);
    let list = queue.list(&LetterFilter::all(), Page::ALL).await.unwrap();
    assert_eq!(list, []);
    assert_eq!(queue.unreadable().await.unwrap(), Vec::<u64>::new());

    // The next owner does not handle them once more, and no key waits.
    place(&bus, "a", EVENTS + 1).await;
    owner(&bus, &letters, &journal, all + 1, || Ok(())).await;
    let order: Vec<_> = (1..=EVENTS + 1).map(|number| number.to_string()).collect();
    assert_eq!(journal.notes(), order);
    until("the end", async || {
        queue.park("billing").keys().await.unwrap().is_empty()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parked_event_that_is_stored_after_the_takeover_does_not_count() {
    let letters = DeadLetters::stream("DLQ");
    stored_after_the_takeover(letters, "=park", || Err(Failure::retry("not yet"))).await;
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_stored_after_the_takeover_does_not_count() {
    for letters in [
        DeadLetters::stream("DLQ"),
        DeadLetters::stream("DLQ").sequenced(),
    ] {
        stored_after_the_takeover(letters, "dlq.billing", || Err(Failure::reject("never"))).await;
    }
}

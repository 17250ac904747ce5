//! Publishing to a slow transport: accepted first, confirmed later.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::time::Clock;
use event_sdk::time::SteppedClock;
use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk::{EventBus, Published};
use event_sdk_tests::held::Held;
use event_sdk_tests::orders::{OrderPlaced, placed};
use futures_util::FutureExt;

const MANY: usize = 1000;

/// A bus by a clock that the test moves, where a publish takes five seconds at the most.
fn stepped(held: &Held) -> (Arc<SteppedClock>, EventBus) {
    let clock = Arc::new(SteppedClock::new());
    let bus = EventBus::builder()
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .publish_timeout(Duration::from_secs(5))
        .transport(held.clone())
        .unwrap();
    (clock, bus)
}

#[tokio::test]
async fn a_publish_waits_for_both_answers() {
    let held = Held::new();
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let mut publish = publisher.publish(placed(1)).into_future();
    assert!((&mut publish).now_or_never().is_none());
    held.handing_over.add_permits(1);
    assert!((&mut publish).now_or_never().is_none());
    held.confirming.add_permits(1);
    assert_eq!(publish.await.unwrap().sequence(), Some(1));
}

#[tokio::test]
async fn a_publish_that_is_not_confirmed_in_time_may_have_been_stored() {
    let held = Held::new();
    let (clock, bus) = stepped(&held);
    let publisher = bus.publisher::<OrderPlaced>();
    held.handing_over.add_permits(MANY);

    let mut publish = publisher.publish(placed(1)).into_future();
    assert!((&mut publish).now_or_never().is_none());
    clock.advance(Duration::from_secs(4));
    assert!((&mut publish).now_or_never().is_none());
    clock.advance(Duration::from_secs(1));
    let error = publish.await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout);
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(
        error.error().to_string().contains("may have succeeded"),
        "{error}"
    );

    // It was stored; the retry is the same event and finds it.
    held.confirming.add_permits(MANY);
    assert!(
        publisher
            .publish(error.into_prepared())
            .await
            .unwrap()
            .is_duplicate()
    );

    // A publish may have a timeout of its own.
    held.confirming.forget_permits(MANY);
    let publish = publisher.publish(placed(2)).timeout(Duration::from_mins(1));
    let mut publish = publish.into_future();
    assert!((&mut publish).now_or_never().is_none());
    clock.advance(Duration::from_secs(59));
    assert!((&mut publish).now_or_never().is_none());
    clock.advance(Duration::from_secs(1));
    assert_eq!(*publish.await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_retry_is_the_same_publish() {
    let held = Held::new();
    let clock = Arc::new(SteppedClock::new());
    let bus = EventBus::builder()
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .transport(held.clone())
        .unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    held.handing_over.add_permits(MANY);
    let publish = publisher.publish(placed(1)).message_id("order-1");
    let mut publish = publish.expect_last_sequence(0).into_future();
    assert!((&mut publish).now_or_never().is_none());
    clock.advance(Duration::from_secs(5));
    let error = publish.await.unwrap_err();
    held.confirming.add_permits(MANY);

    // Its message id is still the one that it was given, and so is its expectation.
    assert!(
        publisher
            .publish(error.prepared())
            .await
            .unwrap()
            .is_duplicate()
    );
    let other = error.into_prepared();
    let other = publisher.publish(other).message_id("order-2").await;
    let expected = ErrorKind::WrongLastSequence { last: Some(1) };
    assert_eq!(*other.unwrap_err().kind(), expected);

    // A header that cannot travel does not get lost on the way to a second try.
    let error = publisher.publish(placed(2)).header("x", "a\nb").await;
    let again = publisher.publish(error.unwrap_err().into_prepared()).await;
    assert_eq!(*again.unwrap_err().kind(), ErrorKind::InvalidHeader);
}

#[tokio::test]
async fn confirmations_go_on_while_the_next_is_handed_over() {
    let held = Held::new();
    held.handing_over.add_permits(1);
    held.confirming.add_permits(MANY);
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    // Each confirmation lets one more message be handed over.
    let more = Arc::clone(&held.handing_over);
    held.on_confirmed(move || more.add_permits(1));
    let stored = publisher.publish_all((0..50).map(placed)).await.unwrap();
    assert_eq!(stored.len(), 50);
}

#[tokio::test]
async fn many_are_pipelined_in_order_and_bounded_in_flight() {
    let held = Held::new();
    held.handing_over.add_permits(MANY);
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let mut publish = publisher
        .publish_all((0..100).map(placed))
        .in_flight(8)
        .into_future();
    assert!((&mut publish).now_or_never().is_none());
    assert_eq!((held.order().len(), held.most_waiting()), (8, 8));
    held.confirming.add_permits(MANY);
    let stored = publish.await.unwrap();
    let sequences: Vec<_> = stored.iter().map(Published::sequence).collect();
    assert_eq!(sequences, (1..=100).map(Some).collect::<Vec<_>>());
    assert_eq!(held.most_waiting(), 8);
}

#[tokio::test]
async fn a_late_confirmation_does_not_hold_up_the_others() {
    let held = Held::new();
    held.handing_over.add_permits(MANY);
    held.confirming.add_permits(MANY);
    held.withhold(1);
    let (clock, bus) = stepped(&held);
    let publisher = bus.publisher::<OrderPlaced>();
    let publish_twenty = || {
        let all = publisher.publish_all((0..20).map(placed));
        all.in_flight(4).into_future()
    };

    let mut publish = publish_twenty();
    assert!((&mut publish).now_or_never().is_none());
    assert_eq!(held.order().len(), 4);
    clock.advance(Duration::from_millis(100));
    assert!((&mut publish).now_or_never().is_none());
    assert_eq!((held.order().len(), held.most_waiting()), (20, 4));
    held.withheld.add_permits(1);
    let stored = publish.await.unwrap();
    let sequences: Vec<_> = stored.iter().map(Published::sequence).collect();
    assert_eq!(sequences, (1..=20).map(Some).collect::<Vec<_>>());

    // One that never comes is an error of its own, when its time is over.
    held.withhold(1);
    let mut publish = publish_twenty();
    assert!((&mut publish).now_or_never().is_none());
    clock.advance(Duration::from_millis(4999));
    assert!((&mut publish).now_or_never().is_none());
    clock.advance(Duration::from_millis(1));
    let error = publish.await.unwrap_err();
    let failed: Vec<bool> = error.results().iter().map(Result::is_err).collect();
    assert_eq!(failed, (0..20).map(|index| index == 0).collect::<Vec<_>>());
    let first = error.results()[0].as_ref().unwrap_err();
    assert_eq!(*first.kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn confirmations_that_take_their_time_take_it_together() {
    let held = Held::new();
    held.handing_over.add_permits(MANY);
    held.confirming.add_permits(MANY);
    held.answer_after(20);
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let begun = tokio::time::Instant::now();
    publisher.publish_all((0..200).map(placed)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(200), "{begun:?}");

    // The more so when they are errors, of which the first says that all may be.
    held.refuse();
    held.answer_after(45);
    let begun = tokio::time::Instant::now();
    let error = publisher.publish_all((0..200).map(placed)).await;
    assert_eq!(error.unwrap_err().into_failed().len(), 200);
    assert!(begun.elapsed() < Duration::from_millis(200), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn confirmations_go_on_while_events_come_slowly() {
    let held = Held::new();
    held.handing_over.add_permits(MANY);
    held.confirming.add_permits(MANY);
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    publisher.publish_all((0..200).map(placed)).await.unwrap();
    assert!(held.most_waiting() <= 32, "{}", held.most_waiting());
}

#[tokio::test]
async fn many_are_handed_over_one_after_the_other() {
    let held = Held::new();
    held.confirming.add_permits(MANY);
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let mut publish = publisher.publish_all((0..10).map(placed)).into_future();
    assert!((&mut publish).now_or_never().is_none());
    held.handing_over.add_permits(3);
    assert!((&mut publish).now_or_never().is_none());
    assert_eq!(held.order().len(), 3);
    held.handing_over.add_permits(MANY);
    assert_eq!(publish.await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_dropped_publish_takes_nothing_back() {
    let held = Held::new();
    held.handing_over.add_permits(1);
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let prepared = publisher.prepare(placed(1));
    assert!(
        publisher
            .publish(&prepared)
            .into_future()
            .now_or_never()
            .is_none()
    );
    assert_eq!(bus.stream_state("EVENTS").await.unwrap().messages, 1);
    held.handing_over.add_permits(MANY);
    held.confirming.add_permits(MANY);
    assert!(publisher.publish(&prepared).await.unwrap().is_duplicate());
}

#[tokio::test]
#[should_panic(expected = "polled after it was ready")]
async fn a_publish_that_was_ready_does_not_hang_when_it_is_polled_again() {
    let bus = EventBus::builder().memory().unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    let mut publish = publisher.publish(placed(1)).into_future();
    (&mut publish).await.unwrap();
    let _ = (&mut publish).now_or_never();
}

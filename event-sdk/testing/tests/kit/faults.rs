//! Each kind of fault, and that a seed repeats them.

use std::time::Duration;

use event_sdk::time::Clock as _;
use event_sdk::transport::{AckPolicy, Outcome};
use event_sdk::{ErrorKind, EventBus, Subscriber};
use event_sdk_testing::{Fault, Faults, Injected, Rates, TestBus};

use crate::events::{OrderPlaced, failure, placed};

fn with(rates: Rates) -> TestBus {
    TestBus::builder()
        .faults(Faults::from_seed(1).rates(rates))
        .build()
}

async fn orders(bus: &EventBus) -> Subscriber<OrderPlaced> {
    bus.subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap()
}

/// The orders that come within a minute, acknowledged, with the second at which they came.
async fn received(bus: &TestBus, orders: &mut Subscriber<OrderPlaced>) -> Vec<(u64, u32, u64)> {
    let clock = bus.stepped_clock();
    let mut received = Vec::new();
    let over = bus.advance(Duration::from_secs(60));
    let reading = async {
        while let Some(delivery) = orders.next().await {
            let delivery = delivery.unwrap();
            let order = delivery.decode().unwrap().order;
            received.push((order, delivery.attempt(), clock.monotonic().as_secs()));
            delivery.ack().await.unwrap();
        }
    };
    tokio::select! {
        () = reading => {}
        () = over => {}
    }
    received
}

fn kinds(bus: &TestBus) -> Vec<Fault> {
    let injected = bus.faults().unwrap().injected();
    injected.iter().map(|one| one.fault).collect()
}

#[tokio::test]
async fn a_duplicate_comes_after_its_acknowledgement() {
    let bus = with(Rates::none().duplicate(1.0));
    let mut orders = orders(&bus).await;
    bus.given(placed(1)).await;
    assert_eq!(
        received(&bus, &mut orders).await[..2],
        [(1, 1, 0), (1, 2, 0)]
    );
}

#[tokio::test]
async fn a_redelivery_comes_later_than_others() {
    let bus = with(Rates::none().redelivered(0.2));
    let mut orders = orders(&bus).await;
    for order in 1..=9 {
        bus.given(placed(order)).await;
    }
    let received = received(&bus, &mut orders).await;
    let again: Vec<_> = received
        .iter()
        .filter(|(_, attempt, _)| *attempt > 1)
        .collect();
    assert!(
        !again.is_empty() && received.len() == 9 + again.len(),
        "{received:?}"
    );
    assert!(again.iter().all(|(.., second)| *second < 5), "{received:?}");
    assert_eq!(kinds(&bus), vec![Fault::Redelivered; again.len()]);
}

#[tokio::test]
async fn deliveries_change_places_and_none_is_lost() {
    let bus = with(Rates::none().reorder(0.5));
    let mut orders = orders(&bus).await;
    for order in 1..=9 {
        bus.given(placed(order)).await;
    }
    let received = received(&bus, &mut orders).await;
    let mut order: Vec<_> = received.iter().map(|(order, ..)| *order).collect();
    assert!(!order.is_sorted(), "{order:?}");
    order.sort_unstable();
    assert_eq!(order, (1..=9).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_delay_is_at_most_the_longest() {
    let rates = Rates::none()
        .delay(1.0)
        .longest_delay(Duration::from_secs(3));
    let bus = with(rates);
    let mut orders = orders(&bus).await;
    for order in 1..=9 {
        bus.given(placed(order)).await;
    }
    let received = received(&bus, &mut orders).await;
    assert_eq!(received.len(), 9);
    assert!(
        received.iter().all(|(.., second)| *second < 3),
        "{received:?}"
    );
    assert!(
        received.iter().any(|(.., second)| *second > 0),
        "{received:?}"
    );
}

#[tokio::test]
async fn a_lost_ack_brings_the_event_again_after_the_ack_wait() {
    let bus = with(Rates::none().lost_ack(0.5));
    let mut orders = orders(&bus).await;
    for order in 1..=9 {
        bus.given(placed(order)).await;
    }
    let received = received(&bus, &mut orders).await;
    let again: Vec<_> = received
        .iter()
        .filter(|(_, attempt, _)| *attempt == 2)
        .collect();
    assert!(!again.is_empty(), "{received:?}");
    assert!(
        again.iter().all(|(.., second)| *second == 30),
        "{received:?}"
    );
}

#[tokio::test]
async fn a_lost_confirmed_ack_is_an_error_of_unknown_outcome() {
    let bus = with(Rates::none().lost_ack(1.0).duplicate(1.0));
    let mut orders = orders(&bus).await;
    bus.given(placed(1)).await;
    let delivery = orders.next().await.unwrap().unwrap();
    let error = delivery.ack_confirmed().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.outcome()),
        (&ErrorKind::Timeout, Outcome::Unknown)
    );
    // Settled again it arrives.
    delivery.ack().await.unwrap();
    drop(delivery);
    assert_eq!(received(&bus, &mut orders).await, []);
}

#[tokio::test]
async fn a_publish_fails_and_is_stored_or_not() {
    for (rates, outcome, stored) in [
        (Rates::none().publish_not_stored(1.0), Outcome::NotDone, 0),
        (Rates::none().publish_stored(1.0), Outcome::Unknown, 1),
    ] {
        let bus = with(rates);
        let error = bus.publisher().publish(placed(1)).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Disconnected);
        assert_eq!(error.outcome(), outcome);
        bus.published::<OrderPlaced>().exactly(stored);
    }
}

#[tokio::test]
async fn a_crash_comes_between_the_effect_and_the_ack() {
    let bus = with(Rates::none().crash(1.0));
    bus.given(placed(1)).await;
    let mut effects = Vec::new();
    {
        let mut orders = orders(&bus).await;
        let service = async {
            while let Some(delivery) = orders.next().await {
                let delivery = delivery.unwrap();
                effects.push(delivery.decode().unwrap().order);
                delivery.ack().await.unwrap();
            }
        };
        tokio::select! {
            () = service => {}
            () = bus.faults().unwrap().crashed() => {}
        }
        // The connection is dead: nothing on it completes.
        let publisher = bus.publisher();
        tokio::select! {
            biased;
            _ = publisher.publish(placed(2)) => panic!("a dead connection publishes"),
            () = bus.settled() => {}
        }
    }
    assert_eq!(effects, [1]);
    let restarted = bus.connect("billing");
    let mut again = orders(&restarted).await;
    let delivery = async { again.next().await.unwrap().unwrap() };
    let (delivery, ()) = tokio::join!(delivery, bus.advance(Duration::from_secs(31)));
    assert_eq!(delivery.attempt(), 2);
}

/// What a run with this seed injects, and in which order its events come.
async fn run(seed: u64) -> (Vec<Injected>, Vec<(u64, u32, u64)>) {
    let rates = Rates::default().publish_not_stored(0.0).publish_stored(0.0);
    let faults = Faults::from_seed(seed).rates(rates);
    let bus = TestBus::builder().faults(faults).build();
    let mut orders = orders(&bus).await;
    for order in 1..=50 {
        bus.given(placed(order)).await;
    }
    let received = received(&bus, &mut orders).await;
    (bus.faults().unwrap().injected(), received)
}

#[tokio::test]
async fn a_seed_repeats_its_faults_and_another_seed_has_others() {
    let first = run(3).await;
    assert!(first.0.len() > 10, "{:?}", first.0);
    assert_eq!(first, run(3).await);
    assert_ne!(first.0, run(4).await.0);
}

#[tokio::test]
async fn a_failing_test_shows_the_seed_and_what_was_injected() {
    let bus = with(Rates::none().publish_stored(1.0));
    let _ = bus.publisher().publish(placed(1)).await;
    let text = failure(|| bus.published::<OrderPlaced>().none());
    let end = "\nfaults of the seed 1 (publish stored 1):\n  at 0ns publish stored: events.orders.order.placed";
    assert!(text.ends_with(end), "{text}");
    let quiet = with(Rates::none());
    let text = failure(|| quiet.published::<OrderPlaced>().one());
    assert!(
        text.ends_with("faults of the seed 1 (all rates zero): none was injected"),
        "{text}"
    );
}

#[tokio::test]
async fn a_held_delivery_was_lost_and_is_the_next_one_of_its_event() {
    let rates = Rates::none().delay(0.5).lost_ack(0.5);
    let bus = with(rates);
    let mut orders = orders(&bus).await;
    for order in 1..=9 {
        bus.given(placed(order)).await;
    }
    let received = received(&bus, &mut orders).await;
    for order in 1..=9 {
        let of_order = received.iter().filter(|(number, ..)| *number == order);
        let attempts: Vec<_> = of_order.map(|(_, attempt, _)| *attempt).collect();
        assert!(
            attempts.windows(2).all(|two| two[0] < two[1]),
            "{received:?}"
        );
    }
    let late = received.iter().filter(|(_, _, second)| *second < 5);
    assert!(
        late.clone().any(|(_, attempt, _)| *attempt == 2),
        "{received:?}"
    );
}

#[tokio::test]
async fn without_acknowledgements_nothing_is_held_or_comes_again() {
    let bus = with(Rates::all(1.0).publish_not_stored(0.0).publish_stored(0.0));
    let subscribing = bus.subscribe::<OrderPlaced>();
    let mut orders = subscribing.ack_policy(AckPolicy::None).await.unwrap();
    for order in 1..=3 {
        bus.given(placed(order)).await;
    }
    let expected = [(1, 1, 0), (2, 1, 0), (3, 1, 0)];
    assert_eq!(received(&bus, &mut orders).await, expected);
    assert_eq!(kinds(&bus), []);
}

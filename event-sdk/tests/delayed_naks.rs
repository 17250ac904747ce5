//! Bounds on delayed naks: `refuse` delays a tenth of `max_ack_pending` for 15 minutes, then
//! terminates and reports; on the memory transport with a stepped clock.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::{Error, ErrorKind, Terminated, TransportExt as _};
use event_sdk::{
    ConsumerSpec, DelayUnknown, Delivery, Event, EventBus, EventSet, Incoming, Subscribe,
    Subscriber,
};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    number: u64,
}

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderCancelled {
    number: u64,
}

/// A later major of `OrderPlaced`.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(
    domain = "orders",
    entity = "order",
    action = "placed",
    version = "2.0"
)]
struct OrderPlacedInParts {
    numbers: Vec<u64>,
}

#[derive(Debug, EventSet)]
enum Old {
    Placed(OrderPlaced),
}

#[derive(Debug, EventSet)]
enum New {
    Placed(OrderPlaced),
    Cancelled(OrderCancelled),
}

const FIRST: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

struct Rig {
    clock: SteppedClock,
    bus: EventBus,
}

impl Rig {
    /// A durable of the new version, with this `max_ack_pending` at the transport.
    async fn new(max_ack_pending: u32) -> Self {
        let clock = SteppedClock::new();
        let spec = ConsumerSpec::durable::<New>("billing").max_ack_pending(max_ack_pending);
        let bus = EventBus::builder()
            .clock(Arc::new(clock.clone()))
            .stream(StreamSpec::new("ORDERS").subject("orders.>"))
            .consumer(spec)
            .memory()
            .unwrap();
        bus.apply().await.unwrap();
        Self { clock, bus }
    }

    fn old(&self) -> Subscribe<Old> {
        self.bus.subscribe().durable("billing")
    }

    async fn cancel(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let publisher = self.bus.publisher();
            publisher.publish(OrderCancelled { number }).await.unwrap();
        }
    }

    async fn place(&self, number: u64) {
        let publisher = self.bus.publisher();
        publisher.publish(OrderPlaced { number }).await.unwrap();
    }
}

/// What is there without waiting.
fn ready<S: EventSet>(events: &mut Subscriber<S>) -> Option<Incoming<S>> {
    let item = events.next_incoming().now_or_never()?;
    Some(item.expect("the subscription goes on").unwrap())
}

fn delivery<S: EventSet>(events: &mut Subscriber<S>) -> Delivery<S> {
    match ready(events) {
        Some(Incoming::Delivery(delivery)) => delivery,
        _ => panic!("nothing, or a notice"),
    }
}

fn notice<S: EventSet>(events: &mut Subscriber<S>) -> Terminated {
    match ready(events) {
        Some(Incoming::Notice(notice)) => {
            assert_eq!(notice.stream(), Some("ORDERS"));
            assert_eq!(notice.consumer(), Some("billing"));
            notice.terminated().unwrap().clone()
        }
        _ => panic!("nothing, or a delivery"),
    }
}

async fn refuse<S: EventSet>(delivery: &Delivery<S>) {
    let Err(error) = delivery.decode() else {
        panic!("sequence {:?} is known", delivery.sequence());
    };
    delivery.refuse(&error, FIRST).await.unwrap();
    // So that tokio's budget for a task does not end.
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn a_tenth_is_delayed_and_the_rest_is_terminated_and_reported() {
    let rig = Rig::new(20).await;
    let mut old = rig.old().await.unwrap();
    rig.cancel(0..50).await;
    rig.place(50).await;
    let mut terminated = Vec::new();
    let known = loop {
        match ready(&mut old).expect("the known event is held up") {
            Incoming::Notice(notice) => terminated.push(notice.terminated().unwrap().sequence),
            Incoming::Delivery(delivery) if delivery.decode().is_ok() => break delivery,
            Incoming::Delivery(delivery) => refuse(&delivery).await,
        }
    };
    assert_eq!(known.sequence(), Some(51));
    known.ack().await.unwrap();
    assert_eq!(terminated, (3..=50).collect::<Vec<_>>());
    assert_eq!(old.notices().terminated, 48);
    assert_eq!(old.notices().total(), 48);
    // The others come again, and keep their places.
    rig.clock.advance(FIRST);
    for sequence in [1, 2] {
        let again = delivery(&mut old);
        assert_eq!((again.sequence(), again.attempt()), (Some(sequence), 2));
        refuse(&again).await;
    }
    assert!(ready(&mut old).is_none());
}

#[tokio::test]
async fn the_reason_names_the_event_and_the_bound() {
    let rig = Rig::new(10).await;
    let mut old = rig.old().await.unwrap();
    rig.cancel(0..2).await;
    let numbers = vec![1, 2];
    let publisher = rig.bus.publisher();
    publisher
        .publish(OrderPlacedInParts { numbers })
        .await
        .unwrap();
    refuse(&delivery(&mut old)).await;
    let other = delivery(&mut old);
    refuse(&other).await;
    let Terminated {
        subject,
        sequence,
        reason,
        ..
    } = notice(&mut old);
    assert_eq!(
        (&subject, Some(sequence)),
        (other.subject(), other.sequence())
    );
    for said in [
        "events.orders.order.cancelled",
        "order.cancelled\" 1.0",
        "1 such events are delayed",
        "DelayUnknown::at_most",
    ] {
        assert!(reason.contains(said), "{reason} does not say {said}");
    }
    refuse(&delivery(&mut old)).await;
    let newer = notice(&mut old).reason;
    for said in ["order.placed\" 2.0", "DelayUnknown::at_most"] {
        assert!(newer.contains(said), "{newer} does not say {said}");
    }
}

#[tokio::test]
async fn a_long_type_does_not_push_the_bound_out_of_the_reason() {
    let rig = Rig::new(10).await;
    let mut old = rig.old().await.unwrap();
    rig.cancel(0..1).await;
    refuse(&delivery(&mut old)).await;
    let event = serde_json::json!({
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "event_type": "t".repeat(5_000),
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00Z",
        "source": "shop",
        "data": {},
    });
    let publish = rig
        .bus
        .raw()
        .publish("orders.order.cancelled", event.to_string());
    publish.await.unwrap();
    refuse(&delivery(&mut old)).await;
    let reason = notice(&mut old).reason;
    assert!(reason.contains("tttt"), "{reason}");
    // As much as a transport tells a server.
    assert!(reason.len() <= 1_024, "{} bytes", reason.len());
    assert!(reason.contains("DelayUnknown::at_most"), "{reason}");
}

#[tokio::test]
async fn the_last_delay_ends_fifteen_minutes_after_the_first_delivery() {
    let rig = Rig::new(1_000).await;
    let mut old = rig.old().await.unwrap();
    rig.clock.advance(MINUTE * 60);
    rig.cancel(0..1).await;
    let mut waited = Duration::ZERO;
    for (place, delay) in [30, 60, 120, 240, 450].into_iter().enumerate() {
        let event = delivery(&mut old);
        assert_eq!(usize::try_from(event.attempt()).unwrap(), place + 1);
        refuse(&event).await;
        let delay = Duration::from_secs(delay);
        let shortly = Duration::from_millis(1);
        rig.clock.advance(delay.saturating_sub(shortly));
        assert!(ready(&mut old).is_none(), "earlier than after {delay:?}");
        rig.clock.advance(shortly);
        waited += delay;
    }
    assert_eq!(waited, MINUTE * 15);
    assert_eq!(old.notices().terminated, 0);
    let last = delivery(&mut old);
    assert_eq!(last.attempt(), 6);
    refuse(&last).await;
    let reason = notice(&mut old).reason;
    for said in ["for 900s", "DelayUnknown::for_at_most"] {
        assert!(reason.contains(said), "{reason} does not say {said}");
    }
    rig.clock.advance(MINUTE * 60);
    assert!(ready(&mut old).is_none());
}

#[tokio::test]
async fn both_bounds_can_be_set_or_lifted() {
    let rig = Rig::new(20).await;
    let options = DelayUnknown::default().at_most(3).for_at_most(MINUTE);
    let mut old = rig.old().delay_unknown(options).await.unwrap();
    rig.cancel(0..5).await;
    for _ in 0..3 {
        refuse(&delivery(&mut old)).await;
    }
    for sequence in [4, 5] {
        refuse(&delivery(&mut old)).await;
        assert_eq!(notice(&mut old).sequence, sequence);
    }
    for delay in [30, 30] {
        rig.clock.advance(Duration::from_secs(delay));
        for _ in 0..3 {
            refuse(&delivery(&mut old)).await;
            if old.notices().terminated > 2 {
                notice(&mut old);
            }
        }
    }
    assert_eq!(old.notices().terminated, 5);
    drop(old);
    // Without bounds nothing is terminated, and what is delayed holds up the rest.
    let unlimited = rig.old().delay_unknown(DelayUnknown::unlimited());
    let mut old = unlimited.await.unwrap();
    rig.cancel(0..20).await;
    rig.place(20).await;
    for _ in 0..20 {
        refuse(&delivery(&mut old)).await;
    }
    assert!(ready(&mut old).is_none());
    for _ in 0..7 {
        rig.clock.advance(MINUTE * 15);
        for _ in 0..20 {
            refuse(&delivery(&mut old)).await;
        }
    }
    assert_eq!(old.notices().total(), 0);
}

#[tokio::test]
async fn subscriptions_of_a_bus_count_together_and_a_handled_event_frees_its_place() {
    let rig = Rig::new(20).await;
    rig.cancel(0..3).await;
    let mut old = rig.old().await.unwrap();
    refuse(&delivery(&mut old)).await;
    let mut other = rig.old().await.unwrap();
    refuse(&delivery(&mut other)).await;
    refuse(&delivery(&mut other)).await;
    assert_eq!(notice(&mut other).sequence, 3);
    assert_eq!(old.notices().terminated, 0);
    drop((old, other));
    // A new version in this process takes one of them.
    rig.clock.advance(FIRST);
    let mut new = rig.bus.subscribe::<New>().durable("billing").await.unwrap();
    let handled = delivery(&mut new);
    assert!(handled.decode().is_ok());
    let mut old = rig.old().await.unwrap();
    rig.cancel(3..5).await;
    let late = delivery(&mut old);
    assert_eq!(late.sequence(), Some(2));
    refuse(&late).await;
    handled.ack().await.unwrap();
    refuse(&delivery(&mut old)).await;
    assert_eq!(old.notices().terminated, 0);
    refuse(&delivery(&mut old)).await;
    assert_eq!(notice(&mut old).sequence, 5);
}

#[tokio::test]
async fn a_place_is_free_when_another_process_took_the_event() {
    let rig = Rig::new(10).await;
    let mut old = rig.old().await.unwrap();
    rig.cancel(0..1).await;
    refuse(&delivery(&mut old)).await;
    drop(old);
    rig.clock.advance(FIRST);
    // Another bus on the same transport is like another process.
    let elsewhere = EventBus::builder()
        .clock(Arc::new(rig.clock.clone()))
        .transport(Arc::clone(rig.bus.transport()));
    let mut new = elsewhere
        .unwrap()
        .subscribe::<New>()
        .durable("billing")
        .await
        .unwrap();
    delivery(&mut new).ack().await.unwrap();
    drop(new);
    let mut old = rig.old().await.unwrap();
    rig.cancel(1..3).await;
    refuse(&delivery(&mut old)).await;
    assert_eq!(notice(&mut old).sequence, 2);
    // The ack wait after its delay.
    rig.clock.advance(FIRST);
    refuse(&delivery(&mut old)).await;
    assert_eq!(old.notices().terminated, 1);
}

#[tokio::test]
async fn a_report_wakes_the_subscriber_and_outlives_a_drain() {
    let rig = Rig::new(10).await;
    let mut old = rig.old().await.unwrap();
    rig.cancel(0..3).await;
    refuse(&delivery(&mut old)).await;
    let (late, later) = (delivery(&mut old), delivery(&mut old));
    let waiting = tokio::spawn(async move {
        let incoming = old.next_incoming().await;
        (incoming, old)
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    refuse(&late).await;
    let within = Duration::from_secs(30);
    let waited = tokio::time::timeout(within, waiting).await;
    let (incoming, mut old) = waited.expect("it was not woken").unwrap();
    let Some(Ok(Incoming::Notice(notice))) = incoming else {
        panic!("{incoming:?}");
    };
    assert_eq!(notice.terminated().unwrap().sequence, 2);
    let drained = tokio::spawn(rig.bus.drain(MINUTE));
    assert!(old.next().await.is_none());
    refuse(&later).await;
    drained.await.unwrap().unwrap();
    assert_eq!(old.notices().terminated, 2);
    assert!(old.next_incoming().await.is_none());
}

#[tokio::test]
async fn a_delivery_that_is_refused_twice_is_reported_once_and_takes_no_place() {
    let rig = Rig::new(10).await;
    let mut old = rig.old().await.unwrap();
    rig.cancel(0..3).await;
    let first = delivery(&mut old);
    refuse(&first).await;
    let second = delivery(&mut old);
    refuse(&second).await;
    assert_eq!(notice(&mut old).sequence, 2);
    refuse(&second).await;
    assert_eq!(old.notices().terminated, 1);
    // The place is free, and stays so.
    first.ack().await.unwrap();
    refuse(&second).await;
    refuse(&delivery(&mut old)).await;
    assert_eq!(old.notices().terminated, 1);
}

#[tokio::test]
async fn a_place_is_kept_when_the_transport_refuses_the_settlement() {
    for batch in [false, true] {
        let rig = Rig::new(10).await;
        let mut old = rig.old().await.unwrap();
        rig.cancel(0..2).await;
        refuse(&delivery(&mut old)).await;
        rig.clock.advance(FIRST);
        let transport = rig.bus.transport();
        if batch {
            let batch = old.next_batch(1, FIRST).await.unwrap().unwrap();
            assert_eq!(batch[0].attempt(), 2);
            transport
                .delete_consumer("ORDERS", "billing")
                .await
                .unwrap();
            batch.ack().await.unwrap_err();
        } else {
            let again = delivery(&mut old);
            assert_eq!(again.attempt(), 2);
            transport
                .delete_consumer("ORDERS", "billing")
                .await
                .unwrap();
            again.term("it cannot be handled").await.unwrap_err();
        }
        drop(old);
        // A new one, whose first event is with its handler for now.
        rig.bus.apply().await.unwrap();
        let mut old = rig.old().await.unwrap();
        let first = delivery(&mut old);
        assert_eq!((first.sequence(), first.attempt()), (Some(1), 1));
        refuse(&delivery(&mut old)).await;
        assert_eq!(old.notices().terminated, 1, "in a batch: {batch}");
    }
}

#[tokio::test]
async fn bounds_of_zero_are_refused() {
    let rig = Rig::new(10).await;
    for bounds in [
        DelayUnknown::default().at_most(0),
        DelayUnknown::unlimited().for_at_most(Duration::ZERO),
    ] {
        let refused: Result<_, Error> = rig.old().delay_unknown(bounds).await;
        let error = refused.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        assert!(error.to_string().contains("DelayUnknown"), "{error}");
    }
}

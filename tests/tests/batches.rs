//! Batches: gathering by size and time, and settling together.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::{AckPolicy, ErrorKind, TransportExt as _};
use event_sdk::{Batch, EventBus, EventSet, Subscribe, Subscriber};
use event_sdk_tests::orders::{CustomerMoved, OrderPlaced, placed};
use futures_util::FutureExt;

/// The ack wait, and a bit.
const LATER: Duration = Duration::from_secs(31);

/// A bus in this process whose time stands still.
fn bus() -> (EventBus, SteppedClock) {
    let clock = SteppedClock::new();
    let bus = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(StreamSpec::new("CRM").subject("crm.>"))
        .clock(Arc::new(clock.clone()))
        .memory()
        .unwrap();
    (bus, clock)
}

fn moved(customer: &str) -> CustomerMoved {
    CustomerMoved {
        customer: customer.into(),
        city: "Oslo".into(),
    }
}

async fn publish(bus: &EventBus, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        bus.publisher().publish(placed(id)).await.unwrap();
    }
}

fn durable<S: EventSet>(bus: &EventBus) -> Subscribe<S> {
    bus.subscribe().durable("d")
}

fn ids(batch: &Batch<OrderPlaced>) -> Vec<u64> {
    let ids = batch.iter().map(|delivery| delivery.decode().unwrap().id);
    ids.collect()
}

/// What is there now, as one batch.
fn now(subscriber: &mut Subscriber<OrderPlaced>) -> Option<Batch<OrderPlaced>> {
    let batch = subscriber.next_batch(100, Duration::ZERO);
    batch.now_or_never().map(|batch| batch.unwrap().unwrap())
}

#[tokio::test]
async fn a_batch_is_full_or_waits_no_longer_than_it_was_told() {
    let (bus, clock) = bus();
    let mut orders = durable::<OrderPlaced>(&bus).await.unwrap();
    publish(&bus, 0..5).await;
    let second = Duration::from_secs(1);
    let full = orders.next_batch(3, second).await.unwrap().unwrap();
    assert_eq!(ids(&full), [0, 1, 2]);
    {
        let mut rest = pin!(orders.next_batch(3, second));
        assert!(rest.as_mut().now_or_never().is_none());
        clock.advance(second / 2);
        assert!(rest.as_mut().now_or_never().is_none());
        clock.advance(second / 2);
        assert_eq!(ids(&rest.await.unwrap().unwrap()), [3, 4]);
    }
    // Without a first one it waits for as long as it takes.
    let mut none = pin!(orders.next_batch(3, second));
    assert!(none.as_mut().now_or_never().is_none());
    clock.advance(second);
    assert!(none.as_mut().now_or_never().is_none());
}

#[tokio::test]
async fn what_was_gathered_outlives_the_wait_for_more() {
    let (bus, _clock) = bus();
    let mut orders = durable::<OrderPlaced>(&bus).await.unwrap();
    publish(&bus, 0..4).await;
    let batch = orders.next_batch(9, Duration::from_secs(1));
    assert!(batch.now_or_never().is_none());
    let first = orders.next().await.unwrap().unwrap();
    assert_eq!(first.decode().unwrap().id, 0);
    let batch = orders.next_batch(2, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(ids(&batch), [1, 2]);
    let batch = orders.next_batch(2, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(ids(&batch), [3]);
}

#[tokio::test]
async fn what_came_before_the_end_is_returned_before_it() {
    let (bus, _clock) = bus();
    let mut orders = durable::<OrderPlaced>(&bus).await.unwrap();
    publish(&bus, 0..2).await;
    {
        let mut batch = pin!(orders.next_batch(9, Duration::from_secs(1)));
        assert!(batch.as_mut().now_or_never().is_none());
        bus.close().await.unwrap();
        assert_eq!(ids(&batch.await.unwrap().unwrap()), [0, 1]);
    }
    assert!(orders.next_batch(9, Duration::ZERO).await.is_none());
}

#[derive(Debug, EventSet)]
enum Everything {
    Placed(OrderPlaced),
    Moved(CustomerMoved),
}

#[tokio::test]
async fn a_batch_that_spans_streams_is_settled_in_each() {
    for confirmed in [false, true] {
        let (bus, clock) = bus();
        let mut all = durable::<Everything>(&bus).await.unwrap();
        publish(&bus, 0..3).await;
        for customer in ["a", "b", "c"] {
            bus.publisher().publish(moved(customer)).await.unwrap();
        }
        let batch = all.next_batch(6, Duration::ZERO).await.unwrap().unwrap();
        let is_order = |e: &Everything| matches!(e, Everything::Placed(OrderPlaced { .. }));
        let decoded = batch.iter().map(|delivery| delivery.decode().unwrap());
        assert_eq!(decoded.filter(is_order).count(), 3);
        if confirmed {
            batch.ack_confirmed().await.unwrap();
        } else {
            batch.ack().await.unwrap();
        }
        clock.advance(LATER);
        drop(all);
        let mut again = durable::<Everything>(&bus).await.unwrap();
        assert!(again.next().now_or_never().is_none(), "{confirmed}");
    }
}

#[tokio::test]
async fn the_rest_of_a_batch_comes_again_and_the_first_part_does_not() {
    let (bus, clock) = bus();
    let mut orders = durable::<OrderPlaced>(&bus).await.unwrap();
    publish(&bus, 0..5).await;
    let mut batch = now(&mut orders).unwrap();
    let rest = batch.split_off(3);
    assert_eq!((batch.len(), rest.len()), (3, 2));
    batch.ack().await.unwrap();
    rest.nak(Duration::from_secs(5)).await.unwrap();
    publish(&bus, 5..7).await;
    now(&mut orders).unwrap().ack().await.unwrap();
    clock.advance(Duration::from_secs(5));
    let again = now(&mut orders).unwrap();
    assert_eq!(ids(&again), [3, 4]);
    again.ack().await.unwrap();
    clock.advance(LATER);
    drop(orders);
    let mut orders = durable::<OrderPlaced>(&bus).await.unwrap();
    assert!(now(&mut orders).is_none());
}

#[tokio::test]
async fn a_batch_says_which_of_its_deliveries_were_not_settled() {
    let (bus, _clock) = bus();
    let mut all = durable::<Everything>(&bus).await.unwrap();
    publish(&bus, 0..2).await;
    for customer in ["a", "b"] {
        bus.publisher().publish(moved(customer)).await.unwrap();
    }
    let batch = all.next_batch(4, Duration::ZERO).await.unwrap().unwrap();
    bus.transport().delete_consumer("CRM", "d").await.unwrap();
    let in_crm = |place: &usize| batch[*place].stream() == Some("CRM");
    let wanted: Vec<usize> = (0..4).filter(in_crm).collect();
    assert_eq!(wanted.len(), 2);
    let unsettled = batch.ack().await.unwrap_err();
    let named: Vec<usize> = unsettled.iter().map(|(place, _)| place).collect();
    assert_eq!(named, wanted);
    assert_eq!(unsettled.to_string(), "2 of 4 deliveries were not settled");
    let error = event_sdk::Error::from(unsettled);
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound);
    // The others need nothing more, and those fail again.
    let again = batch.nak(Duration::ZERO).await.unwrap_err();
    assert_eq!(again.len(), 2);
    let again = batch.in_progress().await.unwrap_err();
    assert_eq!(again.len(), 2);
}

#[tokio::test]
async fn a_batch_that_was_given_up_does_not_come_again() {
    let (bus, clock) = bus();
    let mut orders = durable::<OrderPlaced>(&bus).await.unwrap();
    publish(&bus, 0..3).await;
    let batch = now(&mut orders).unwrap();
    batch.term("nobody can read them").await.unwrap();
    clock.advance(LATER);
    assert!(now(&mut orders).is_none());
}

#[tokio::test]
async fn where_nothing_is_acknowledged_a_batch_has_nothing_to_settle() {
    let (bus, _clock) = bus();
    let mut orders = durable::<OrderPlaced>(&bus)
        .ack_policy(AckPolicy::None)
        .await
        .unwrap();
    publish(&bus, 0..3).await;
    let batch = now(&mut orders).unwrap();
    bus.close().await.unwrap();
    batch.ack().await.unwrap();
}

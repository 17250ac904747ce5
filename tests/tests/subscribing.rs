//! Subscribing through the public API: filters, keys, merged streams, gaps, history, hand-over.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{AckPolicy, DeliverPolicy, ErrorKind, Gap, LostCount};
use event_sdk::{Event, EventBus, EventSet, Incoming, RawEvent, Subscriber, subject};
use event_sdk_tests::orders::{
    AllOrderEvents, CustomerEvents, CustomerMoved, CustomerRenamed, OrderEvents, OrderPaid,
    OrderPlaced, placed,
};
use futures_util::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};

fn moved(customer: &str) -> CustomerMoved {
    CustomerMoved {
        customer: customer.into(),
        city: "Oslo".into(),
    }
}

fn paid(id: u64) -> OrderPaid {
    OrderPaid { id, amount: 1.5 }
}

/// The ids that are there already; the events are acknowledged.
async fn ready<S: EventSet>(subscriber: &mut Subscriber<S>, id: fn(S) -> u64) -> Vec<u64> {
    let mut ids = Vec::new();
    // Without tokio's budget, which would end this before the events do.
    while let Some(delivery) = tokio::task::unconstrained(subscriber.next()).now_or_never() {
        let delivery = delivery.unwrap().unwrap();
        ids.push(id(delivery.decode().unwrap()));
        delivery.ack().await.unwrap();
    }
    ids
}

fn order_id(event: OrderEvents) -> u64 {
    match event {
        OrderEvents::Placed(order) => order.id,
        OrderEvents::Paid(order) => order.id,
    }
}

#[tokio::test]
async fn a_set_receives_its_own_events_and_no_others() {
    let bus = EventBus::memory();
    let mut orders = bus.subscribe::<OrderEvents>().await.unwrap();
    bus.publisher().publish(placed(1)).await.unwrap();
    bus.publisher().publish(moved("a")).await.unwrap();
    bus.publisher().publish(paid(2)).await.unwrap();
    assert_eq!(ready(&mut orders, order_id).await, [1, 2]);
}

#[tokio::test]
async fn a_confirmed_ack_is_an_ack() {
    let bus = EventBus::memory();
    bus.publisher().publish(placed(1)).await.unwrap();
    let subscribe = || bus.subscribe::<OrderEvents>().durable("one");
    let mut orders = subscribe().await.unwrap();
    let delivery = orders.next().await.unwrap().unwrap();
    delivery.ack_confirmed().await.unwrap();
    delivery.nak(Duration::ZERO).await.unwrap();
    drop(orders);
    bus.publisher().publish(placed(2)).await.unwrap();
    assert_eq!(ready(&mut subscribe().await.unwrap(), order_id).await, [2]);
}

#[tokio::test]
async fn a_pattern_narrows_and_one_that_can_match_nothing_is_refused() {
    let bus = EventBus::memory();
    let narrow = bus
        .subscribe::<OrderEvents>()
        .subject(subject!("orders.*.paid"));
    let mut payments = narrow.await.unwrap();
    bus.publisher().publish(placed(1)).await.unwrap();
    bus.publisher().publish(paid(2)).await.unwrap();
    assert_eq!(ready(&mut payments, order_id).await, [2]);

    for pattern in [subject!("orders.*"), subject!("billing.>")] {
        let shown = pattern.to_string();
        let error = bus
            .subscribe::<OrderEvents>()
            .subject(pattern)
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidSubject);
        assert!(error.to_string().contains(&shown), "{error}");
        assert!(error.to_string().contains("orders.order.placed"), "{error}");
    }
}

#[tokio::test]
async fn a_key_narrows_to_one_entity() {
    let bus = EventBus::memory();
    let mut ada = bus
        .subscribe::<CustomerEvents>()
        .key("ada l.")
        .await
        .unwrap();
    for customer in ["bob", "ada l.", "ada"] {
        bus.publisher().publish(moved(customer)).await.unwrap();
    }
    let renamed = CustomerRenamed {
        customer: "ada l.".into(),
        name: "Ada".into(),
    };
    bus.publisher().publish(renamed.clone()).await.unwrap();
    let first = ada.next().await.unwrap().unwrap();
    assert_eq!(
        first.decode().unwrap(),
        CustomerEvents::Moved(moved("ada l."))
    );
    let second = ada.next().await.unwrap().unwrap();
    assert_eq!(second.decode().unwrap(), CustomerEvents::Renamed(renamed));
    assert!(ada.next().now_or_never().is_none());

    let error = bus.subscribe::<OrderEvents>().key(1).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("in_subject"), "{error}");
}

#[tokio::test]
async fn envelopes_are_filtered_here() {
    let bus = EventBus::memory();
    let keep = |head: &event_sdk::EnvelopeHeader| head.metadata.get("region") == Some("eu");
    let mut european = bus
        .subscribe::<OrderPlaced>()
        .durable("eu")
        .filter(keep)
        .await
        .unwrap();
    let publisher = bus.publisher::<OrderPlaced>();
    for id in 0..100 {
        let region = if id % 10 == 0 { "eu" } else { "us" };
        publisher
            .publish(placed(id))
            .metadata("region", region)
            .await
            .unwrap();
    }
    let ids = ready(&mut european, |order| order.id).await;
    assert_eq!(ids, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    // Those that were left out were acknowledged, and do not come back.
    drop(european);
    let mut again = bus.subscribe::<OrderPlaced>().durable("eu").await.unwrap();
    assert!(again.next().now_or_never().is_none());
}

#[tokio::test]
async fn a_set_that_spans_streams_is_merged() {
    #[derive(EventSet)]
    enum Both {
        Placed(OrderPlaced),
        Moved(CustomerMoved),
    }

    let bus = EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(StreamSpec::new("CRM").subject("crm.>"))
        .memory()
        .unwrap();
    let mut both = bus.subscribe::<Both>().durable("both").await.unwrap();
    for id in 0..10 {
        bus.publisher().publish(placed(id)).await.unwrap();
        bus.publisher()
            .publish(moved(&id.to_string()))
            .await
            .unwrap();
    }
    let (mut orders, mut customers) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let delivery = both.next().await.unwrap().unwrap();
        match delivery.decode().unwrap() {
            Both::Placed(order) => orders.push((delivery.sequence(), order.id)),
            Both::Moved(moved) => customers.push((delivery.sequence(), moved.customer)),
        }
        delivery.ack().await.unwrap();
    }
    assert_eq!(
        orders,
        (0..10).map(|id| (Some(id + 1), id)).collect::<Vec<_>>()
    );
    assert_eq!(customers.len(), 10);

    // History of both, by the time of storing; a sequence would be of one stream.
    let mut history = bus.history::<Both>().newest_first().limit(5).await.unwrap();
    let mut times = Vec::new();
    while let Some(recorded) = history.next().await {
        times.push(recorded.unwrap().stored_at());
    }
    assert_eq!(times.len(), 5);
    assert!(times.is_sorted_by(|a, b| a >= b));
    let error = bus.history::<Both>().from_sequence(3).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
}

/// Acks what is there to receive, and returns the streams of it.
async fn streams(subscriber: &mut Subscriber<RawEvent>) -> Vec<String> {
    let mut streams = Vec::new();
    while let Some(delivery) = tokio::task::unconstrained(subscriber.next()).now_or_never() {
        let delivery = delivery.unwrap().unwrap();
        streams.push(delivery.stream().unwrap().to_string());
        delivery.ack().await.unwrap();
    }
    streams.sort();
    streams
}

/// Streams are looked up when the subscription is awaited, on every transport.
#[tokio::test]
async fn a_stream_that_is_created_later_is_found_by_the_next_subscription() {
    let transport = MemoryTransport::builder().without_default_stream();
    let transport = transport.build().unwrap();
    let builder = || EventBus::builder().source("tests");
    let declares = |stream| builder().stream(stream).transport(transport.clone());
    let orders = declares(StreamSpec::new("ORDERS").subject("orders.>"));
    orders.unwrap().apply_streams().await.unwrap();

    let bus = builder().transport(transport.clone()).unwrap();
    let subscribe = || bus.subscribe::<RawEvent>();
    let mut early = subscribe().durable("early").await.unwrap();
    let crm = declares(StreamSpec::new("CRM").subject("crm.>"));
    crm.unwrap().apply_streams().await.unwrap();
    bus.publisher().publish(moved("a")).await.unwrap();
    bus.publisher().publish(placed(1)).await.unwrap();

    assert_eq!(streams(&mut early).await, ["ORDERS"]);
    drop(early);
    let mut again = subscribe().durable("early").await.unwrap();
    assert_eq!(streams(&mut again).await, ["CRM"]);
}

#[tokio::test]
async fn a_gap_is_a_notice_and_the_subscription_goes_on() {
    let stream = StreamSpec::new("ORDERS")
        .subject("orders.>")
        .max_messages(3);
    let bus = EventBus::builder().stream(stream).memory().unwrap();
    let mut orders = bus.subscribe::<OrderPlaced>().await.unwrap();
    for id in 1..=10 {
        bus.publisher().publish(placed(id)).await.unwrap();
    }
    let Some(Ok(Incoming::Notice(notice))) = orders.next_incoming().await else {
        panic!("a gap is due");
    };
    let gap = Gap {
        from: 1,
        to: 7,
        lost: LostCount::Exactly(7),
    };
    assert_eq!(notice.gap(), Some(gap));
    assert_eq!(ready(&mut orders, |order| order.id).await, [8, 9, 10]);
}

#[tokio::test]
async fn a_durable_is_bound_as_it_is_and_told() {
    let bus = EventBus::memory();
    let wait = Duration::from_mins(1);
    let one = bus
        .subscribe::<OrderEvents>()
        .durable("board")
        .ack_wait(wait)
        .await
        .unwrap();
    assert_eq!(one.differences().count(), 0);
    let two = bus
        .subscribe::<OrderEvents>()
        .durable("board")
        .deliver(DeliverPolicy::ByStartTime(jiff::Timestamp::now()))
        .await
        .unwrap();
    let differences: Vec<_> = two
        .differences()
        .map(|(stream, difference)| format!("{stream}: {difference}"))
        .collect();
    assert_eq!(differences, ["EVENTS: ack wait is 60s, wanted 30s"]);
    // A set with fewer events is served, one with more is not.
    bus.subscribe::<OrderPlaced>()
        .durable("board")
        .await
        .unwrap();
    bus.subscribe::<OrderPlaced>().durable("few").await.unwrap();
    let error = bus
        .subscribe::<OrderEvents>()
        .durable("few")
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::ConsumerMismatch { .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("never arrive") && text.contains("`apply`"),
        "{text}"
    );
}

#[tokio::test]
async fn options_that_contradict_themselves_are_refused() {
    let bus = EventBus::memory();
    let secs = Duration::from_secs;
    let all = || bus.subscribe::<OrderPlaced>();
    for subscribe in [
        all().durable("a.b"),
        all().durable(""),
        all().group("a b"),
        all().prefetch(0),
        all().durable("a").group("b"),
        all().ack_wait(Duration::ZERO),
        all()
            .max_deliver(2)
            .server_backoff([secs(1), secs(2), secs(3)]),
        all().server_backoff([Duration::ZERO]),
    ] {
        let shown = format!("{subscribe:?}");
        let error = subscribe.await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{shown}");
    }
    let error = all().stream("NOWHERE").await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NoStream);
    assert!(error.to_string().contains("NOWHERE"), "{error}");
}

#[tokio::test]
async fn history_by_pattern_entity_and_place() {
    let bus = EventBus::memory();
    for (customer, id) in [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)] {
        bus.publisher().publish(moved(customer)).await.unwrap();
        bus.publisher().publish(placed(id)).await.unwrap();
    }
    let all = bus.history::<CustomerEvents>().await.unwrap();
    assert_eq!(sequences(all).await, [1, 3, 5, 7, 9]);
    let ours = bus.history::<CustomerEvents>().key("a").await.unwrap();
    assert_eq!(sequences(ours).await, [1, 5, 9]);
    let newest = bus
        .history::<CustomerEvents>()
        .key("a")
        .newest_first()
        .limit(2)
        .await
        .unwrap();
    assert_eq!(sequences(newest).await, [9, 5]);
    let later = bus
        .history::<CustomerEvents>()
        .from_sequence(4)
        .await
        .unwrap();
    assert_eq!(sequences(later).await, [5, 7, 9]);
    let raw = bus
        .history::<RawEvent>()
        .subject(subject!("*.*.placed"))
        .limit(2)
        .await
        .unwrap();
    assert_eq!(sequences(raw).await, [2, 4]);
    let none = bus.history::<CustomerEvents>().limit(0).await.unwrap();
    assert!(sequences(none).await.is_empty());
}

async fn sequences<S: EventSet>(history: event_sdk::History<S>) -> Vec<u64> {
    history
        .map(|recorded| recorded.unwrap().sequence())
        .collect()
        .await
}

#[tokio::test]
async fn a_value_is_handed_over_without_being_written() {
    /// A secret was seen: it says when it is written.
    #[derive(Debug, Event, Deserialize)]
    #[event(domain = "test")]
    #[allow(dead_code, reason = "only its address is looked at")]
    struct SecretSeen {
        number: u8,
    }

    impl Serialize for SecretSeen {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("it was written"))
        }
    }

    #[derive(EventSet)]
    enum Secrets {
        Seen(Arc<SecretSeen>),
    }

    let bus = EventBus::builder()
        .memory_with(|memory| memory.hand_over(true))
        .unwrap();
    let mut shared = bus.subscribe::<Secrets>().await.unwrap();
    let mut owned = bus.subscribe::<SecretSeen>().await.unwrap();
    let event = Arc::new(SecretSeen { number: 7 });
    bus.publisher().publish(Arc::clone(&event)).await.unwrap();
    let Secrets::Seen(seen) = shared.next().await.unwrap().unwrap().decode().unwrap();
    assert!(Arc::ptr_eq(&seen, &event));
    // Who wants it for himself needs a copy, which is made by writing it.
    let error = owned.next().await.unwrap().unwrap().decode().unwrap_err();
    assert!(
        error.to_string().contains("refuses to be written"),
        "{error}"
    );
    assert_eq!(error.expose(), Some("it was written"));

    // A limit in bytes has to know them.
    let stream = StreamSpec::new("TEST").subject("test.>").max_bytes(10_000);
    let bus = EventBus::builder()
        .stream(stream)
        .memory_with(|memory| memory.hand_over(true))
        .unwrap();
    let error = bus.publisher().publish(event).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Encode);
}

#[tokio::test]
async fn a_handed_over_value_reads_like_one_that_was_written() {
    for hand_over in [false, true] {
        let bus = EventBus::builder()
            .memory_with(|memory| memory.hand_over(hand_over))
            .unwrap();
        let mut all = bus.subscribe::<AllOrderEvents>().await.unwrap();
        let mut raw = bus.subscribe::<RawEvent>().await.unwrap();
        let prepared = bus
            .publisher::<OrderPaid>()
            .prepare(paid(3))
            .metadata("region", "eu");
        bus.publisher::<OrderPaid>()
            .publish(&prepared)
            .await
            .unwrap();
        let delivery = all.next().await.unwrap().unwrap();
        assert_eq!(*delivery.head().unwrap(), *prepared.head());
        assert_eq!(delivery.event_id().unwrap(), prepared.id());
        let AllOrderEvents::Other(other) = delivery.decode().unwrap() else {
            panic!("OrderPaid is not named in the set");
        };
        assert_eq!(other.head, *prepared.head());
        assert_eq!(other.read_event::<OrderPaid>().unwrap(), paid(3));
        let delivery = raw.next().await.unwrap().unwrap();
        assert_eq!(delivery.raw().unwrap(), other);
        let body: serde_json::Value = serde_json::from_slice(&delivery.body().unwrap()).unwrap();
        assert_eq!(body["data"]["id"], 3);
    }
}

#[tokio::test]
async fn what_is_not_acknowledged_is_taken_ahead() {
    let bus = EventBus::memory();
    let mut orders = bus
        .subscribe::<OrderPlaced>()
        .ack_policy(AckPolicy::None)
        .await
        .unwrap();
    for id in 0..200 {
        bus.publisher().publish(placed(id)).await.unwrap();
    }
    assert_eq!(
        ready(&mut orders, |order| order.id).await,
        (0..200).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_subscription_can_begin_with_what_is_new() {
    let bus = EventBus::memory();
    bus.publisher().publish(placed(1)).await.unwrap();
    let mut new = bus
        .subscribe::<OrderPlaced>()
        .deliver(DeliverPolicy::New)
        .await
        .unwrap();
    bus.publisher().publish(placed(2)).await.unwrap();
    assert_eq!(ready(&mut new, |order| order.id).await, [2]);
}

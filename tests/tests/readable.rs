//! Events that are only received (`#[derive(Readable)]`): from bytes, from values that were handed
//! over, in sets, from history, and from older versions.

use std::sync::Arc;

use event_sdk::event::DataErrorKind;
use event_sdk::{EventBus, EventSet, RawEvent, Readable, Version};
use event_sdk_tests::orders::{self, OrderEvents};
use serde::Deserialize;

/// The part of an order that is read here.
#[derive(Debug, PartialEq, Readable, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    #[event(key)]
    id: u64,
}

/// The version before that of the publisher.
#[derive(Debug, PartialEq, Readable, Deserialize)]
#[event(domain = "orders", version = "1.0", entity = "order", action = "paid")]
struct OrderPaidV1 {
    cents: u64,
}

#[derive(Debug, PartialEq, Readable, Deserialize)]
#[event(domain = "orders", version = "2.0", upcast_from = OrderPaidV1)]
struct OrderPaid {
    amount: f64,
}

impl TryFrom<OrderPaidV1> for OrderPaid {
    type Error = &'static str;

    fn try_from(older: OrderPaidV1) -> Result<Self, Self::Error> {
        let cents = u32::try_from(older.cents).map_err(|_| "more than is possible")?;
        let amount = f64::from(cents) / 100.0;
        Ok(Self { amount })
    }
}

#[derive(Debug, PartialEq, EventSet)]
enum Received {
    Placed(OrderPlaced),
    Paid(Arc<OrderPaid>),
}

/// Buses whose transports carry bytes, and values.
fn buses() -> [EventBus; 2] {
    let values = EventBus::builder().memory_with(|memory| memory.hand_over(true));
    [EventBus::memory(), values.unwrap()]
}

async fn publish(bus: &EventBus) {
    bus.publisher().publish(orders::placed(7)).await.unwrap();
    let paid = orders::OrderPaid { id: 7, amount: 0.5 };
    bus.publisher().publish(paid).await.unwrap();
}

#[tokio::test]
async fn what_another_type_published_is_received() {
    for bus in buses() {
        let mut received = bus.subscribe::<Received>().await.unwrap();
        let mut alone = bus.subscribe::<OrderPlaced>().await.unwrap();
        publish(&bus).await;
        let placed = OrderPlaced { id: 7 };
        let delivery = alone.next().await.unwrap().unwrap();
        assert_eq!(delivery.decode().unwrap(), placed);
        let delivery = received.next().await.unwrap().unwrap();
        assert_eq!(delivery.decode().unwrap(), Received::Placed(placed));
        delivery.ack().await.unwrap();
        let delivery = received.next().await.unwrap().unwrap();
        let paid = Arc::new(OrderPaid { amount: 0.5 });
        assert_eq!(delivery.decode().unwrap(), Received::Paid(paid));
        // The publisher's own type still gets the value.
        let mut own = bus.subscribe::<OrderEvents>().await.unwrap();
        let delivery = own.next().await.unwrap().unwrap();
        let placed = OrderEvents::Placed(orders::placed(7));
        assert_eq!(delivery.decode().unwrap(), placed);
    }
}

#[tokio::test]
async fn history_has_it_too() {
    for bus in buses() {
        publish(&bus).await;
        let mut history = bus.history::<Received>().await.unwrap();
        let first = history.next().await.unwrap().unwrap();
        let placed = Received::Placed(OrderPlaced { id: 7 });
        assert_eq!(first.decode().unwrap(), placed);
    }
}

#[test]
fn an_older_version_is_only_read_too() {
    let read =
        |version, data: &str| event_sdk::event::decode_data::<OrderPaid>(version, data.as_bytes());
    let older = Version::new(1, 3);
    let paid = OrderPaid { amount: 0.5 };
    assert_eq!(read(older, r#"{"cents":50}"#).unwrap(), paid);
    let error = read(older, r#"{"cents":5000000000}"#).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Malformed);
    let error = read(Version::new(3, 0), "{}").unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Newer);
    let other = event_sdk::event::decode_data::<OrderPlaced>(Version::new(0, 9), b"{}");
    assert_eq!(other.unwrap_err().kind(), DataErrorKind::Older);
}

#[tokio::test]
async fn a_raw_event_is_read_as_one() {
    let bus = EventBus::memory();
    let mut raw = bus.subscribe::<RawEvent>().await.unwrap();
    publish(&bus).await;
    let event = raw.next().await.unwrap().unwrap().decode().unwrap();
    assert_eq!(event.read_event::<OrderPlaced>().unwrap().id, 7);
    assert_eq!(
        event
            .read_event::<OrderPlaced>()
            .unwrap()
            .key()
            .unwrap()
            .to_string(),
        "7"
    );
}

//! Subscriptions to declared durables: a setting that is given holds, every other is as declared.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::{ConsumerSpec, Event, EventBus, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    cents: i64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "payments")]
struct PaymentMade {
    cents: i64,
}

#[derive(EventSet)]
enum Both {
    Placed(OrderPlaced),
    Made(PaymentMade),
}

const MINUTE: Duration = Duration::from_secs(60);

fn bus(consumer: ConsumerSpec) -> EventBus {
    EventBus::builder()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(StreamSpec::new("PAYMENTS").subject("payments.>"))
        .consumer(consumer)
        .memory()
        .unwrap()
}

#[tokio::test]
async fn a_setting_that_is_given_is_wanted_even_if_it_is_the_default() {
    let bus = bus(ConsumerSpec::durable::<OrderPlaced>("billing").ack_wait(MINUTE));
    bus.apply().await.unwrap();
    let orders = || bus.subscribe::<OrderPlaced>().durable("billing");
    assert_eq!(orders().await.unwrap().differences().count(), 0);
    let given = orders().ack_wait(Duration::from_secs(30)).await.unwrap();
    let fields: Vec<_> = given.differences().map(|(_, one)| one.field).collect();
    assert_eq!(fields, ["ack wait"]);
}

#[tokio::test]
async fn the_stream_is_as_declared() {
    let bus = bus(ConsumerSpec::durable::<Both>("billing").stream("ORDERS"));
    let subscriber = bus.subscribe::<Both>().durable("billing").await;
    // Payments are in another stream, which the declaration leaves out.
    let error = subscriber.err().unwrap();
    assert!(error.to_string().contains("ORDERS"), "{error}");
    let narrow = event_sdk::subject!("orders.>");
    let declared = ConsumerSpec::durable::<Both>("billing")
        .stream("ORDERS")
        .subject(narrow);
    let bus = self::bus(declared);
    bus.apply().await.unwrap();
    let subscriber = bus.subscribe::<Both>().durable("billing").await.unwrap();
    let streams: Vec<_> = subscriber.bound().map(|(stream, _)| stream).collect();
    assert_eq!(streams, ["ORDERS"]);
}

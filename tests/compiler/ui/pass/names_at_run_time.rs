//! Names and patterns may be known at run time only, whoever owns them.

use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventBus, Pattern, Subject};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    id: u64,
}

fn subscribe(bus: &EventBus, name: &str) {
    let owned = name.to_owned();
    let _ = bus.subscribe::<OrderPlaced>().durable(name);
    let _ = bus.subscribe::<OrderPlaced>().durable(&owned);
    let _ = bus.subscribe::<OrderPlaced>().group(owned.as_str()).stream(&owned);
    let _ = bus.subscribe::<OrderPlaced>().durable(format!("{name}-2"));
    let _ = bus.publisher::<OrderPlaced>().publish(OrderPlaced { id: 7 }).message_id(&owned);
    let _ = bus.history::<OrderPlaced>().stream(name);
}

fn main() {
    let (name, pattern) = (String::from("ORDERS"), String::from("orders.>"));
    let stream = StreamSpec::new(&name).subject(&pattern);
    assert!(stream.config("events").is_ok());
    let bus = EventBus::builder().prefix(&*String::from("events")).stream(stream).memory().unwrap();
    subscribe(&bus, &name);
    assert!("orders.order.placed".parse::<Subject>().is_ok());
    assert!(pattern.parse::<Pattern>().is_ok());
}

//! The shop that commands are run on: its events, its topology, and what has happened there.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::time::{SequentialIds, SteppedClock};
use event_sdk::{Event, EventBus, EventSet, Pii, TraceContext};
use event_sdk_ops::Operations;
use event_sdk_topology::permissions::{Consumes, Service};
use event_sdk_topology::{DurableSpec, Topology};
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) order: String,
    pub(crate) cents: u64,
    pub(crate) customer: Pii<String>,
}

/// An order was billed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "billing")]
pub(crate) struct OrderBilled {
    #[event(key)]
    pub(crate) order: String,
}

#[derive(EventSet)]
pub(crate) enum ShopEvents {
    Placed(OrderPlaced),
    Billed(OrderBilled),
}

/// What the shop declares.
pub(crate) const SHOP: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("ORDERS", &["orders.>"])
                .max_messages(1_000)
                .max_age(Duration::from_secs(7 * 86_400)),
            StreamSpec::constant("BILLING", &["billing.>"]).max_bytes(1 << 20),
        ]
    },
)
.consumers(const { &[DurableSpec::of::<OrderPlaced>("billing")] });

/// The name of a customer, who is nobody's business.
pub(crate) const CUSTOMER: &str = "Ada Lovelace";

/// Her mail address, which is the key of an event.
pub(crate) const KEY: &str = "ada@example.org";

/// An event of another program, with a name in it, and a key that is personal.
const FOREIGN: &str = r#"{"event_id":"0197a2b0-7c1e-7000-8000-00000000000f","event_type":"order.returned","timestamp":"2026-05-01T08:00:00Z","data":{"by":"Ada Lovelace"},"metadata":{"key":"ada@example.org"}}"#;

/// The commands of the shop on this bus.
pub(crate) fn operations(bus: EventBus) -> Operations {
    let billing = Service::new("billing")
        .publishes::<OrderBilled>()
        .consumes(Consumes::durable("billing"));
    let users = SHOP
        .permissions("shop")
        .service(Service::new("checkout").publishes::<OrderPlaced>())
        .service(billing)
        .deployment("deploy");
    Operations::new("shop")
        .topology(SHOP)
        .permissions(users)
        .events::<ShopEvents>()
        .bus(bus)
}

/// An empty shop on memory, whose clock and ids are the same in each run.
pub(crate) async fn empty() -> (EventBus, SteppedClock) {
    let clock = SteppedClock::starting_at("2026-05-01T08:00:00Z".parse().unwrap());
    let bus = SHOP
        .declare(EventBus::builder())
        .source("checkout")
        .clock(Arc::new(clock.clone()))
        .ids(Arc::new(SequentialIds::default()))
        .memory()
        .unwrap();
    SHOP.apply(&bus).await.unwrap();
    (bus, clock)
}

/// A shop where orders were placed and one of them was handled.
pub(crate) async fn busy() -> EventBus {
    let (bus, clock) = empty().await;
    // Whether an event has a trace must not depend on the subscribers of other tests: it counts in sizes.
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let trace = TraceContext::new(trace, None).unwrap();
    let orders = bus.publisher::<OrderPlaced>();
    let order = |number: u64| OrderPlaced {
        order: format!("o-{number}"),
        cents: 1_999 * number,
        customer: Pii::new(CUSTOMER.to_owned()),
    };
    for number in 1..=3 {
        orders.publish(order(number)).trace(&trace).await.unwrap();
        clock.advance(Duration::from_secs(60));
    }
    let mut billing = bus
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap();
    let delivery = billing.next().await.unwrap().unwrap();
    let billed = OrderBilled {
        order: "o-1".to_owned(),
    };
    bus.publisher()
        .publish(billed)
        .caused_by(&delivery)
        .trace(&trace)
        .await
        .unwrap();
    delivery.ack_confirmed().await.unwrap();
    drop(billing);
    let raw = bus.raw();
    raw.publish("orders.order.returned", FOREIGN)
        .trace(&trace)
        .await
        .unwrap();
    raw.publish("orders.order.placed", "no envelope")
        .trace(&trace)
        .await
        .unwrap();
    clock.advance(Duration::from_secs(5));
    bus
}

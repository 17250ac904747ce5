//! The events of the shop.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::{Delivery, Error, Event, EventBus, EventSet, Publish};
use event_sdk_testing::TestBusBuilder;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "shop")]
pub(crate) struct ProductListed {
    #[event(key)]
    pub(crate) product: u64,
    pub(crate) cents: u64,
}

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "shop")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) order: u64,
    pub(crate) product: u64,
}

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "billing")]
pub(crate) struct OrderInvoiced {
    #[event(key)]
    pub(crate) order: u64,
}

#[derive(EventSet)]
pub(crate) enum ShopEvents {
    Listed(ProductListed),
    Placed(OrderPlaced),
}

/// The input of most services: three orders.
pub(crate) async fn three_orders(bus: EventBus) {
    for order in 1..=3 {
        let placed = OrderPlaced { order, product: 1 };
        bus.publisher().publish(placed).await.unwrap();
    }
}

/// A stream that remembers ids for longer than a run takes: after the default two minutes, a
/// repeated publish is stored again.
pub(crate) fn remembering(bus: TestBusBuilder) -> TestBusBuilder {
    let hour = Duration::from_secs(3600);
    bus.stream(
        StreamSpec::new("EVENTS")
            .subject(">")
            .duplicate_window(hour),
    )
}

/// The next order; `None` at the end.
pub(crate) async fn next(
    orders: &mut event_sdk::Subscriber<OrderPlaced>,
) -> Result<Option<(Delivery<OrderPlaced>, OrderPlaced)>, Error> {
    let Some(delivery) = orders.next().await else {
        return Ok(None);
    };
    let delivery = delivery?;
    let order = delivery.decode().unwrap();
    Ok(Some((delivery, order)))
}

/// The publish of an invoice that is repeated without effect.
pub(crate) fn invoiced<'a>(
    publisher: &'a event_sdk::Publisher<OrderInvoiced>,
    order: u64,
    cause: &Delivery<OrderPlaced>,
) -> Publish<'a, OrderInvoiced> {
    let publish = publisher.publish(OrderInvoiced { order });
    let id = cause.event_id().unwrap();
    publish
        .caused_by(cause)
        .message_id(format!("invoice-of-{id}"))
}

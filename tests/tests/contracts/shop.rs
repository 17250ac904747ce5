//! Test catalogue of a shop, with every form of data that serde writes.

mod orders;
mod payments;
mod stock;

use std::time::Duration;

use event_schemas::{Catalogue, Consumer, Service};
use event_sdk::stream::{Retention, StreamSpec};
use event_sdk::{EventSet, RawEvent};

use orders::{OrderCancelled, OrderPlaced, OrderPlacedV1};
use payments::{PaymentRefused, PaymentTaken};
use stock::{CategoryMoved, ParcelScanned, StockCounted};

#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum OrderEvents {
    Placed(OrderPlaced),
    Cancelled(OrderCancelled),
}

#[derive(EventSet)]
enum PaymentEvents {
    Taken(PaymentTaken),
    Refused(PaymentRefused),
}

#[derive(EventSet)]
#[event(pattern = "stock.>")]
enum StockEvents {
    Counted(StockCounted),
    Moved(CategoryMoved),
    #[event(other)]
    Other(RawEvent),
}

/// Orders and payments are audited, whatever comes to be among them.
#[derive(EventSet)]
#[event(pattern = "orders.>")]
enum AnyOrder {
    Placed(OrderPlaced),
    #[event(other)]
    Other(RawEvent),
}

/// The shop, with an example of each event.
pub(crate) fn catalogue() -> Catalogue {
    stock::examples(payments::examples(orders::examples(without_examples())))
}

/// The shop, with no example of any event.
pub(crate) fn without_examples() -> Catalogue {
    Catalogue::new("Corner shop")
        .describe("What happens in the shop: orders, payments, and what is on the shelves.")
        .version("3.2.0")
        .prefix("prod.shop")
        .service(
            Service::new("checkout")
                .describe("Takes orders from the web and from the tills.")
                .publishes::<OrderEvents>()
                .consumes(
                    Consumer::of::<PaymentEvents>("checkout-payments")
                        .describe("Closes an order when it was paid for.")
                        .max_deliver(5)
                        .ack_wait(Duration::from_secs(30))
                        .backoff([1, 5, 30].map(Duration::from_secs))
                        .dead_letter("DLQ"),
                ),
        )
        .service(
            Service::new("billing")
                .describe("Takes money.")
                .publishes::<PaymentEvents>()
                .consumes(
                    Consumer::of::<OrderPlaced>("billing")
                        .describe("Asks for the money of each order.")
                        .max_deliver(10),
                ),
        )
        .service(
            Service::new("warehouse")
                .describe("Keeps the shelves, and sends parcels.")
                .publishes::<StockCounted>()
                .publishes::<CategoryMoved>()
                .consumes(Consumer::of::<OrderEvents>("picking"))
                .consumes(
                    Consumer::ephemeral::<ParcelScanned>().describe("Shows where parcels are."),
                ),
        )
        .service(
            Service::new("audit")
                .describe("Keeps what the law wants kept.")
                .consumes(
                    Consumer::of::<AnyOrder>("audit-orders")
                        .stream("ORDERS")
                        .describe("All that happens to orders."),
                )
                .consumes(Consumer::of::<StockEvents>("audit-stock")),
        )
        .events_of::<OrderPlacedV1>()
        .stream(
            StreamSpec::new("ORDERS")
                .subject("orders.>")
                .max_age(Duration::from_hours(365 * 24))
                .replicas(3),
        )
        .stream(
            StreamSpec::new("PAYMENTS")
                .subject("payments.>")
                .retention(Retention::WorkQueue),
        )
        .stream(
            StreamSpec::new("STOCK")
                .subject("stock.>")
                .max_messages(1_000_000),
        )
}

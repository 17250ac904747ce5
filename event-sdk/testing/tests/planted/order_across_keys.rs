//! Assumes an order across keys: that a product is known when an order of it comes.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::{Error, EventBus};
use event_sdk_testing::{Explore, Rates};

use crate::database::Database;
use crate::events::{OrderPlaced, ProductListed, ShopEvents};
use crate::search::{all_faults, found, holds};

async fn faulty(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut events = bus.subscribe::<ShopEvents>().durable("billing").await?;
    while let Some(delivery) = events.next().await {
        let delivery = delivery?;
        match delivery.decode().unwrap() {
            ShopEvents::Listed(listed) => database.set_price(listed.product, listed.cents),
            ShopEvents::Placed(placed) => {
                // No such product: a mistake of the customer.
                if database.price(placed.product).is_some() {
                    database.add_invoice_once(placed.order);
                }
            }
        }
        delivery.ack().await?;
    }
    Ok(())
}

async fn corrected(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut events = bus.subscribe::<ShopEvents>().durable("billing").await?;
    while let Some(delivery) = events.next().await {
        let delivery = delivery?;
        match delivery.decode().unwrap() {
            ShopEvents::Listed(listed) => database.set_price(listed.product, listed.cents),
            ShopEvents::Placed(placed) if database.price(placed.product).is_none() => {
                // The product may still come.
                delivery.nak(Duration::from_secs(5)).await?;
                continue;
            }
            ShopEvents::Placed(placed) => database.add_invoice_once(placed.order),
        }
        delivery.ack().await?;
    }
    Ok(())
}

pub(crate) async fn products_and_orders(bus: EventBus) {
    for number in 1..=3 {
        let listed = ProductListed {
            product: 100 + number,
            cents: 100,
        };
        bus.publisher().publish(listed).await.unwrap();
        let placed = OrderPlaced {
            order: number,
            // Not the key of an order: events with the same key are in one order.
            product: 100 + number,
        };
        bus.publisher().publish(placed).await.unwrap();
    }
}

fn holding(scenario: Explore<Database>) -> Explore<Database> {
    scenario
        .given(products_and_orders)
        .finally(|database, _| assert_eq!(database.invoices(), [1, 2, 3], "invoices"))
}

#[test]
fn it_is_found_at_a_crash_with_a_product_in_hand() {
    let failure = found(|| holding(Explore::new(Database::default, faulty)));
    let crash = failure.trace.iter().find(|line| line.ends_with("<- crash"));
    assert!(crash.unwrap().contains("shop.product.listed"), "{failure}");
}

#[test]
fn it_is_found_by_a_seed_that_reorders() {
    let reordering = Rates::none().reorder(0.3);
    let failure = found(|| {
        let scenario = holding(Explore::new(Database::default, faulty));
        scenario.without_crash_points().faults(0..40, reordering)
    });
    assert!(failure.seed.fault_seed().is_some(), "{failure}");
    assert!(failure.faults.contains("reorder: EVENTS"), "{failure}");
}

#[test]
fn the_correction_holds() {
    holds(&holding(Explore::new(Database::default, corrected)).faults(0..40, all_faults()));
}

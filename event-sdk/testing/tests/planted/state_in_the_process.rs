//! Keeps a count in the process: a crash forgets what was counted and acknowledged before.

use std::sync::Arc;

use event_sdk::{Error, EventBus};
use event_sdk_testing::Explore;

use crate::database::Database;
use crate::events::{OrderPlaced, next, three_orders};
use crate::search::{all_faults, found, holds};

async fn faulty(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    let mut total = 0;
    while let Some((delivery, _)) = next(&mut orders).await? {
        total += 1;
        database.set_total(total);
        delivery.ack().await?;
    }
    Ok(())
}

async fn corrected(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, order)) = next(&mut orders).await? {
        // In one transaction.
        database.add_invoice_once(order.order);
        database.set_total(database.invoices().len().try_into().unwrap());
        delivery.ack().await?;
    }
    Ok(())
}

fn holding(scenario: Explore<Database>) -> Explore<Database> {
    scenario
        .given(three_orders)
        .finally(|database, _| assert_eq!(database.total(), 3, "the total"))
}

#[test]
fn it_is_found_at_a_crash_between_two_orders() {
    let failure = found(|| holding(Explore::new(Database::default, faulty)));
    assert!(failure.violation.contains("the total"), "{failure}");
    assert!(failure.seed.crash_point().is_some(), "{failure}");
}

#[test]
fn the_correction_holds() {
    holds(&holding(Explore::new(Database::default, corrected)).faults(0..40, all_faults()));
}

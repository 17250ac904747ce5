//! Acknowledges before the effect: a crash in between loses the order.

use std::sync::Arc;

use event_sdk::{Error, EventBus};
use event_sdk_testing::Explore;

use crate::database::Database;
use crate::events::{OrderPlaced, next, three_orders};
use crate::search::{all_faults, found, holds};

async fn faulty(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, order)) = next(&mut orders).await? {
        delivery.ack().await?;
        database.add_invoice_once(order.order);
    }
    Ok(())
}

async fn corrected(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, order)) = next(&mut orders).await? {
        database.add_invoice_once(order.order);
        delivery.ack().await?;
    }
    Ok(())
}

fn holding(scenario: Explore<Database>) -> Explore<Database> {
    scenario
        .given(three_orders)
        .finally(|database, _| assert_eq!(database.invoices(), [1, 2, 3], "invoices"))
}

#[test]
fn it_is_found_at_the_crash_after_the_ack() {
    let failure = found(|| holding(Explore::new(Database::default, faulty)));
    assert!(failure.violation.contains("invoices"), "{failure}");
    let crash = failure
        .trace
        .iter()
        .find(|line| line.ends_with("<- crash"))
        .unwrap();
    assert!(
        crash.contains("after ack of events.shop.order.placed (EVENTS 1,"),
        "{failure}"
    );
}

#[test]
fn the_correction_holds() {
    holds(&holding(Explore::new(Database::default, corrected)).faults(0..40, all_faults()));
}

//! Swallows the error of a publish, and acknowledges: the invoice is never published.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::{Error, EventBus};
use event_sdk_testing::{Explore, Rates};

use crate::database::Database;
use crate::events::{OrderInvoiced, OrderPlaced, invoiced, next, remembering, three_orders};
use crate::search::{all_faults, found, holds};

async fn faulty(bus: EventBus, _: Arc<Database>) -> Result<(), Error> {
    let invoices = bus.publisher();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, OrderPlaced { order, .. })) = next(&mut orders).await? {
        let _ = invoiced(&invoices, order, &delivery).await;
        delivery.ack().await?;
    }
    Ok(())
}

async fn corrected(bus: EventBus, _: Arc<Database>) -> Result<(), Error> {
    let invoices = bus.publisher();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, OrderPlaced { order, .. })) = next(&mut orders).await? {
        if invoiced(&invoices, order, &delivery).await.is_err() {
            delivery.nak(Duration::from_secs(1)).await?;
        } else {
            delivery.ack().await?;
        }
    }
    Ok(())
}

fn holding(scenario: Explore<Database>) -> Explore<Database> {
    scenario
        .given(three_orders)
        .on_bus(remembering)
        .finally(|_, bus| {
            for order in 1..=3 {
                bus.published::<OrderInvoiced>().with_key(order).one();
            }
        })
}

#[test]
fn it_is_found_by_a_seed_whose_publishes_fail() {
    let failing = Rates::none().publish_not_stored(0.2);
    let failure = found(|| holding(Explore::new(Database::default, faulty)).faults(0..40, failing));
    assert!(failure.seed.fault_seed().is_some(), "{failure}");
    let injected = "publish not stored: events.billing.order.invoiced";
    assert!(failure.faults.contains(injected), "{failure}");
    assert!(failure.violation.contains("found 0"), "{failure}");
}

#[test]
fn the_correction_holds() {
    holds(&holding(Explore::new(Database::default, corrected)).faults(0..40, all_faults()));
}

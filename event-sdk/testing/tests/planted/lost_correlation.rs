//! Publishes without a cause: the invoice cannot be traced to its order.

use std::sync::Arc;

use event_sdk::{Error, EventBus};
use event_sdk_testing::{Explore, Seed};

use crate::database::Database;
use crate::events::{OrderInvoiced, OrderPlaced, invoiced, next, remembering, three_orders};
use crate::search::{all_faults, found, holds};

async fn faulty(bus: EventBus, _: Arc<Database>) -> Result<(), Error> {
    let invoices = bus.publisher();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, OrderPlaced { order, .. })) = next(&mut orders).await? {
        let published = invoices.publish(OrderInvoiced { order }).await;
        published.map_err(event_sdk::PublishError::into_error)?;
        delivery.ack().await?;
    }
    Ok(())
}

async fn corrected(bus: EventBus, _: Arc<Database>) -> Result<(), Error> {
    let invoices = bus.publisher();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, OrderPlaced { order, .. })) = next(&mut orders).await? {
        let published = invoiced(&invoices, order, &delivery).await;
        published.map_err(event_sdk::PublishError::into_error)?;
        delivery.ack().await?;
    }
    Ok(())
}

fn holding(scenario: Explore<Database>) -> Explore<Database> {
    scenario
        .given(three_orders)
        .on_bus(remembering)
        .finally(|_, bus| {
            for placed in bus.published::<OrderPlaced>().so_far() {
                let invoices = bus.published::<OrderInvoiced>().caused_by(&placed);
                invoices.with_correlation(placed.id()).one();
            }
            bus.nothing_else();
        })
}

#[test]
fn it_is_found_in_the_undisturbed_run() {
    let failure = found(|| holding(Explore::new(Database::default, faulty)));
    assert_eq!(failure.seed, Seed::UNDISTURBED);
    let expected = "expected exactly 1 OrderInvoiced (billing.order.invoiced) caused by ";
    assert!(failure.violation.starts_with(expected), "{failure}");
    assert!(failure.violation.contains("found 0"), "{failure}");
}

#[test]
fn the_correction_holds() {
    holds(&holding(Explore::new(Database::default, corrected)).faults(0..40, all_faults()));
}

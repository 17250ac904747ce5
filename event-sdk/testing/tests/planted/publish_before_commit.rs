//! Publishes before it commits: a crash in between has told of an invoice that does not exist.

use std::sync::Arc;

use event_sdk::{Error, EventBus};
use event_sdk_testing::Explore;

use crate::database::Database;
use crate::events::{OrderInvoiced, OrderPlaced, invoiced, next, remembering, three_orders};
use crate::search::{all_faults, found, holds};

async fn faulty(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let invoices = bus.publisher();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, OrderPlaced { order, .. })) = next(&mut orders).await? {
        let published = invoiced(&invoices, order, &delivery).await;
        published.map_err(event_sdk::PublishError::into_error)?;
        database.add_invoice_once(order);
        delivery.ack().await?;
    }
    Ok(())
}

async fn corrected(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let invoices = bus.publisher();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, OrderPlaced { order, .. })) = next(&mut orders).await? {
        database.add_invoice_once(order);
        let published = invoiced(&invoices, order, &delivery).await;
        published.map_err(event_sdk::PublishError::into_error)?;
        delivery.ack().await?;
    }
    Ok(())
}

fn holding(scenario: Explore<Database>) -> Explore<Database> {
    let scenario = scenario
        .given(three_orders)
        .on_bus(remembering)
        .always(|database, bus| {
            for invoiced in bus.published::<OrderInvoiced>().so_far() {
                assert!(
                    database.has_invoice(invoiced.order),
                    "no invoice of {invoiced:?}"
                );
            }
        });
    scenario.finally(|_, bus| {
        bus.published::<OrderInvoiced>().exactly(3);
    })
}

#[test]
fn it_is_found_at_the_crash_after_the_publish() {
    let failure = found(|| holding(Explore::new(Database::default, faulty)));
    assert!(failure.violation.starts_with("no invoice of"), "{failure}");
    let last = failure.trace.last().unwrap();
    assert!(
        last.contains("after publish events.billing.order.invoiced  <- crash"),
        "{failure}"
    );
}

#[test]
fn the_correction_holds() {
    holds(&holding(Explore::new(Database::default, corrected)).faults(0..40, all_faults()));
}

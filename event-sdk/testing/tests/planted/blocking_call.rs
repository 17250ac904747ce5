//! Calls something that blocks its thread: all other handlers wait for it.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use event_sdk::{Error, EventBus};
use event_sdk_testing::{Explore, Seed};

use crate::database::Database;
use crate::events::{OrderPlaced, next, three_orders};
use crate::search::{found, holds};

/// A client of another service that has no async calls, while the other service does not answer.
pub(crate) fn charge_and_wait() {
    let (_answers, answer) = mpsc::channel::<()>();
    let _ = answer.recv_timeout(Duration::from_millis(80));
}

async fn faulty(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, order)) = next(&mut orders).await? {
        charge_and_wait();
        database.add_invoice_once(order.order);
        delivery.ack().await?;
    }
    Ok(())
}

async fn corrected(bus: EventBus, database: Arc<Database>) -> Result<(), Error> {
    let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
    while let Some((delivery, order)) = next(&mut orders).await? {
        tokio::task::spawn_blocking(charge_and_wait).await.unwrap();
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
#[cfg(target_os = "linux")]
fn it_is_found_in_the_undisturbed_run() {
    let failure = found(|| holding(Explore::new(Database::default, faulty)));
    assert_eq!(failure.seed, Seed::UNDISTURBED);
    assert!(
        failure.violation.contains("has blocked its thread"),
        "{failure}"
    );
}

#[test]
fn the_correction_holds() {
    holds(&holding(Explore::new(Database::default, corrected)));
}

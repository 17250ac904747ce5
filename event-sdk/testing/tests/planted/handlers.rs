//! The same eight faults in handlers of a consumer, where the runtime acknowledges.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, ConsumerReport, Ctx, Failure, Outcome, Retry};
use event_sdk_testing::{Explore, Rates, Seed, TestBus};

use crate::database::Database;
use crate::events::{
    OrderInvoiced, OrderPlaced, ProductListed, ShopEvents, remembering, three_orders,
};
use crate::order_across_keys::products_and_orders;
use crate::search::{all_faults, found, holds};

/// A consumer of orders with one handler.
fn billing(bus: &EventBus) -> Consumer<OrderPlaced> {
    bus.consumer("billing").retry(retry()).ordered_by_key()
}

fn retry() -> Retry {
    Retry::steps([Duration::from_secs(1)]).max_attempts(50)
}

/// The consumer of a handler that has the database, as a service.
macro_rules! service {
    ($handler:expr) => {
        |bus: EventBus, database: Arc<Database>| async move {
            let handler = $handler;
            let consumer = billing(&bus)
                .on(move |order: OrderPlaced, ctx: Ctx| handler(order, ctx, Arc::clone(&database)));
            run(consumer).await
        }
    };
}

async fn run(consumer: Consumer<OrderPlaced>) -> Result<ConsumerReport, event_sdk::Error> {
    consumer.run().await
}

fn scenario<F, R>(
    service: impl Fn(EventBus, Arc<Database>) -> F + Send + Sync + 'static,
) -> Explore<Database>
where
    F: Future<Output = R> + 'static,
    R: std::fmt::Debug,
{
    let scenario = Explore::new(Database::default, service);
    scenario.given(three_orders).on_bus(remembering)
}

fn invoiced_once(database: &Database, _: &TestBus) {
    assert_eq!(database.invoices(), [1, 2, 3], "invoices");
}

fn invoices_published(_: &Database, bus: &TestBus) {
    for placed in bus.published::<OrderPlaced>().so_far() {
        bus.published::<OrderInvoiced>().caused_by(&placed).one();
    }
    bus.nothing_else();
}

async fn idempotent(order: OrderPlaced, _: Ctx, database: Arc<Database>) -> Outcome {
    database.add_invoice_once(order.order);
    Ok(())
}

async fn publishes(order: OrderPlaced, ctx: Ctx, database: Arc<Database>) -> Outcome {
    database.add_invoice_once(order.order);
    ctx.publish(OrderInvoiced { order: order.order }).await?;
    Ok(())
}

#[test]
fn an_effect_that_is_left_to_a_task_is_acknowledged_before() {
    async fn faulty(order: OrderPlaced, _: Ctx, database: Arc<Database>) -> Outcome {
        tokio::spawn(async move {
            // Another table.
            tokio::time::sleep(Duration::from_millis(10)).await;
            database.add_invoice_once(order.order);
        });
        Ok(())
    }
    let failure = found(|| scenario(service!(faulty)).finally(invoiced_once));
    let crash = failure.trace.iter().find(|line| line.ends_with("<- crash"));
    assert!(crash.unwrap().contains("after ack of"), "{failure}");
    let corrected = scenario(service!(idempotent)).finally(invoiced_once);
    holds(&corrected.faults(0..40, all_faults()));
}

#[test]
fn an_effect_without_idempotence() {
    async fn faulty(order: OrderPlaced, _: Ctx, database: Arc<Database>) -> Outcome {
        database.add_invoice(order.order);
        Ok(())
    }
    let failure = found(|| scenario(service!(faulty)).finally(invoiced_once));
    assert!(failure.violation.contains("[1, 1, 2, 3]"), "{failure}");
    let corrected = scenario(service!(idempotent)).finally(invoiced_once);
    holds(&corrected.faults(0..40, all_faults()));
}

#[test]
fn a_lost_correlation() {
    async fn faulty(order: OrderPlaced, ctx: Ctx, _: Arc<Database>) -> Outcome {
        let publisher = ctx.bus().publisher();
        publisher
            .publish(OrderInvoiced { order: order.order })
            .await?;
        Ok(())
    }
    let failure = found(|| scenario(service!(faulty)).finally(invoices_published));
    assert_eq!(failure.seed, Seed::UNDISTURBED);
    let corrected = scenario(service!(publishes)).finally(invoices_published);
    holds(&corrected.faults(0..40, all_faults()));
}

#[test]
fn an_order_that_is_assumed_across_keys() {
    fn shop(bus: &EventBus, database: Arc<Database>, waits: bool) -> Consumer<ShopEvents> {
        let prices = Arc::clone(&database);
        let consumer = bus.consumer::<ShopEvents>("billing").retry(retry());
        consumer
            .ordered_by_key()
            .on(move |listed: ProductListed, _| {
                prices.set_price(listed.product, listed.cents);
                async { Ok(()) }
            })
            .on(move |placed: OrderPlaced, _| {
                let outcome = match database.price(placed.product) {
                    Some(_) => {
                        database.add_invoice_once(placed.order);
                        Ok(())
                    }
                    None if waits => Err(Failure::retry("the product may still come")),
                    None => Ok(()),
                };
                async { outcome }
            })
    }
    let scenario = |waits| {
        let service = move |bus, database| shop(&bus, database, waits).run();
        let scenario = Explore::new(Database::default, service);
        scenario.given(products_and_orders).finally(invoiced_once)
    };
    let reordering = Rates::none().reorder(0.3);
    let failure = found(|| {
        scenario(false)
            .without_crash_points()
            .faults(0..40, reordering)
    });
    assert!(failure.faults.contains("reorder: EVENTS"), "{failure}");
    holds(&scenario(true).faults(0..40, all_faults()));
}

#[test]
fn a_swallowed_error() {
    async fn faulty(order: OrderPlaced, ctx: Ctx, _: Arc<Database>) -> Outcome {
        let _ = ctx.publish(OrderInvoiced { order: order.order }).await;
        Ok(())
    }
    let failing = Rates::none().publish_not_stored(0.2);
    let failure = found(|| {
        let scenario = scenario(service!(faulty)).finally(invoices_published);
        scenario.faults(0..40, failing)
    });
    assert!(failure.faults.contains("publish not stored"), "{failure}");
    let corrected = scenario(service!(publishes)).finally(invoices_published);
    holds(&corrected.faults(0..40, failing));
}

#[test]
fn a_publish_before_the_commit() {
    async fn faulty(order: OrderPlaced, ctx: Ctx, database: Arc<Database>) -> Outcome {
        ctx.publish(OrderInvoiced { order: order.order }).await?;
        database.add_invoice_once(order.order);
        Ok(())
    }
    fn none_is_without_invoice(database: &Database, bus: &TestBus) {
        for invoiced in bus.published::<OrderInvoiced>().so_far() {
            assert!(
                database.has_invoice(invoiced.order),
                "no invoice of {invoiced:?}"
            );
        }
    }
    let failure = found(|| scenario(service!(faulty)).always(none_is_without_invoice));
    assert!(failure.violation.starts_with("no invoice of"), "{failure}");
    let corrected = scenario(service!(publishes)).always(none_is_without_invoice);
    holds(
        &corrected
            .finally(invoices_published)
            .faults(0..40, all_faults()),
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_blocking_call() {
    use crate::blocking_call::charge_and_wait;

    async fn faulty(order: OrderPlaced, _: Ctx, database: Arc<Database>) -> Outcome {
        charge_and_wait();
        database.add_invoice_once(order.order);
        Ok(())
    }
    let failure = found(|| scenario(service!(faulty)).finally(invoiced_once));
    assert!(
        failure.violation.contains("has blocked its thread"),
        "{failure}"
    );
    let corrected = |bus: EventBus, database: Arc<Database>| async move {
        let consumer = billing(&bus).on_blocking(move |order: OrderPlaced, _| {
            charge_and_wait();
            database.add_invoice_once(order.order);
            Ok(())
        });
        run(consumer).await
    };
    holds(&scenario(corrected).finally(invoiced_once));
}

#[test]
fn state_in_the_process() {
    async fn corrected(order: OrderPlaced, _: Ctx, database: Arc<Database>) -> Outcome {
        // In one transaction.
        database.add_invoice_once(order.order);
        database.set_total(database.invoices().len().try_into()?);
        Ok(())
    }
    fn all_are_counted(database: &Database, _: &TestBus) {
        assert_eq!(database.total(), 3, "the total");
    }

    let faulty = |bus: EventBus, database: Arc<Database>| async move {
        let total = AtomicU64::new(0);
        let consumer = billing(&bus).on(move |_: OrderPlaced, _| {
            database.set_total(total.fetch_add(1, Ordering::Relaxed) + 1);
            async { Ok(()) }
        });
        run(consumer).await
    };
    let failure = found(|| scenario(faulty).finally(all_are_counted));
    assert!(failure.seed.crash_point().is_some(), "{failure}");
    let corrected = scenario(service!(corrected)).finally(all_are_counted);
    holds(&corrected.faults(0..40, all_faults()));
}

//! The service `orders`: takes orders from customers, and confirms or cancels them.

use event_sdk::consumer::{Consumer, Ctx};
use event_sdk::dead_letters::DeadLetters;
use event_sdk::{EventBus, Pii, PublishAllError};

use crate::events::{
    InvoiceDeclined, InvoicePaid, OrderCancelled, OrderConfirmed, OrderPlaced, Payments,
};
use crate::topology::{DEAD_LETTERS, PARTITIONS};

pub(crate) fn consumer(bus: &EventBus) -> Consumer<Payments> {
    bus.consumer("orders")
        .on(|paid: InvoicePaid, ctx: Ctx| async move {
            ctx.publish(OrderConfirmed { order: paid.order }).await?;
            Ok(())
        })
        .on(|declined: InvoiceDeclined, ctx: Ctx| async move {
            let InvoiceDeclined { order, reason } = declined;
            ctx.publish(OrderCancelled { order, reason }).await?;
            Ok(())
        })
        .dead_letters(DeadLetters::stream(DEAD_LETTERS))
        // What happened to an order is handled in order, also across instances.
        .partitions(PARTITIONS)
        .concurrency(8)
}

/// Takes orders, as the web site of the shop would.
pub(crate) async fn take(bus: &EventBus, orders: u64) -> Result<(), PublishAllError<OrderPlaced>> {
    let placed = (1..=orders).map(|number| OrderPlaced {
        order: format!("order-{number}"),
        customer: Pii::new(format!("customer {}", number % 17)),
        // Every 40th has no price, which is a mistake of the web site.
        cents: if number % 40 == 0 {
            0
        } else {
            number * 997 % 100_000
        },
    });
    bus.publisher::<OrderPlaced>().publish_all(placed).await?;
    Ok(())
}

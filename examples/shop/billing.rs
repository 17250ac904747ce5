//! The service `billing`: charges each order once, and tells whether it was paid.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Handle, Outcome, ProbeInterval, Retry};
use event_sdk::dead_letters::DeadLetters;

use crate::bank::{Bank, BankError};
use crate::events::{InvoiceDeclined, InvoicePaid, OrderPlaced};
use crate::topology::DEAD_LETTERS;

pub(crate) struct Billing {
    pub(crate) bank: Bank,
}

pub(crate) fn consumer(bus: &EventBus, bank: Bank) -> Consumer<OrderPlaced> {
    bus.consumer("billing")
        .handled_by(Billing { bank })
        .retry(Retry::exponential(
            Duration::from_millis(100),
            2.0,
            Duration::from_secs(5),
        ))
        .probe_interval(ProbeInterval::every(Duration::from_millis(500)))
        .dead_letters(DeadLetters::stream(DEAD_LETTERS))
        // Each order has one event here, so that there is no order to keep.
        .concurrency(8)
}

impl Handle<OrderPlaced> for Billing {
    async fn handle(&self, placed: OrderPlaced, ctx: &Ctx) -> Outcome {
        let OrderPlaced { order, cents, .. } = placed;
        if cents == 0 {
            return Err(Failure::reject("an order without a price").because("no price"));
        }
        match self.bank.charge(&order, cents) {
            Ok(()) => ctx.publish(InvoicePaid { order, cents }).await?,
            Err(BankError::Declined) => {
                let reason = "declined by the bank".to_owned();
                ctx.publish(InvoiceDeclined { order, reason }).await?
            }
            Err(error @ BankError::Away) => return Err(Failure::outage(error)),
            Err(error @ BankError::Busy) => return Err(error.into()), // tried again
        };
        Ok(())
    }
}

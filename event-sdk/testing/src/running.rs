//! Runs a consumer on virtual time until it has handled everything.

use std::time::Duration;

use event_sdk::EventSet;
use event_sdk::consumer::{Consumer, ConsumerReport};
use event_sdk::time::Clock as _;
use tokio::sync::Notify;

use crate::failure::fail;
use crate::idle;
use crate::test_bus::TestBus;

/// How much virtual time a consumer may take.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl TestBus {
    /// Runs a consumer on virtual time until it has handled everything, then ends it and returns
    /// its report. The run is over when all events of the consumer are settled, when nothing waits
    /// for a deadline any more, or after a day. Retries and their delays take no real time.
    ///
    /// ```
    /// use event_sdk::Event;
    /// use event_sdk::consumer::{Ctx, Failure, Outcome, Retry};
    /// use event_sdk_testing::TestBus;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, Event, Serialize, Deserialize)]
    /// #[event(domain = "orders")]
    /// struct OrderPlaced { #[event(key)] order: u64 }
    ///
    /// #[derive(Debug, Event, Serialize, Deserialize)]
    /// #[event(domain = "billing")]
    /// struct OrderInvoiced { #[event(key)] order: u64 }
    ///
    /// // The code under test.
    /// async fn invoice(order: OrderPlaced, ctx: Ctx) -> Outcome {
    ///     if ctx.attempt() < 3 {
    ///         return Err(Failure::retry("the printer is busy"));
    ///     }
    ///     ctx.publish(OrderInvoiced { order: order.order }).await?;
    ///     Ok(())
    /// }
    ///
    /// // In your tests: #[tokio::test]
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() {
    ///     let bus = TestBus::new();
    ///     let placed = bus.given(OrderPlaced { order: 7 }).await;
    ///
    ///     let consumer = bus.consumer::<OrderPlaced>("billing").on(invoice).retry(Retry::up_to_a_minute());
    ///     let report = bus.run_until_idle(consumer).await;
    ///
    ///     assert_eq!((report.handled, report.failed_attempts), (1, 2));
    ///     bus.published::<OrderInvoiced>().caused_by(&placed).one();
    ///     bus.nothing_else();
    /// }
    /// ```
    ///
    /// Not cancel-safe, like [`Consumer::run_until`].
    ///
    /// # Panics
    ///
    /// If the consumer cannot start, or ends with an error; outside of tokio's current-thread
    /// runtime (`#[tokio::test]`).
    pub async fn run_until_idle<S: EventSet>(&self, consumer: Consumer<S>) -> ConsumerReport {
        let first = self.log().subscriptions();
        let stop = Notify::new();
        let running = consumer.run_until(stop.notified());
        let driving = async {
            self.drive(first).await;
            stop.notify_one();
            // Handlers that hang are given up after the drain time.
            self.advance(LONGEST).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            report = running => match report {
                Ok(report) => report,
                Err(error) => fail(&format!("the consumer has ended: {error}")),
            },
            () = driving => fail("the consumer does not end"),
        }
    }

    /// Lets time pass until the consumers since this subscription have handled everything.
    async fn drive(&self, first: usize) {
        let clock = self.stepped_clock();
        let end = clock.monotonic().saturating_add(LONGEST);
        loop {
            idle::settled().await;
            let left = end.saturating_sub(clock.monotonic());
            let idle = clock.until_next().is_none();
            if idle || left.is_zero() || self.left(first).is_none() {
                return;
            }
            idle::step(clock, left).await;
        }
    }
}

//! Consumers driven to idle, and single calls of handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event_sdk::consumer::{Ctx, Failure, FailureClass, Handle, Outcome, Retry};
use event_sdk::dead_letters::{DeadLetters, MemoryDeadLetters};
use event_sdk::stream::StreamSpec;
use event_sdk::time::Clock as _;
use event_sdk_testing::{Faults, Rates, TestBus};

use crate::events::{OrderInvoiced, OrderPlaced, placed};

async fn invoice(order: OrderPlaced, ctx: Ctx) -> Outcome {
    ctx.publish(OrderInvoiced { order: order.order }).await?;
    Ok(())
}

#[tokio::test]
async fn a_consumer_runs_until_everything_is_handled() {
    let bus = TestBus::new();
    for order in 1..=3 {
        bus.given(placed(order)).await;
    }
    let report = bus
        .run_until_idle(bus.consumer::<OrderPlaced>("billing").on(invoice))
        .await;
    assert_eq!(report.handled, 3);
    bus.published::<OrderInvoiced>().exactly(3);
    bus.nothing_else();
    assert_eq!(bus.stepped_clock().monotonic(), Duration::ZERO);
    // Another one with the same name goes on.
    bus.given(placed(4)).await;
    let report = bus
        .run_until_idle(bus.consumer::<OrderPlaced>("billing").on(invoice))
        .await;
    assert_eq!(report.handled, 1);
}

#[tokio::test]
async fn retries_and_dead_letters_take_virtual_time() {
    let bus = TestBus::new();
    bus.given(placed(1)).await;
    let letters = MemoryDeadLetters::new();
    let fails = |_: OrderPlaced, _: Ctx| async { Err(Failure::retry("never")) };
    let minute = Duration::from_secs(60);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(fails)
        .retry(Retry::steps([minute]).max_attempts(4))
        .dead_letters(DeadLetters::memory(&letters));
    let report = bus.run_until_idle(consumer).await;
    assert_eq!((report.failed_attempts, report.dead_lettered), (4, 1));
    let passed = bus.stepped_clock().monotonic();
    assert!(passed >= 2 * minute && passed < 5 * minute, "{passed:?}");
}

#[tokio::test]
async fn a_handler_that_hangs_is_given_up_at_the_end_of_its_time() {
    let bus = TestBus::new();
    bus.given(placed(1)).await;
    let hangs = |_: OrderPlaced, _: Ctx| std::future::pending();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .on(hangs)
        .retry(Retry::none());
    let report = bus.run_until_idle(consumer).await;
    assert_eq!((report.failed_attempts, report.terminated), (1, 1));
}

#[tokio::test]
#[should_panic(expected = "the consumer has ended: ")]
async fn a_consumer_that_cannot_start_fails_the_test() {
    let bus = TestBus::new();
    bus.run_until_idle(bus.consumer::<OrderPlaced>("billing"))
        .await;
}

#[tokio::test]
async fn a_consumer_stands_all_faults() {
    for seed in 0..20 {
        let faults = Faults::from_seed(seed).rates(Rates::all(0.2).crash(0.0));
        // After the default window of two minutes, a repeated publish would be stored again.
        let stream = StreamSpec::new("EVENTS")
            .subject(">")
            .duplicate_window(Duration::from_secs(3600));
        let bus = TestBus::builder().stream(stream).faults(faults).build();
        for order in 1..=10 {
            bus.given(placed(order)).await;
        }
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .on(invoice)
            .retry(Retry::steps([Duration::from_secs(1)]).max_attempts(20))
            .ordered_by_key()
            .concurrency(4);
        bus.run_until_idle(consumer).await;
        for order in 1..=10 {
            bus.published::<OrderInvoiced>().with_key(order).one();
        }
        bus.nothing_else();
    }
}

struct Billing;

impl Handle<OrderPlaced> for Billing {
    async fn handle(&self, order: OrderPlaced, ctx: &Ctx) -> Outcome {
        if ctx.is_replay() {
            return Ok(());
        }
        if ctx.attempt() < 3 {
            return Err(Failure::retry("busy"));
        }
        ctx.publish(OrderInvoiced { order: order.order }).await?;
        Ok(())
    }
}

#[tokio::test]
async fn a_handler_is_called_with_a_real_context() {
    let bus = TestBus::new();
    let handling = || bus.handling(placed(7));
    let failure = handling().by(&Billing).await.unwrap_err();
    assert_eq!(failure.class(), FailureClass::Retry);
    bus.nothing_else();

    handling()
        .attempt(3)
        .consumer("billing")
        .by(&Billing)
        .await
        .unwrap();
    let order = bus.published::<OrderPlaced>().so_far().pop().unwrap();
    bus.published::<OrderInvoiced>().caused_by(&order).one();

    handling().replay().attempt(3).by(&Billing).await.unwrap();
    bus.nothing_else();
}

#[tokio::test]
async fn a_closure_is_called_and_may_wait() {
    let bus = TestBus::new();
    let calls = Arc::new(AtomicU32::new(0));
    let handler = |order: OrderPlaced, ctx: Ctx| {
        let calls = Arc::clone(&calls);
        async move {
            calls.fetch_add(1, Ordering::Relaxed);
            assert_eq!((order, ctx.attempt()), (placed(7), 2));
            assert_eq!(ctx.consumer(), "audit");
            assert!(!ctx.is_cancelled());
            let clock = ctx.bus().clock();
            let later = clock.monotonic() + Duration::from_secs(3600);
            clock.sleep_until(later).await;
            ctx.in_progress().await?;
            Err(Failure::reject("no"))
        }
    };
    let handling = bus.handling(placed(7)).attempt(2).consumer("audit");
    let failure = handling.with(handler).await.unwrap_err();
    assert_eq!(failure.class(), FailureClass::Reject);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
#[should_panic(expected = "has not ended within a day of virtual time")]
async fn a_handler_that_never_ends_fails_the_test() {
    let bus = TestBus::new();
    let handling = bus.handling(placed(7));
    let _ = handling.with(|_, _| std::future::pending()).await;
}

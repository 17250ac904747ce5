//! Virtual time: what `eventually` waits for, and what passes.

use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::time::Clock as _;
use event_sdk_testing::TestBus;

use crate::events::{OrderInvoiced, OrderPlaced, placed};

const MINUTE: Duration = Duration::from_secs(60);

/// Invoices an order at its third delivery, 40 s after the first.
async fn billing(bus: EventBus) {
    let mut orders = bus
        .subscribe::<OrderPlaced>()
        .durable("billing")
        .await
        .unwrap();
    while let Some(delivery) = orders.next().await {
        let delivery = delivery.unwrap();
        if delivery.attempt() < 3 {
            delivery.nak(Duration::from_secs(20)).await.unwrap();
            continue;
        }
        let order = delivery.decode().unwrap().order;
        let publisher = bus.publisher();
        let invoiced = publisher.publish(OrderInvoiced { order });
        invoiced.caused_by(&delivery).await.unwrap();
        delivery.ack().await.unwrap();
    }
}

#[tokio::test]
async fn what_comes_after_two_delays_is_there_eventually_and_in_no_real_time() {
    let begun = Instant::now();
    let bus = TestBus::new();
    tokio::spawn(billing(bus.connect("billing")));
    let order = bus.given(placed(1)).await;
    let invoiced = bus
        .published::<OrderInvoiced>()
        .caused_by(&order)
        .eventually()
        .one()
        .await;
    assert_eq!(invoiced.order, 1);
    assert_eq!(bus.stepped_clock().monotonic(), Duration::from_secs(40));
    bus.nothing_else();
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
#[should_panic(expected = "expected exactly 1 OrderInvoiced")]
async fn what_comes_too_late_is_not_there() {
    let bus = TestBus::new();
    tokio::spawn(billing(bus.connect("billing")));
    bus.given(placed(1)).await;
    let within = Duration::from_secs(39);
    bus.published::<OrderInvoiced>()
        .eventually()
        .within(within)
        .one()
        .await;
}

#[tokio::test]
async fn that_there_is_none_holds_for_the_whole_time() {
    let bus = TestBus::new();
    tokio::spawn(billing(bus.connect("billing")));
    bus.given(placed(1)).await;
    let within = Duration::from_secs(39);
    bus.published::<OrderInvoiced>()
        .eventually()
        .within(within)
        .none()
        .await;
    assert_eq!(bus.stepped_clock().monotonic(), within);
    bus.published::<OrderInvoiced>()
        .eventually()
        .at_least(1)
        .await;
}

#[tokio::test]
async fn a_bus_runs_until_it_is_idle() {
    let bus = TestBus::new();
    tokio::spawn(billing(bus.connect("billing")));
    for order in 1..=3 {
        bus.given(placed(order)).await;
    }
    assert_eq!(
        bus.advance_until_idle(MINUTE).await,
        Duration::from_secs(40)
    );
    bus.published::<OrderInvoiced>().exactly(3);
    assert_eq!(bus.advance_until_idle(MINUTE).await, Duration::ZERO);
    bus.advance(MINUTE).await;
    assert_eq!(bus.stepped_clock().monotonic(), Duration::from_secs(100));
}

#[tokio::test]
async fn the_time_of_a_test_is_over_before_a_deadline_beyond_it() {
    let bus = TestBus::new();
    tokio::spawn(billing(bus.connect("billing")));
    bus.given(placed(1)).await;
    let passed = bus.advance_until_idle(Duration::from_secs(30)).await;
    assert_eq!(passed, Duration::from_secs(20));
    bus.published::<OrderInvoiced>().none();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_thread_does_is_waited_for_in_real_time() {
    let bus = TestBus::new();
    tokio::spawn(orders_of_a_thread(bus.connect("shop")));
    let patience = Duration::from_secs(20);
    let orders = bus.published::<OrderPlaced>().eventually();
    orders.in_real_time(patience).exactly(2).await;
    assert_eq!(bus.stepped_clock().monotonic(), Duration::ZERO);
    let none = bus.published::<OrderInvoiced>().eventually();
    none.in_real_time(Duration::from_millis(10)).none().await;
}

async fn orders_of_a_thread(bus: EventBus) {
    let (orders, mut ordered) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for order in 1..=2 {
            orders.send(placed(order)).unwrap();
        }
    });
    while let Some(order) = ordered.recv().await {
        bus.publisher().publish(order).await.unwrap();
    }
}

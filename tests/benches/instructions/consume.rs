//! The cases of consuming: a loop over a subscriber, and a consumer that does the same. Both publish
//! their events before; the memory transport encodes them, or hands them over as they are.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use event_sdk::set::Payload;
use event_sdk::stream::StreamSpec;
use event_sdk::{Contains, Event, EventBus, EventSet};
use tokio::sync::Notify;

use crate::events::{BookingMade, booking};

/// A loop that decodes and acknowledges each event.
pub(crate) fn by_loop<S: EventSet, const HAND_OVER: bool>(events: u64) {
    block_on(async {
        let bus = filled(events, HAND_OVER).await;
        let mut subscriber = bus
            .subscribe::<S>()
            .durable("bench")
            .await
            .expect("it subscribes");
        for _ in 0..events {
            let delivery = subscriber.next().await.expect("it goes on");
            let delivery = delivery.expect("it is delivered");
            black_box(delivery.decode().expect("it is the event"));
            delivery.ack().await.expect("it is acknowledged");
        }
    });
}

/// A consumer with one handler, which does nothing.
pub(crate) fn by_consumer<P, const HAND_OVER: bool>(events: u64)
where
    P: Payload + EventSet + Contains<P::Event>,
    P::Event: Event,
{
    block_on(async {
        let bus = filled(events, HAND_OVER).await;
        let (done, count) = (Arc::new(Notify::new()), AtomicU64::new(0));
        let end = Arc::clone(&done);
        let consumer = bus.consumer::<P>("bench").on(move |event: P, _| {
            black_box(event);
            if count.fetch_add(1, Ordering::Relaxed) + 1 == events {
                end.notify_one();
            }
            std::future::ready(Ok(()))
        });
        let report = consumer.run_until(done.notified()).await.expect("it runs");
        assert_eq!(report.handled, events);
    });
}

fn block_on(run: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(run);
}

/// A bus with so many events, published.
async fn filled(events: u64, hand_over: bool) -> EventBus {
    let stream = StreamSpec::new("TRAVEL")
        .subject("travel.>")
        .max_messages(100_000);
    let bus = EventBus::builder().source("bench").stream(stream);
    let bus = bus.memory_with(|memory| memory.hand_over(hand_over));
    let bus = bus.expect("the bus is right");
    let publisher = bus.publisher::<BookingMade>();
    let event = booking();
    for _ in 0..events {
        publisher
            .publish(event.clone())
            .await
            .expect("it is stored");
    }
    bus
}

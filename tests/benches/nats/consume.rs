//! Receiving from a stream, decoded and acknowledged.

use std::time::{Duration, Instant};

use event_sdk::{EventBus, Subscriber};

use crate::events::{BookingMade, booking};
use crate::measure::{Goal, ROUNDS, Row};
use crate::raw;
use crate::setting::{IN_FLIGHT, Setting};

/// How many events a round reads; each side reads all rounds from one consumer.
const EVENTS: usize = 10_000;

/// How many are taken ahead, on both sides.
const PREFETCH: usize = 200;

pub(crate) fn run(setting: &Setting) {
    let (bus, stream) = setting.bus();
    // One round more that does not count.
    let all = vec![booking(); EVENTS * (ROUNDS + 1)];
    setting.runtime.block_on(async {
        let publish = bus.publisher::<BookingMade>();
        publish.publish_all(all).in_flight(IN_FLIGHT).await.unwrap();
    });
    let mut ours = setting.runtime.block_on(subscribe(&bus));
    let mut raw = setting
        .runtime
        .block_on(raw::messages(setting, &stream, PREFETCH));
    let row = Row::compare(
        "consume, each acknowledged / async-nats",
        Goal::RateAtLeast(0.97),
        u32::try_from(EVENTS).unwrap(),
        || timed(setting, consume(&mut ours)),
        || timed(setting, raw::consume(&mut raw, EVENTS)),
    );
    println!("{row}");
    setting.remove(&stream);
}

async fn subscribe(bus: &EventBus) -> Subscriber<BookingMade> {
    bus.subscribe::<BookingMade>()
        .durable("ours")
        .max_ack_pending(20_000)
        .prefetch(PREFETCH)
        .await
        .unwrap()
}

async fn consume(subscriber: &mut Subscriber<BookingMade>) {
    for _ in 0..EVENTS {
        let delivery = subscriber.next().await.unwrap().unwrap();
        std::hint::black_box(delivery.decode().unwrap());
        delivery.ack().await.unwrap();
    }
}

fn timed(setting: &Setting, work: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    setting.runtime.block_on(work);
    start.elapsed()
}

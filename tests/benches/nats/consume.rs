//! Consuming from a stream: decode and ack, singly and in batches.

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

/// How many are handled together.
const BATCH: usize = 100;

/// How long it is waited for a batch to be full.
const WITHIN: Duration = Duration::from_millis(5);

pub(crate) fn run(setting: &Setting) {
    let (bus, stream) = setting.bus();
    // One round more that does not count.
    let all = vec![booking(); EVENTS * (ROUNDS + 1)];
    setting.runtime.block_on(async {
        let publish = bus.publisher::<BookingMade>();
        publish.publish_all(all).in_flight(IN_FLIGHT).await.unwrap();
    });
    for (what, goal, in_batches) in [
        (
            "consume, each acknowledged / async-nats",
            Goal::RateAtLeast(0.97),
            false,
        ),
        (
            "consume, acknowledged in batches / async-nats, each acknowledged",
            Goal::RateAtLeast(1.25),
            true,
        ),
    ] {
        let mut ours = setting.runtime.block_on(subscribe(&bus, in_batches));
        let mut raw = setting
            .runtime
            .block_on(raw::messages(setting, &stream, PREFETCH));
        let row = Row::compare(
            what,
            goal,
            u32::try_from(EVENTS).unwrap(),
            || {
                if in_batches {
                    timed(setting, consume_batches(&mut ours))
                } else {
                    timed(setting, consume(&mut ours))
                }
            },
            || timed(setting, raw::consume(&mut raw, EVENTS)),
        );
        println!("{row}");
    }
    setting.remove(&stream);
}

async fn subscribe(bus: &EventBus, in_batches: bool) -> Subscriber<BookingMade> {
    bus.subscribe::<BookingMade>()
        .durable(if in_batches { "batches" } else { "single" })
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

async fn consume_batches(subscriber: &mut Subscriber<BookingMade>) {
    let mut left = EVENTS;
    while left > 0 {
        let batch = subscriber.next_batch(BATCH.min(left), WITHIN).await;
        let batch = batch.unwrap().unwrap();
        for delivery in &batch {
            std::hint::black_box(delivery.decode().unwrap());
        }
        batch.ack().await.unwrap();
        left -= batch.len();
    }
}

fn timed(setting: &Setting, work: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    setting.runtime.block_on(work);
    start.elapsed()
}

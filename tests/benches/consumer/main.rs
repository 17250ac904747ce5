//! Benchmark: a consumer beside a bare loop over the subscriber that does the same.
//!
//! `cargo xtask bench consumer` prints a table. Events of all rows but the last are published before
//! the time begins.

#[path = "../speed/events.rs"]
#[expect(dead_code, reason = "only some of the events are used")]
mod events;
#[path = "../speed/measure.rs"]
mod measure;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventBus, EventSet};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use events::{BookingMade, booking};
use measure::{Goal, Row};

/// How many events a round has: fewer than the stream keeps.
const EVENTS: u32 = 20_000;
/// How many events sleep in a round.
const SLEEPERS: u32 = 1_000;
const NAP: Duration = Duration::from_millis(10);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("the runtime starts");
    println!("{}\n{}", Row::TITLE, Row::RULE);
    let row = Row::compare(
        "JSON, each acknowledged: consumer / loop",
        Goal::TimeAtMost(1.15),
        EVENTS,
        || consumer::<BookingMade>(&runtime, 1, 1, false),
        || bare_loop::<BookingMade>(&runtime, false),
    );
    println!("{row}");
    let row = Row::compare(
        "handed over, each acknowledged: consumer / loop (at most 150 ns more)",
        Goal::None,
        EVENTS,
        || consumer::<Arc<BookingMade>>(&runtime, 1, 1, true),
        || bare_loop::<Arc<BookingMade>>(&runtime, true),
    );
    println!("{row}");
    let row = Row::compare(
        "ordered by key, 10,000 keys / 10 keys",
        Goal::TimeAtMost(1.1),
        EVENTS,
        || consumer::<Arc<BookingMade>>(&runtime, 8, 10_000, true),
        || consumer::<Arc<BookingMade>>(&runtime, 8, 10, true),
    );
    println!("{row}");
    let row = Row::compare(
        "a handler that sleeps 10 ms, concurrency 100 / 100 bare tasks",
        Goal::RateAtLeast(0.9),
        SLEEPERS,
        || sleeping_consumer(&runtime),
        || bare_sleepers(&runtime),
    );
    println!("{row}");
}

/// A bus with so many events of these keys, published: as JSON, or as values.
async fn filled(events: u32, keys: u32, hand_over: bool) -> EventBus {
    let stream = StreamSpec::new("TRAVEL")
        .subject("travel.>")
        .max_messages(100_000);
    let bus = EventBus::builder()
        .stream(stream)
        .memory_with(|memory| memory.hand_over(hand_over))
        .expect("the bus is right");
    let publisher = bus.publisher::<BookingMade>();
    for number in 0..events {
        let mut event = booking();
        event.booking = format!("key {}", number % keys);
        publisher.publish(event).await.expect("it is stored");
    }
    bus
}

fn bare_loop<S: EventSet>(runtime: &Runtime, hand_over: bool) -> Duration {
    runtime.block_on(async {
        let bus = filled(EVENTS, 1, hand_over).await;
        let handling = tokio::spawn(async move {
            let mut subscriber = bus
                .subscribe::<S>()
                .durable("bench")
                .await
                .expect("it subscribes");
            let start = Instant::now();
            for _ in 0..EVENTS {
                let delivery = subscriber
                    .next()
                    .await
                    .expect("it goes on")
                    .expect("it is delivered");
                black_box(delivery.decode().expect("it is the event"));
                delivery.ack().await.expect("it is acknowledged");
            }
            start.elapsed()
        });
        handling.await.expect("it ends")
    })
}

fn consumer<P>(runtime: &Runtime, concurrency: usize, keys: u32, hand_over: bool) -> Duration
where
    P: event_sdk::set::Payload,
    P::Event: Event,
    P: EventSet + event_sdk::Contains<P::Event>,
{
    runtime.block_on(async {
        let bus = filled(EVENTS, keys, hand_over).await;
        let handling = tokio::spawn(async move {
            let (done, count) = (Arc::new(Notify::new()), AtomicU32::new(0));
            let end = Arc::clone(&done);
            let mut consumer = bus.consumer::<P>("bench").concurrency(concurrency);
            if keys > 1 {
                consumer = consumer.ordered_by_key();
            }
            let consumer = consumer.on(move |event: P, _| {
                black_box(event);
                if count.fetch_add(1, Ordering::Relaxed) + 1 == EVENTS {
                    end.notify_one();
                }
                std::future::ready(Ok(()))
            });
            let start = Instant::now();
            let report = consumer.run_until(done.notified()).await.expect("it runs");
            let elapsed = start.elapsed();
            assert_eq!(report.handled, u64::from(EVENTS));
            elapsed
        });
        handling.await.expect("it ends")
    })
}

fn sleeping_consumer(runtime: &Runtime) -> Duration {
    runtime.block_on(async {
        let bus = filled(SLEEPERS, 1, false).await;
        let handling = tokio::spawn(async move {
            let (done, count) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
            let end = Arc::clone(&done);
            let consumer = bus.consumer::<BookingMade>("bench").concurrency(100);
            let consumer = consumer.on(move |event: BookingMade, _| {
                black_box(event);
                let (count, end) = (Arc::clone(&count), Arc::clone(&end));
                async move {
                    tokio::time::sleep(NAP).await;
                    if count.fetch_add(1, Ordering::Relaxed) + 1 == SLEEPERS {
                        end.notify_one();
                    }
                    Ok(())
                }
            });
            let start = Instant::now();
            consumer.run_until(done.notified()).await.expect("it runs");
            start.elapsed()
        });
        handling.await.expect("it ends")
    })
}

fn bare_sleepers(runtime: &Runtime) -> Duration {
    runtime.block_on(async {
        let start = Instant::now();
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn(async {
                    for _ in 0..SLEEPERS / 100 {
                        tokio::time::sleep(NAP).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("it ends");
        }
        start.elapsed()
    })
}
